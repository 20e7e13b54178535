/**
 * Wire constants of the textbook store of segments, shared by reader and writer. Big-endian, no
 * file header, records back to back:
 *
 *      0        4            8             12       12+k
 *     ┌────────┬────────────┬──────────────┬────────┬─────────┐
 *     │  crc   │  key_size  │  value_size  │  key   │  value  │
 *     │  u32   │    u32     │     u32      │   k    │    v    │
 *     └────────┴────────────┴──────────────┴────────┴─────────┘
 *
 *     crc = CRC-32 over key, then value: the sizes are not in it
 *
 * Hint file, entries back to back:
 *
 *      0            4          8
 *     ┌────────────┬──────────┬────────┐
 *     │  key_size  │  offset  │  key   │   offset of the record in the segment
 *     │    u32     │   u32    │   k    │
 *     └────────────┴──────────┴────────┘
 */
import type { RecordFrame } from '../record-check.ts';

export const CRC_AT = 0;
export const KEY_SIZE_AT = 4;
export const VALUE_SIZE_AT = 8;
export const KEY_AT = 12;
/** Bytes of a record beside key and value. */
export const HEADER_BYTES = 12;
/** Bytes of a size. */
export const SIZE_BYTES = 4;
export const SIZE_MAX = 0xffff_ffff;

export const FRAME: RecordFrame = {
  headBytes: HEADER_BYTES,
  coveredFrom: KEY_AT,
  keyLengthAt: KEY_SIZE_AT,
  keyLengthBytes: 4,
  valueLengthAt: VALUE_SIZE_AT,
};

export const HINT_OFFSET_AT = 4;
export const HINT_KEY_AT = 8;
/** Bytes of a hint entry beside its key. */
export const HINT_HEADER_BYTES = 8;

/** The value that deletes its key: `__BITCASK_TOMBSTONE__`. */
export const TOMBSTONE: Uint8Array = new TextEncoder().encode('__BITCASK_TOMBSTONE__');

/** True for the tombstone at `bytes[start, end)`. */
export function isTombstone(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== TOMBSTONE.length || bytes[start] !== TOMBSTONE[0]) return false;
  for (let i = 1; i < TOMBSTONE.length; i++) if (bytes[start + i] !== TOMBSTONE[i]) return false;
  return true;
}

/** A segment at or over this size is closed before the next write. */
export const FILE_BYTES_DEFAULT = 1024 * 1024;

/** `segment_000001.dat`: six digits when written, any width when read. */
const DATA_NAME = /^segment_(\d{1,15})\.dat$/;
const HINT_NAME = /^segment_(\d{1,15})\.hint$/;

export const dataName = (number: number): string => `segment_${padded(number)}.dat`;
export const hintName = (number: number): string => `segment_${padded(number)}.hint`;
export const dataFile = (name: string): number | undefined => numberOf(DATA_NAME, name);
export const hintFile = (name: string): number | undefined => numberOf(HINT_NAME, name);

function padded(number: number): string {
  return String(number).padStart(6, '0');
}

function numberOf(pattern: RegExp, name: string): number | undefined {
  const match = pattern.exec(name);
  return match ? Number(match[1]) : undefined;
}
