/**
 * A cell of a b-tree page. Reused: parse() fills it. Rowids are kept in two halves, since they have
 * 64 bits.
 *
 *     table leaf      payload varint, rowid varint, payload, [overflow u32]
 *     table interior  child u32, rowid varint
 *     index leaf      payload varint, payload, [overflow u32]
 *     index interior  child u32, payload varint, payload, [overflow u32]
 */
import { INTERIOR_INDEX, INTERIOR_TABLE, LEAF_TABLE, PAYLOAD_MAX } from './layout.ts';

export class Cell {
  /** Where the cell begins in the page's buffer. */
  from = 0;
  child = 0;
  /** Bytes of the record, in the page and on overflow pages; -1: no payload. */
  payload = -1;
  rowHigh = 0;
  rowLow = 0;
  /** Where the record begins in the page's buffer, and how much of it lies there. */
  at = 0;
  local = 0;
  /** First overflow page; 0: none. */
  overflow = 0;
  /** Bytes of the cell, at least 4. */
  size = 0;

  readonly #maxTable: number;
  readonly #maxIndex: number;
  readonly #min: number;

  constructor(readonly usable: number) {
    this.#maxTable = usable - 35;
    this.#maxIndex = Math.floor(((usable - 12) * 64) / 255) - 23;
    this.#min = Math.floor(((usable - 12) * 32) / 255) - 23;
  }

  /**
   * Reads the cell at `p` of a page of `type`, whose usable bytes end at `end`. False if it leads
   * out of the page.
   */
  parse(bytes: Uint8Array, p: number, end: number, type: number): boolean {
    const from = p;
    this.from = p;
    this.overflow = 0;
    this.child = 0;
    if (p + 4 > end) return false;
    if (type <= INTERIOR_TABLE) {
      this.child =
        bytes[p]! * 0x1000000 + ((bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!);
      p += 4;
      if (type === INTERIOR_TABLE) {
        p = this.#rowid(bytes, p);
        this.payload = -1;
        this.local = 0;
        this.at = p;
        this.size = p - from;
        return p <= end;
      }
    }
    let payload = bytes[p++]!;
    if (payload >= 0x80) {
      payload &= 0x7f;
      let byte: number;
      let more = 7;
      do {
        byte = bytes[p++]!;
        payload = payload * 128 + (byte & 0x7f);
      } while (byte >= 0x80 && --more > 0);
      // A ninth byte counts whole; a payload that needs one is no payload.
      if (more === 0 && byte >= 0x80) payload = Number.MAX_SAFE_INTEGER;
      if (p > end) return false;
    }
    if (type === LEAF_TABLE) p = this.#rowid(bytes, p);
    this.payload = payload;
    this.at = p;
    const max = type === LEAF_TABLE ? this.#maxTable : this.#maxIndex;
    if (payload <= max) {
      this.local = payload;
      p += payload;
      this.size = p - from < 4 ? 4 : p - from;
      return p <= end;
    }
    if (payload > PAYLOAD_MAX) return false;
    const min = this.#min;
    const spill = min + ((payload - min) % (this.usable - 4));
    this.local = spill <= max ? spill : min;
    p += this.local;
    if (p + 4 > end) return false;
    this.overflow =
      bytes[p]! * 0x1000000 + ((bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!);
    this.size = p + 4 - from;
    return true;
  }

  #rowid(bytes: Uint8Array, p: number): number {
    let byte = bytes[p++]!;
    if (byte < 0x80) {
      this.rowHigh = 0;
      this.rowLow = byte;
      return p;
    }
    let high = 0;
    let low = byte & 0x7f;
    for (let i = 1; i < 8; i++) {
      byte = bytes[p++]!;
      high = (high << 7) | (low >>> 25);
      low = ((low << 7) | (byte & 0x7f)) >>> 0;
      if (byte < 0x80) {
        this.rowHigh = high;
        this.rowLow = low;
        return p;
      }
    }
    high = (high << 8) | (low >>> 24);
    low = ((low << 8) | bytes[p++]!) >>> 0;
    this.rowHigh = high;
    this.rowLow = low;
    return p;
  }
}

/** A rowid as a number where it is exact, else as a bigint. */
export function rowidOf(high: number, low: number): number | bigint {
  // -(2^53) is one beyond the least that a number holds safely.
  if (high > -0x20_0000 && high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

export const CELL_KINDS: Readonly<Record<number, string>> = {
  [INTERIOR_INDEX]: 'index interior',
  [INTERIOR_TABLE]: 'table interior',
  10: 'index leaf',
  [LEAF_TABLE]: 'table leaf',
};
