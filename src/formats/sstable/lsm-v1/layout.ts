/**
 * Wire constants of the textbook LSM tree's table, shared by reader and writer. Big-endian, no
 * header:
 *
 *     entry    key_length u32  key  value_length u32  value     an empty value is a deletion
 *     index    key_length u32  key  offset u64                  for entry 0, 16, 32, …
 *     trailer  index_offset u64  index_count u32                12 bytes
 */
import { type EntryBlock, TYPE } from '../entry-block.ts';
import type { FlatSpec } from '../flat/spec.ts';

export const LENGTH_BYTES = 4;
export const FIELD_BYTES_MAX = 0xffff_ffff;
export const INDEX_EVERY = 16;

export const lsmV1Spec: FlatSpec = {
  id: 'lsm-v1',
  headerBytes: 0,
  keyLengthBytes: 4,
  entryBytesMin: 8,
  indexEvery: INDEX_EVERY,
  hasCount: false,
  hasTimestamp: false,
  entry(view: DataView, p: number, end: number, block: EntryBlock, i: number): number {
    if (p + 8 > end) return -1;
    const keyAt = p + 4;
    const keyEnd = keyAt + view.getUint32(p);
    const valueAt = keyEnd + 4;
    if (valueAt > end) return -1;
    const valueEnd = valueAt + view.getUint32(keyEnd);
    if (valueEnd > end) return -1;
    block.keyStart[i] = keyAt;
    block.keyEnd[i] = keyEnd;
    const deleted = valueEnd === valueAt;
    block.types[i] = deleted ? TYPE.delete : TYPE.put;
    block.valueStart[i] = deleted ? -1 : valueAt;
    block.valueEnd[i] = valueEnd;
    return valueEnd;
  },
  entryBytes(view: DataView, p: number, end: number): number {
    if (p + 4 > end) return 0;
    const lengthAt = p + 4 + view.getUint32(p);
    if (lengthAt + 4 > end) return 0;
    return lengthAt + 4 + view.getUint32(lengthAt) - p;
  },
};
