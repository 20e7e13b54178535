/**
 * A block of entries, decoded into columns: no object an entry. Keys and values are spans of two
 * buffers; who reads a table reuses one EntryBlock, so copy what you keep.
 */

import { viewOf } from '../bytes/read-fully.ts';

/**
 * Types of entries, by the numbers that RocksDB gives them (db/dbformat.h); LevelDB's are the first
 * two.
 */
export const TYPE = {
  delete: 0,
  put: 1,
  merge: 2,
  singleDelete: 7,
  rangeDelete: 15,
  blobIndex: 17,
  deleteWithTimestamp: 20,
  wideColumns: 22,
  putWithWriteTime: 24,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  [TYPE.delete]: 'delete',
  [TYPE.put]: 'put',
  [TYPE.merge]: 'merge',
  [TYPE.singleDelete]: 'single-delete',
  [TYPE.rangeDelete]: 'delete-range',
  [TYPE.blobIndex]: 'blob-index',
  [TYPE.deleteWithTimestamp]: 'delete-with-timestamp',
  [TYPE.wideColumns]: 'wide-columns',
  [TYPE.putWithWriteTime]: 'put-with-write-time',
};

/** As `dump` prints it and `write` takes it. */
export function typeName(type: number): string {
  return NAMES[type] ?? `type-${type}`;
}

/** Undefined for a name that is none. */
export function typeOf(name: string): number | undefined {
  for (const [type, known] of Object.entries(NAMES)) if (known === name) return Number(type);
  const other = /^type-(\d{1,3})$/.exec(name);
  return other && Number(other[1]) < 128 ? Number(other[1]) : undefined;
}

/** A type that stands in a table; 0x7f and the marks of logs do not. */
export function isKnownType(type: number): boolean {
  return type in NAMES;
}

/** True for types that take a key away. */
export function isDeletion(type: number): boolean {
  return type === TYPE.delete || type === TYPE.singleDelete || type === TYPE.deleteWithTimestamp;
}

/** Which order the keys of a table are in: as bytes, as bytes backwards, or one not known here. */
export type KeyOrder = 1 | -1 | 0;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class EntryBlock {
  file = '';
  /** From 0, in the order of keys. */
  number = 0;
  /** Place and size in the file, with whatever frames it. */
  offset = 0;
  length = 0;
  /** Bytes before compression. */
  rawBytes = 0;
  compression = 'none';
  /** Set where these are range deletions: key and value are begin and end. */
  rangeDeletions = false;
  order: KeyOrder = 1;
  /** There are no sequence numbers: each key stands once. */
  unique = false;

  count = 0;
  #keyBytes: Uint8Array = NO_BYTES;
  /** Of the memory of `keyBytes`. */
  keyView: DataView = NO_VIEW;
  keyStart = new Int32Array(0);
  keyEnd = new Int32Array(0);
  #valueBytes: Uint8Array = NO_BYTES;
  /** Of the memory of `valueBytes`. */
  valueView: DataView = NO_VIEW;
  /** -1: there is no value. */
  valueStart = new Int32Array(0);
  valueEnd = new Int32Array(0);
  types = new Uint8Array(0);
  seqHigh = new Uint32Array(0);
  seqLow = new Uint32Array(0);
  /** Seconds, or what the table's writer counted; undefined where the layout has none. */
  timestamps: Float64Array | undefined = undefined;
  /** Where each entry lies in the file; undefined where entries share their block's place. */
  offsets: Float64Array | undefined = undefined;
  /** Bytes of each entry; only where there are offsets. */
  lengths: Float64Array | undefined = undefined;

  /** User keys. */
  get keyBytes(): Uint8Array {
    return this.#keyBytes;
  }

  set keyBytes(bytes: Uint8Array) {
    if (bytes === this.#keyBytes) return;
    this.#keyBytes = bytes;
    this.keyView = viewOf(bytes);
  }

  get valueBytes(): Uint8Array {
    return this.#valueBytes;
  }

  set valueBytes(bytes: Uint8Array) {
    if (bytes === this.#valueBytes) return;
    this.#valueBytes = bytes;
    this.valueView = viewOf(bytes);
  }

  /** Makes room for so many entries; what is there stays. */
  reserve(entries: number, flat = false): void {
    if (entries <= this.keyStart.length) return;
    const room = Math.max(64, entries, 2 * this.keyStart.length);
    this.keyStart = grown(new Int32Array(room), this.keyStart);
    this.keyEnd = grown(new Int32Array(room), this.keyEnd);
    this.valueStart = grown(new Int32Array(room), this.valueStart);
    this.valueEnd = grown(new Int32Array(room), this.valueEnd);
    this.types = grown(new Uint8Array(room), this.types);
    this.seqHigh = grown(new Uint32Array(room), this.seqHigh);
    this.seqLow = grown(new Uint32Array(room), this.seqLow);
    const { timestamps, offsets, lengths } = this;
    if (timestamps) this.timestamps = grown(new Float64Array(room), timestamps);
    if (flat || offsets) {
      this.offsets = grown(new Float64Array(room), offsets ?? new Float64Array(0));
      this.lengths = grown(new Float64Array(room), lengths ?? new Float64Array(0));
    }
  }

  /** From now on entries have timestamps. */
  withTimestamps(): void {
    this.timestamps ??= new Float64Array(this.keyStart.length);
  }

  key(index: number): Uint8Array {
    return this.keyBytes.subarray(this.keyStart[index], this.keyEnd[index]);
  }

  value(index: number): Uint8Array | undefined {
    const start = this.valueStart[index]!;
    return start < 0 ? undefined : this.valueBytes.subarray(start, this.valueEnd[index]);
  }

  /** Order of the entry's key against another key, as bytes. */
  compareKey(index: number, key: Uint8Array): number {
    const { keyBytes, keyStart, keyEnd } = this;
    return compareBytes(keyBytes, keyStart[index]!, keyEnd[index]!, key, 0, key.length);
  }

  /** The first entry whose key is not before `key` in the table's order. */
  lowerBound(key: Uint8Array): number {
    const sign = this.order === -1 ? -1 : 1;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) * sign < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function grown<T extends Int32Array | Uint8Array | Uint32Array | Float64Array>(to: T, from: T): T {
  to.set(from);
  return to;
}

/** Order as bytes; of two where one begins the other, the shorter is first. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const both = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < both; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}
