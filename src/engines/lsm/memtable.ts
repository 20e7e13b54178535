/**
 * What was written and is in no table yet: a list in order, in one buffer outside of the JavaScript
 * heap, so that a million entries are no objects, and a node lies beside its key; and an index that
 * says where in the list a key belongs. Nothing is ever taken out or changed: who walks the list
 * while it grows sees what was there, and newer entries by their numbers.
 *
 *     node   key at, key length, value length, seq low, type and seq high, next,
 *            key, value, up to 3 bytes of nothing
 */
import { compareBytes, TYPE } from '../../formats/sstable/entry-block.ts';
import { Cursor } from './cursor.ts';
import { KeyIndex, type KeyOwner } from './key-index.ts';
import { isBefore, RangeDeletions } from './range-deletions.ts';

const ROOM_BYTES = 16 * 1024;
const KEY = 0;
const KEY_LENGTH = 1;
const VALUE_LENGTH = 2;
const SEQ_LOW = 3;
const TAG = 4;
const NEXT = 5;
const NODE_WORDS = 6;
/** What the index keeps of an entry. */
const INDEX_BYTES = 12;
const HEAD = 0;
const TYPE_SHIFT = 21;
const SEQ_HIGH_MASK = 0x1f_ffff;

export class Memtable implements KeyOwner {
  #nodes: Int32Array;
  #data: Uint8Array;
  #view: DataView;
  /** In words: where the next node goes. */
  #end = NODE_WORDS;
  #last = HEAD;
  readonly #index = new KeyIndex(this);
  readonly ranges = new RangeDeletions();
  entries = 0;
  seqFirst = 0;
  seqLast = 0;

  /** `room`: bytes that it will hold; it grows all the same. */
  constructor(room = ROOM_BYTES) {
    this.#nodes = new Int32Array(Math.ceil(room / 4));
    this.#data = new Uint8Array(this.#nodes.buffer);
    this.#view = new DataView(this.#nodes.buffer);
  }

  /** Memory that is used. */
  get bytes(): number {
    return 4 * this.#end + INDEX_BYTES * this.entries + this.ranges.bytes;
  }

  get empty(): boolean {
    return this.entries === 0 && this.ranges.count === 0;
  }

  get data(): Uint8Array {
    return this.#data;
  }

  /** Of the memory of `data`. */
  get view(): DataView {
    return this.#view;
  }

  get nodes(): Int32Array {
    return this.#nodes;
  }

  /** Numbers ascend. A range deletion has its end in place of the value. */
  add(type: number, seq: number, key: Uint8Array, value: Uint8Array): void {
    this.addSpan(type, seq, key, 0, key.length, value, 0, value.length);
  }

  addSpan(
    type: number,
    seq: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.seqFirst === 0) this.seqFirst = seq;
    this.seqLast = seq;
    if (type === TYPE.rangeDelete) {
      // A Buffer's own slice would share its memory.
      const begin = new Uint8Array(key.subarray(keyStart, keyEnd));
      const rangeEnd = new Uint8Array(value.subarray(valueStart, valueEnd));
      // One that takes nothing away would make a table of nothing, without numbers.
      if (isBefore(begin, rangeEnd)) this.ranges.add(begin, rangeEnd, seq);
      return;
    }
    const node = this.#end;
    const at = 4 * (node + NODE_WORDS);
    const middle = at + keyEnd - keyStart;
    const end = middle + valueEnd - valueStart;
    if (end > this.#data.length) this.#grow(end);
    const before = this.#index.place(key, keyStart, keyEnd);
    this.#end = (end + 3) >>> 2;
    const data = this.#data;
    for (let i = keyStart, p = at; i < keyEnd; i++) data[p++] = key[i]!;
    if (valueStart === 0 && valueEnd === value.length) data.set(value, middle);
    else data.set(value.subarray(valueStart, valueEnd), middle);
    const nodes = this.#nodes;
    nodes[node + KEY] = at;
    nodes[node + KEY_LENGTH] = keyEnd - keyStart;
    nodes[node + VALUE_LENGTH] = valueEnd - valueStart;
    nodes[node + SEQ_LOW] = seq | 0;
    nodes[node + TAG] = (type << TYPE_SHIFT) | Math.floor(seq / 0x1_0000_0000);
    const next = nodes[before + NEXT]!;
    nodes[node + NEXT] = next;
    nodes[before + NEXT] = node;
    if (next === 0) this.#last = node;
    this.#index.put(node);
    this.entries++;
  }

  keyStart(node: number): number {
    return this.#nodes[node + KEY]!;
  }

  keyEnd(node: number): number {
    return this.#nodes[node + KEY]! + this.#nodes[node + KEY_LENGTH]!;
  }

  /** Order of a node's key against another. */
  compare(node: number, key: Uint8Array, keyStart: number, keyEnd: number): number {
    const at = this.#nodes[node + KEY]!;
    const end = at + this.#nodes[node + KEY_LENGTH]!;
    return compareBytes(this.#data, at, end, key, keyStart, keyEnd);
  }

  /** The first node whose key is not before; 0: there is none. Its newest entry is first. */
  seek(key: Uint8Array): number {
    return this.#nodes[this.nodeBefore(key) + NEXT]!;
  }

  /** The last node whose key is before; 0, the head: there is none. */
  nodeBefore(key: Uint8Array): number {
    return this.#index.before(key, 0, key.length);
  }

  /** The node before this one in internal order; 0: there is none. */
  previous(node: number): number {
    const nodes = this.#nodes;
    const at = nodes[node + KEY]!;
    const key = this.#data.subarray(at, at + nodes[node + KEY_LENGTH]!);
    let before = this.nodeBefore(key);
    // Entries of the same key stand between.
    for (let next = nodes[before + NEXT]!; next !== node; next = nodes[next + NEXT]!) before = next;
    return before;
  }

  get lastNode(): number {
    return this.#last;
  }

  seqOf(node: number): number {
    const high = this.#nodes[node + TAG]! & SEQ_HIGH_MASK;
    return high * 0x1_0000_0000 + (this.#nodes[node + SEQ_LOW]! >>> 0);
  }

  /** The newest entry of a key with a number of at most `seq`; 0: there is none. */
  find(key: Uint8Array, seq: number): number {
    let node = this.seek(key);
    while (node !== 0 && this.seqOf(node) > seq) {
      node = this.#nodes[node + NEXT]!;
      if (node !== 0 && this.compare(node, key, 0, key.length) !== 0) return 0;
    }
    return node !== 0 && this.compare(node, key, 0, key.length) === 0 ? node : 0;
  }

  typeOf(node: number): number {
    return this.#nodes[node + TAG]! >>> TYPE_SHIFT;
  }

  valueOf(node: number): Buffer {
    const nodes = this.#nodes;
    const start = nodes[node + KEY]! + nodes[node + KEY_LENGTH]!;
    return Buffer.from(this.#data.subarray(start, start + nodes[node + VALUE_LENGTH]!));
  }

  #grow(bytes: number): void {
    const grown = new Int32Array(Math.ceil(Math.max(bytes, 2 * this.#data.length) / 4));
    grown.set(this.#nodes.subarray(0, this.#end));
    this.#nodes = grown;
    this.#data = new Uint8Array(grown.buffer);
    this.#view = new DataView(grown.buffer);
  }
}

export class MemtableCursor extends Cursor {
  #node = 0;

  constructor(readonly memtable: Memtable) {
    super();
  }

  seek(key?: Uint8Array): void {
    this.#at(key ? this.memtable.seek(key) : this.memtable.nodes[NEXT]!);
  }

  seekBack(key?: Uint8Array): void {
    this.#at(key ? this.memtable.nodeBefore(key) : this.memtable.lastNode);
  }

  next(): void {
    this.#at(this.memtable.nodes[this.#node + NEXT]!);
  }

  previous(): void {
    this.#at(this.memtable.previous(this.#node));
  }

  #at(node: number): void {
    this.#node = node;
    this.valid = node !== 0;
    if (!this.valid) return;
    const { memtable } = this;
    const { nodes, data } = memtable;
    this.keyBytes = data;
    this.keyView = memtable.view;
    this.valueBytes = data;
    this.valueView = memtable.view;
    this.keyStart = nodes[node + KEY]!;
    this.keyEnd = this.keyStart + nodes[node + KEY_LENGTH]!;
    this.valueStart = this.keyEnd;
    this.valueEnd = this.keyEnd + nodes[node + VALUE_LENGTH]!;
    this.seq = memtable.seqOf(node);
    this.type = memtable.typeOf(node);
  }
}
