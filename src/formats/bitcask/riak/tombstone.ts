/**
 * A value that begins with `bitcask_tombstone` is no value: the record deletes its key
 * (is_tombstone in src/bitcask.erl looks at the beginning alone). What stands behind tells a merge
 * how long the tombstone is needed (tombstone_context there):
 *
 *     v0   nothing             Riak 1: nothing is known
 *     v1   `1`, file as u32    made of v0 by a merge of some files; needed while a file up to this
 *                              number is left
 *     v2   `2`, file as u32    Riak 2: what is deleted lies in this file
 *     other                    none of these: a value of the user's that begins alike, and cannot
 *                              be read again
 */
import { bytesValue } from '../../bytes/value.ts';

export const TOMBSTONE = Buffer.from('bitcask_tombstone');
const VERSION_AT = TOMBSTONE.length;
const WITH_FILE_BYTES = VERSION_AT + 5;
const WORD = new DataView(TOMBSTONE.buffer, TOMBSTONE.byteOffset).getUint32(0);
/** Of a tombstone of no known form, so many bytes of the value are told. */
const OTHER_BYTES_TOLD = 256;

/** Which tombstone it is. A type and not an interface: it goes where any fields may go. */
export type Tombstone =
  | { tombstone: 'v0' }
  | { tombstone: 'v1'; upTo: number }
  | { tombstone: 'v2'; of: number }
  | { tombstone: 'other'; content: unknown };

const V0: Tombstone = { tombstone: 'v0' };

export function isTombstone(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  if (end - start < VERSION_AT || view.getUint32(start) !== WORD) return false;
  for (let i = 4; i < VERSION_AT; i++) if (bytes[start + i] !== TOMBSTONE[i]) return false;
  return true;
}

/** Of a value that is one. */
export function tombstoneOf(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): Tombstone {
  const length = end - start;
  if (length === VERSION_AT) return V0;
  if (length === WITH_FILE_BYTES) {
    const file = view.getUint32(start + VERSION_AT + 1);
    const version = bytes[start + VERSION_AT];
    if (version === 0x31) return { tombstone: 'v1', upTo: file };
    if (version === 0x32) return { tombstone: 'v2', of: file };
  }
  const told = Math.min(end, start + OTHER_BYTES_TOLD);
  return { tombstone: 'other', content: bytesValue(bytes, start, told) };
}
