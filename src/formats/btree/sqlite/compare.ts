/**
 * The order of records in an index, as SQLite has it: NULL, numbers, texts by their collation,
 * blobs; columns may descend.
 */
import type { RecordHeader } from './record.ts';
import { integerAt, lengthOf } from './record.ts';

export type Collation = 'BINARY' | 'NOCASE' | 'RTRIM';

export interface KeyColumn {
  collation: Collation;
  descending: boolean;
}

export interface Buffered {
  bytes: Uint8Array;
  view: DataView;
  header: RecordHeader;
}

export class RecordOrder {
  /** Columns that were equal when compare() ended. */
  equal = 0;

  constructor(
    readonly columns: readonly KeyColumn[],
    /** 1: texts are compared as they lie. */
    readonly encoding: number,
  ) {}

  compare(a: Buffered, b: Buffered): number {
    const count = Math.min(a.header.columns, b.header.columns);
    for (let i = 0; i < count; i++) {
      const column = this.columns[i];
      const order = this.#values(a, b, i, column?.collation ?? 'BINARY');
      if (order !== 0) {
        this.equal = i;
        return column?.descending ? -order : order;
      }
    }
    this.equal = count;
    return a.header.columns - b.header.columns;
  }

  #values(a: Buffered, b: Buffered, i: number, collation: Collation): number {
    const s = a.header.serials[i]!;
    const t = b.header.serials[i]!;
    const p = a.header.starts[i]!;
    const q = b.header.starts[i]!;
    // Nearly all: two texts of the usual order.
    if (s >= 13 && t >= 13 && (s & t & 1) === 1 && collation === 'BINARY') {
      return words(a.view, p, (s - 13) >> 1, b.view, q, (t - 13) >> 1);
    }
    const rankA = rank(s);
    const rankB = rank(t);
    if (rankA !== rankB) return rankA - rankB;
    if (rankA === 0) return 0;
    if (rankA === 1) return numbers(a.view, p, s, b.view, q, t);
    const pEnd = p + lengthOf(s);
    const qEnd = q + lengthOf(t);
    if (rankA === 3 || collation === 'BINARY') return spans(a.bytes, p, pEnd, b.bytes, q, qEnd);
    if (this.encoding === 1) return collated(a.bytes, p, pEnd, b.bytes, q, qEnd, collation);
    const x = utf8Of(a.bytes, p, pEnd, this.encoding === 3);
    const y = utf8Of(b.bytes, q, qEnd, this.encoding === 3);
    return collated(x, 0, x.length, y, 0, y.length, collation);
  }
}

/**
 * A text of UTF-16 as SQLite makes UTF-8 of it to compare it: of what is no text too, where any
 * surrogate takes the unit behind it along.
 */
function utf8Of(bytes: Uint8Array, start: number, end: number, big: boolean): Uint8Array {
  const units = (end - start) >> 1;
  const target = new Uint8Array(3 * units);
  const unitAt = (i: number) => {
    const at = start + 2 * i;
    return big ? (bytes[at]! << 8) | bytes[at + 1]! : bytes[at]! | (bytes[at + 1]! << 8);
  };
  let n = 0;
  for (let i = 0; i < units; i++) {
    let code = unitAt(i);
    if (code >= 0xd800 && code < 0xe000 && i + 1 < units) {
      const low = unitAt(++i);
      code = (low & 0x3ff) + ((code & 0x3f) << 10) + (((code & 0x3c0) + 0x40) << 10);
    }
    if (code < 0x80) target[n++] = code;
    else {
      if (code < 0x800) target[n++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) target[n++] = 0xe0 | (code >> 12);
        else {
          target[n++] = 0xf0 | (code >> 18);
          target[n++] = 0x80 | ((code >> 12) & 0x3f);
        }
        target[n++] = 0x80 | ((code >> 6) & 0x3f);
      }
      target[n++] = 0x80 | (code & 0x3f);
    }
  }
  return target.subarray(0, n);
}

/** As spans(), four bytes at a time. */
export function words(
  a: DataView,
  p: number,
  aLength: number,
  b: DataView,
  q: number,
  bLength: number,
): number {
  const count = aLength < bLength ? aLength : bLength;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const x = a.getUint32(p + i);
    const y = b.getUint32(q + i);
    if (x !== y) return x - y;
  }
  for (; i < count; i++) {
    const difference = a.getUint8(p + i) - b.getUint8(q + i);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

function rank(serial: number): number {
  if (serial === 0) return 0;
  if (serial < 10) return 1;
  return serial % 2 === 1 ? 2 : 3;
}

function numbers(a: DataView, p: number, s: number, b: DataView, q: number, t: number): number {
  const x = s === 7 ? a.getFloat64(p) : integerAt(a, p, s);
  const y = t === 7 ? b.getFloat64(q) : integerAt(b, q, t);
  // A number and a bigint compare by their mathematical value.
  return x < y ? -1 : x > y ? 1 : 0;
}

export function spans(
  a: Uint8Array,
  p: number,
  pEnd: number,
  b: Uint8Array,
  q: number,
  qEnd: number,
): number {
  const count = Math.min(pEnd - p, qEnd - q);
  for (let i = 0; i < count; i++) {
    const difference = a[p + i]! - b[q + i]!;
    if (difference !== 0) return difference;
  }
  return pEnd - p - (qEnd - q);
}

function collated(
  a: Uint8Array,
  p: number,
  pEnd: number,
  b: Uint8Array,
  q: number,
  qEnd: number,
  collation: Collation,
): number {
  if (collation === 'RTRIM') {
    while (pEnd > p && a[pEnd - 1] === 0x20) pEnd--;
    while (qEnd > q && b[qEnd - 1] === 0x20) qEnd--;
    return spans(a, p, pEnd, b, q, qEnd);
  }
  const count = Math.min(pEnd - p, qEnd - q);
  for (let i = 0; i < count; i++) {
    const x = lower(a[p + i]!);
    const y = lower(b[q + i]!);
    if (x !== y) return x - y;
    // SQLite's comparison ends at a zero byte.
    if (x === 0) break;
  }
  return pEnd - p - (qEnd - q);
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}
