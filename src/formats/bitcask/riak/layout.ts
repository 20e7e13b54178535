/**
 * Wire constants of Erlang Bitcask, shared by reader and writer; names and values as in
 * include/bitcask.hrl and src/bitcask_fileops.erl of https://github.com/basho/bitcask. Big-endian.
 *
 * Data file, records back to back:
 *
 *      0      4           8          10           14        14+k         14+k+v
 *     ┌──────┬───────────┬──────────┬────────────┬─────────┬────────────┐
 *     │ crc  │ timestamp │ key_size │ value_size │   key   │   value    │
 *     │ u32  │    u32    │   u16    │    u32     │    k    │     v      │
 *     └──────┴───────────┴──────────┴────────────┴─────────┴────────────┘
 *
 *     crc = CRC-32 over everything behind it, sizes included
 *
 * Hint file, entries back to back, the last one without a key:
 *
 *      0           4          6            10                    18       18+k
 *     ┌───────────┬──────────┬────────────┬─────────────────────┬────────┐
 *     │ timestamp │ key_size │ total_size │ tombstone │ offset  │  key   │
 *     │    u32    │   u16    │    u32     │   1 bit     63 bits │   k    │
 *     └───────────┴──────────┴────────────┴─────────────────────┴────────┘
 *      0           0          crc          any         2^63 - 1            the CRC entry, last
 *
 *     crc = CRC-32 over all entries before
 */
import type { RecordFrame } from '../record-check.ts';

export const TIMESTAMP_AT = 4;
export const KEY_SIZE_AT = 8;
export const VALUE_SIZE_AT = 10;
/** HEADER_SIZE */
export const HEADER_BYTES = 14;
export const KEY_AT = HEADER_BYTES;

export const FRAME: RecordFrame = {
  headBytes: HEADER_BYTES,
  coveredFrom: TIMESTAMP_AT,
  keyLengthAt: KEY_SIZE_AT,
  keyLengthBytes: 2,
  valueLengthAt: VALUE_SIZE_AT,
};

/** MAXKEYSIZE */
export const KEY_BYTES_MAX = 0xffff;
/** total_size of a hint entry, and so of a record, is 32 bits wide. */
export const RECORD_BYTES_MAX = 0xffff_ffff;
/** File numbers and timestamps are u32 in the key directory (c_src/bitcask_nifs.c). */
export const U32_MAX = 0xffff_ffff;

/** max_file_size (src/bitcask.app.src): a record that would lead beyond it begins a new file. */
export const FILE_BYTES_DEFAULT = 0x8000_0000;

/** Hint entry (HINT_RECORD_SZ). */
export const HINT_KEY_SIZE_AT = 4;
export const HINT_TOTAL_SIZE_AT = 6;
export const HINT_OFFSET_AT = 10;
export const HINT_HEAD_BYTES = 18;
/** The highest bit of the first half of tombstone and offset. */
export const HINT_TOMBSTONE = 0x8000_0000;
/** MAXOFFSET_V2 in two halves. */
export const CRC_ENTRY_OFFSET_HIGH = 0x7fff_ffff;
export const CRC_ENTRY_OFFSET_LOW = 0xffff_ffff;

/** `1.bitcask.data`: no zeros in front, since Bitcask makes the name from the number again. */
const DATA_NAME = /^(0|[1-9]\d{0,9})\.bitcask\.data$/;
const HINT_NAME = /^(0|[1-9]\d{0,9})\.bitcask\.hint$/;

export const dataName = (number: number): string => `${number}.bitcask.data`;
export const hintName = (number: number): string => `${number}.bitcask.hint`;

export const dataFile = (name: string): number | undefined => numberIn(DATA_NAME.exec(name));
export const hintFile = (name: string): number | undefined => numberIn(HINT_NAME.exec(name));

function numberIn(match: RegExpExecArray | null): number | undefined {
  const number = Number(match?.[1] ?? Number.NaN);
  return number <= U32_MAX ? number : undefined;
}
