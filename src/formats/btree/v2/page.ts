/** A page as its bytes have it, every length checked. Reused: parse() fills it. */
import {
  CELLS_AT,
  COUNT_AT,
  GARBAGE_AT,
  getU64,
  HEADER_BYTES,
  IN_OVERFLOW,
  INTERIOR,
  INTERIOR_CELL_BYTES,
  KIND_AT,
  LEAF,
  LEAF_CELL_BYTES,
  LEVEL_AT,
  LINK_AT,
  LINK_CRC_AT,
  OVERFLOW_REF_BYTES,
  PAGE_AT,
  SLOT_BYTES,
  TXN_AT,
} from './layout.ts';

export class V2Page {
  bytes: Uint8Array = EMPTY;
  view: DataView = NO_VIEW;
  start = 0;
  size = 0;
  crc = 0;
  page = 0;
  kind = 0;
  level = 0;
  count = 0;
  txn = 0;
  link = 0;
  linkCrc = 0;
  /** Bytes of a value in an overflow page; in a tree's where its cells begin. */
  length = 0;
  /** Bytes among the cells that none has. */
  garbage = 0;
  /** Cells that lie within the page; less than `count` if parse returned false. */
  cells = 0;
  /** Header, slots and cells. */
  used = 0;
  /** Where the first of the cells begins; the end of the page if there are none. */
  lowest = 0;
  /** By cell, from the start of `bytes`. */
  at: Int32Array = NONE;
  end: Int32Array = NONE;

  parse(bytes: Uint8Array, view: DataView, start: number, size: number): boolean {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.size = size;
    this.crc = view.getUint32(start, true);
    this.page = view.getUint32(start + PAGE_AT, true);
    this.kind = bytes[start + KIND_AT]!;
    this.level = bytes[start + LEVEL_AT]!;
    this.count = view.getUint16(start + COUNT_AT, true);
    this.length = view.getUint16(start + CELLS_AT, true);
    this.garbage = view.getUint16(start + GARBAGE_AT, true);
    this.txn = getU64(view, start + TXN_AT);
    this.link = view.getUint32(start + LINK_AT, true);
    this.linkCrc = view.getUint32(start + LINK_CRC_AT, true);
    this.cells = 0;
    this.used = HEADER_BYTES;
    return this.kind === LEAF || this.kind === INTERIOR ? this.#parseCells() : true;
  }

  #parseCells(): boolean {
    const { view, start, size, count } = this;
    const leaf = this.kind === LEAF;
    const slots = HEADER_BYTES + count * SLOT_BYTES;
    if (slots > size) return false;
    if (this.at.length < count) {
      this.at = new Int32Array(count);
      this.end = new Int32Array(count);
    }
    this.used = slots;
    this.lowest = size;
    for (let i = 0; i < count; i++) {
      const cell = view.getUint16(start + HEADER_BYTES + i * SLOT_BYTES, true);
      const head = leaf ? LEAF_CELL_BYTES : INTERIOR_CELL_BYTES;
      if (cell < slots || cell + head > size) return false;
      const at = start + cell;
      let bytes = head + view.getUint16(at, true);
      if (leaf) {
        const value = view.getUint16(at + 2, true);
        bytes += value === IN_OVERFLOW ? OVERFLOW_REF_BYTES : value;
      }
      if (cell + bytes > size) return false;
      if (cell < this.lowest) this.lowest = cell;
      this.at[i] = at;
      this.end[i] = at + bytes;
      this.used += bytes;
      this.cells = i + 1;
    }
    return this.used <= size;
  }

  get leaf(): boolean {
    return this.kind === LEAF;
  }

  keyStart(i: number): number {
    return this.at[i]! + (this.kind === LEAF ? LEAF_CELL_BYTES : INTERIOR_CELL_BYTES);
  }

  keyEnd(i: number): number {
    return this.keyStart(i) + this.view.getUint16(this.at[i]!, true);
  }

  key(i: number): Uint8Array {
    return this.bytes.subarray(this.keyStart(i), this.keyEnd(i));
  }

  /** Of an interior page: child 0 is the one in front of the first key. */
  child(i: number): number {
    return i === 0 ? this.link : this.view.getUint32(this.at[i - 1]! + 2, true);
  }

  childCrc(i: number): number {
    return i === 0 ? this.linkCrc : this.view.getUint32(this.at[i - 1]! + 6, true);
  }

  inOverflow(i: number): boolean {
    return this.view.getUint16(this.at[i]! + 2, true) === IN_OVERFLOW;
  }

  overflowOf(i: number): { length: number; page: number; crc: number } {
    const at = this.keyEnd(i);
    const { view } = this;
    return {
      length: view.getUint32(at, true),
      page: view.getUint32(at + 4, true),
      crc: view.getUint32(at + 8, true),
    };
  }

  /** Whether the header is right about its cells: a writer relies on it for where there is room. */
  get isTidy(): boolean {
    const { count, lowest, length, size, used, garbage } = this;
    const slots = HEADER_BYTES + count * SLOT_BYTES;
    return length >= slots && length <= lowest && size - length === used - slots + garbage;
  }

  compare(i: number, key: Uint8Array): number {
    return Buffer.compare(this.key(i), key);
  }

  /** The first cell whose key is not greater than the one before it; -1: they ascend. */
  disorder(): number {
    for (let i = 1; i < this.cells; i++) {
      if (Buffer.compare(this.key(i - 1), this.key(i)) >= 0) return i;
    }
    return -1;
  }
}

const EMPTY = new Uint8Array(0);
const NO_VIEW = new DataView(EMPTY.buffer);
const NONE = new Int32Array(0);
