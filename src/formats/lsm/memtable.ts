/**
 * What logs hold and no table does yet, in memory and in the order of a table, so that it is read
 * like one. The bytes lie in one buffer, the entries in columns.
 */
import { compareBytes, EntryBlock } from '../sstable/entry-block.ts';
import type { OpenTable, TableDamage } from '../sstable/model.ts';

/** Entries that are handed out at a time. */
const BLOCK_ENTRIES = 1024;
const START_BYTES = 64 * 1024;

export class Memtable implements OpenTable {
  readonly damage: readonly TableDamage[] = [];
  readonly #all = new EntryBlock();
  readonly #ranges = new EntryBlock();
  #bytes = new Uint8Array(START_BYTES);
  #used = 0;
  /** The entries in internal order. */
  #sorted = new Uint32Array(0);

  /** `file` stands for all logs, whose entries are in one order. */
  constructor(
    readonly order: 1 | -1,
    readonly file: string,
  ) {
    this.#all.order = order;
  }

  /** Bytes of keys and values. */
  get bytes(): number {
    return this.#used;
  }

  add(
    type: number,
    key: Uint8Array,
    value: Uint8Array | undefined,
    seqHigh: number,
    seqLow: number,
  ): void {
    this.#append(this.#all, type, key, value, seqHigh, seqLow);
  }

  addRange(begin: Uint8Array, end: Uint8Array, seqHigh: number, seqLow: number, type: number) {
    this.#append(this.#ranges, type, begin, end, seqHigh, seqLow);
  }

  #append(
    to: EntryBlock,
    type: number,
    key: Uint8Array,
    value: Uint8Array | undefined,
    seqHigh: number,
    seqLow: number,
  ): void {
    const i = to.count++;
    to.reserve(to.count);
    to.keyStart[i] = this.#put(key);
    to.keyEnd[i] = this.#used;
    to.valueStart[i] = value ? this.#put(value) : -1;
    to.valueEnd[i] = this.#used;
    to.types[i] = type;
    to.seqHigh[i] = seqHigh;
    to.seqLow[i] = seqLow;
  }

  #put(bytes: Uint8Array): number {
    const start = this.#used;
    if (start + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (start + bytes.length));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, start);
    this.#used += bytes.length;
    return start;
  }

  /** Puts the entries in order: nothing is added behind this. */
  seal(): this {
    const { seqHigh, seqLow, types, count } = this.#all;
    for (const block of [this.#all, this.#ranges]) block.keyBytes = block.valueBytes = this.#bytes;
    this.#sorted = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.#sorted[i] = i;
    this.#sorted.sort(
      (a, b) =>
        this.#compareKeys(a, b) * this.order ||
        seqHigh[b]! - seqHigh[a]! ||
        seqLow[b]! - seqLow[a]! ||
        types[b]! - types[a]!,
    );
    return this;
  }

  #compareKeys(a: number, b: number): number {
    const { keyStart, keyEnd } = this.#all;
    const bytes = this.#bytes;
    return compareBytes(bytes, keyStart[a]!, keyEnd[a]!, bytes, keyStart[b]!, keyEnd[b]!);
  }

  get blocks(): number {
    return Math.ceil(this.#sorted.length / BLOCK_ENTRIES);
  }

  seek(key: Uint8Array): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all.compareKey(this.#sorted[middle]!, key) * this.order < 0) low = middle + 1;
      else high = middle;
    }
    return Math.floor(low / BLOCK_ENTRIES);
  }

  async read(number: number, into: EntryBlock): Promise<TableDamage[]> {
    const from = number * BLOCK_ENTRIES;
    const count = Math.max(0, Math.min(BLOCK_ENTRIES, this.#sorted.length - from));
    into.reserve(count);
    into.count = count;
    into.file = this.file;
    into.number = number;
    into.order = this.order;
    into.keyBytes = into.valueBytes = this.#bytes;
    for (let i = 0; i < count; i++) copyEntry(this.#all, this.#sorted[from + i]!, into, i);
    return [];
  }

  async mayContain(): Promise<undefined> {
    return undefined;
  }

  async readRangeDeletions(into: EntryBlock): Promise<boolean> {
    const { count } = this.#ranges;
    into.reserve(count);
    into.count = count;
    into.file = this.file;
    into.keyBytes = into.valueBytes = this.#bytes;
    for (let i = 0; i < count; i++) copyEntry(this.#ranges, i, into, i);
    return count > 0;
  }
}

function copyEntry(from: EntryBlock, i: number, to: EntryBlock, at: number): void {
  to.keyStart[at] = from.keyStart[i]!;
  to.keyEnd[at] = from.keyEnd[i]!;
  to.valueStart[at] = from.valueStart[i]!;
  to.valueEnd[at] = from.valueEnd[i]!;
  to.types[at] = from.types[i]!;
  to.seqHigh[at] = from.seqHigh[i]!;
  to.seqLow[at] = from.seqLow[i]!;
}
