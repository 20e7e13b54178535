/**
 * A page in memory, with the places of its cells, so that a key is found by halving and a cell put
 * in or taken out by one move of bytes. What lies behind the last cell is zero.
 */
import {
  COUNT_AT,
  HEADER_BYTES,
  INTERNAL_CELL_BYTES,
  LEAF_CELL_BYTES,
  LINK_AT,
  TYPE_INTERNAL,
  TYPE_LEAF,
} from '../../formats/btree/v1/layout.ts';
import { compareKeys } from '../../formats/wal/btree-v1/page.ts';

let states = 0;

export class Frame {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  leaf = true;
  /** Where each cell begins. */
  readonly cells: number[] = [];
  /** Bytes up to the end of the last cell. */
  used = HEADER_BYTES;
  /** Changed since the last commit. */
  dirty = false;
  /** Committed to the log, and not written to the file yet. */
  logged = false;
  /** Asked for since the cache looked last. */
  wanted = true;

  /** Another number whenever its cells change; no two states of any pages have the same. */
  state = 0;
  /** State of the page that led to it as child number `place` when its keys were looked at. */
  parentState = 0;
  place = 0;

  /** `size` is that of a page, or more where several are to be cut from it. */
  constructor(
    readonly page: number,
    size: number,
  ) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  get count(): number {
    return this.cells.length;
  }

  /** The leaf's next sibling, the internal page's first child, the free page's next. */
  get link(): number {
    return this.view.getUint32(LINK_AT);
  }

  set link(page: number) {
    this.view.setUint32(LINK_AT, page);
  }

  /** Without cells, of this kind. */
  reset(leaf: boolean, link: number): void {
    this.bytes.fill(0, 0, this.used);
    this.leaf = leaf;
    this.state = ++states;
    this.cells.length = 0;
    this.used = HEADER_BYTES;
    this.bytes[0] = leaf ? TYPE_LEAF : TYPE_INTERNAL;
    this.link = link;
  }

  /** A free page: three zero bytes and the link. */
  blank(next: number): void {
    this.bytes.fill(0);
    this.reset(false, next);
  }

  /**
   * Finds the cells of the bytes that were read. Returns what is wrong with them, or undefined:
   * they lie within the page, and their keys ascend.
   */
  parse(leaf: boolean): string | undefined {
    const { bytes, view, cells } = this;
    const count = view.getUint16(COUNT_AT);
    const due = leaf ? TYPE_LEAF : TYPE_INTERNAL;
    if (bytes[0] !== due) return `its type is ${bytes[0]}, expected ${due}`;
    const size = bytes.length;
    this.leaf = leaf;
    this.state = ++states;
    cells.length = 0;
    let p = HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      if (p + 2 > size) return `cell ${i} leads out of it`;
      cells.push(p);
      p += 2 + view.getUint16(p);
      if (p + (leaf ? 2 : 4) > size) return `cell ${i} leads out of it`;
      p += leaf ? 2 + view.getUint16(p) : 4;
      if (p > size) return `cell ${i} leads out of it`;
      if (i > 0 && this.#compare(i - 1, bytes, this.keyStart(i), this.keyEnd(i)) >= 0) {
        return `key ${i} is not greater than the one before it`;
      }
    }
    this.used = p;
    bytes.fill(0, p);
    return undefined;
  }

  keyStart(i: number): number {
    return this.cells[i]! + 2;
  }

  keyEnd(i: number): number {
    const at = this.cells[i]!;
    return at + 2 + this.view.getUint16(at);
  }

  cellEnd(i: number): number {
    return i + 1 < this.cells.length ? this.cells[i + 1]! : this.used;
  }

  cellBytes(i: number): number {
    return this.cellEnd(i) - this.cells[i]!;
  }

  /** A copy. */
  key(i: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.keyStart(i), this.keyEnd(i)));
  }

  /** A copy. */
  value(i: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.keyEnd(i) + 2, this.cellEnd(i)));
  }

  /** Child `i` of an internal page, from 0: one more than there are keys. */
  child(i: number): number {
    return i === 0 ? this.link : this.view.getUint32(this.keyEnd(i - 1));
  }

  #compare(i: number, bytes: Uint8Array, start: number, end: number): number {
    return compareKeys(this.bytes, this.keyStart(i), this.keyEnd(i), bytes, start, end);
  }

  /** The cell with the key, or ~ of where it would be. */
  find(key: Uint8Array): number {
    let low = 0;
    let high = this.cells.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, key, 0, key.length);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** The first cell that is not less. */
  placeOf(key: Uint8Array): number {
    const i = this.find(key);
    return i < 0 ? ~i : i;
  }

  /** The child that the key is under, or the first: keys that equal a separator are behind it. */
  childFor(key: Uint8Array | undefined): number {
    if (!key) return 0;
    const i = this.find(key);
    return i >= 0 ? i + 1 : ~i;
  }

  /** The child of the keys right below this one, or the last. */
  childBefore(key: Uint8Array | undefined): number {
    return key ? this.placeOf(key) : this.count;
  }

  insertValue(i: number, key: Uint8Array, value: Uint8Array): void {
    const at = this.#open(i, LEAF_CELL_BYTES + key.length + value.length);
    const valueAt = at + 2 + key.length;
    this.view.setUint16(at, key.length);
    this.bytes.set(key, at + 2);
    this.view.setUint16(valueAt, value.length);
    this.bytes.set(value, valueAt + 2);
  }

  /** The child comes behind the key. */
  insertChild(i: number, key: Uint8Array, child: number): void {
    const at = this.#open(i, INTERNAL_CELL_BYTES + key.length);
    this.view.setUint16(at, key.length);
    this.bytes.set(key, at + 2);
    this.view.setUint32(at + 2 + key.length, child);
  }

  /** Room for a cell of so many bytes. Returns where. */
  #open(i: number, length: number): number {
    const { cells, bytes, used } = this;
    const at = i < cells.length ? cells[i]! : used;
    if (used + length > bytes.length) throw new Error(`no room for ${length} bytes`);
    bytes.copyWithin(at + length, at, used);
    cells.splice(i, 0, at);
    this.state = ++states;
    for (let j = i + 1; j < cells.length; j++) cells[j]! += length;
    this.used += length;
    this.view.setUint16(COUNT_AT, cells.length);
    return at;
  }

  remove(i: number): void {
    const { cells, bytes, used } = this;
    const at = cells[i]!;
    const length = this.cellBytes(i);
    bytes.copyWithin(at, at + length, used);
    bytes.fill(0, used - length, used);
    cells.splice(i, 1);
    this.state = ++states;
    for (let j = i; j < cells.length; j++) cells[j]! -= length;
    this.used -= length;
    this.view.setUint16(COUNT_AT, cells.length);
  }

  /** Appends cells [from, to) of another page. */
  append(other: Frame, from: number, to: number): void {
    if (to <= from) return;
    const start = other.cells[from]!;
    const end = other.cellEnd(to - 1);
    if (this.used + end - start > this.bytes.length) throw new Error('no room for these cells');
    this.bytes.set(other.bytes.subarray(start, end), this.used);
    this.state = ++states;
    for (let i = from; i < to; i++) this.cells.push(this.used + other.cells[i]! - start);
    this.used += end - start;
    this.view.setUint16(COUNT_AT, this.cells.length);
  }
}
