/**
 * Wire constants of the textbook table, shared by reader and writer. Big-endian:
 *
 *     header   "SSTB"  version u16 = 1  entry_count u32                          10 bytes
 *     entry    key_length u16  key  timestamp f64  ( 0xFF | value_length u32  value )
 *     index    key_length u16  key  offset u64            for entry 0, N, 2N, …
 *     footer   index_offset u64  index_count u32                                 12 bytes
 */
import { type EntryBlock, TYPE } from '../entry-block.ts';
import type { FlatSpec } from '../flat/spec.ts';

export const MAGIC = 0x5353_5442; // "SSTB"
export const VERSION = 1;
export const VERSION_AT = 4;
export const ENTRY_COUNT_AT = 6;
export const HEADER_BYTES = 10;

/** In place of the highest byte of a value's length. */
export const DELETED = 0xff;
export const KEY_BYTES_MAX = 0xffff;
export const VALUE_BYTES_MAX = 0xfeff_ffff;
export const INDEX_EVERY = 64;
const TIMESTAMP_BYTES = 8;

export const v1Spec: FlatSpec = {
  id: 'v1',
  headerBytes: HEADER_BYTES,
  keyLengthBytes: 2,
  // key_length, timestamp and the byte that says it is deleted.
  entryBytesMin: 11,
  indexEvery: INDEX_EVERY,
  hasCount: true,
  hasTimestamp: true,
  entry(view: DataView, p: number, end: number, block: EntryBlock, i: number): number {
    if (p + 11 > end) return -1;
    const keyAt = p + 2;
    const keyEnd = keyAt + view.getUint16(p);
    const markAt = keyEnd + TIMESTAMP_BYTES;
    if (markAt >= end) return -1;
    block.keyStart[i] = keyAt;
    block.keyEnd[i] = keyEnd;
    block.timestamps![i] = view.getFloat64(keyEnd);
    if (view.getUint8(markAt) === DELETED) {
      block.types[i] = TYPE.delete;
      block.valueStart[i] = -1;
      block.valueEnd[i] = -1;
      return markAt + 1;
    }
    const valueAt = markAt + 4;
    if (valueAt > end) return -1;
    const valueEnd = valueAt + view.getUint32(markAt);
    if (valueEnd > end) return -1;
    block.types[i] = TYPE.put;
    block.valueStart[i] = valueAt;
    block.valueEnd[i] = valueEnd;
    return valueEnd;
  },
  entryBytes(view: DataView, p: number, end: number): number {
    if (p + 2 > end) return 0;
    const markAt = p + 2 + view.getUint16(p) + TIMESTAMP_BYTES;
    if (markAt + 4 > end) {
      return markAt < end && view.getUint8(markAt) === DELETED ? markAt + 1 - p : 0;
    }
    if (view.getUint8(markAt) === DELETED) return markAt + 1 - p;
    return markAt + 4 + view.getUint32(markAt) - p;
  },
};
