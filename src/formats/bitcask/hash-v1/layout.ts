/**
 * Wire constants of the textbook store with a hash index, shared by reader and writer.
 * Little-endian, no file header, records back to back:
 *
 *      0                8             12             16       16+k
 *     ┌────────────────┬─────────────┬──────────────┬────────┬─────────┐
 *     │   timestamp    │  key_size   │  value_size  │  key   │  value  │   value_size 0 deletes
 *     │      f64       │     u32     │     u32      │   k    │    v    │   the key
 *     └────────────────┴─────────────┴──────────────┴────────┴─────────┘
 *
 * Hint file, entries back to back:
 *
 *      0          4                12         16                24          28
 *     ┌──────────┬────────────────┬──────────┬────────────────┬───────────┬───────┐
 *     │ file_id  │     offset     │   size   │   timestamp    │ key_size  │  key  │
 *     │   u32    │      u64       │   u32    │      f64       │    u32    │   k   │
 *     └──────────┴────────────────┴──────────┴────────────────┴───────────┴───────┘
 */
export const TIMESTAMP_AT = 0;
export const TIMESTAMP_BYTES = 8;
export const KEY_SIZE_AT = 8;
export const VALUE_SIZE_AT = 12;
export const KEY_AT = 16;
/** Bytes of a record beside key and value. */
export const HEADER_BYTES = 16;
export const SIZE_MAX = 0xffff_ffff;

export const HINT_OFFSET_AT = 4;
export const HINT_SIZE_AT = 12;
export const HINT_TIMESTAMP_AT = 16;
export const HINT_KEY_SIZE_AT = 24;
export const HINT_KEY_AT = 28;
/** Bytes of a hint entry beside its key. */
export const HINT_HEADER_BYTES = 28;

/** A data file at or over this size is closed before the next write. */
export const FILE_BYTES_DEFAULT = 10 * 1024 * 1024;

/** A longer key is not believed in a search, unless intact records had longer ones. */
export const KEY_BYTES_PLAUSIBLE = 64 * 1024;

/** `000001.data`: six digits when written, any width when read. */
const DATA_NAME = /^(\d{1,15})\.data$/;
const HINT_NAME = /^(\d{1,15})\.hint$/;

export const dataName = (number: number): string => `${padded(number)}.data`;
export const hintName = (number: number): string => `${padded(number)}.hint`;
export const dataFile = (name: string): number | undefined => numberOf(DATA_NAME, name);
export const hintFile = (name: string): number | undefined => numberOf(HINT_NAME, name);

function padded(number: number): string {
  return String(number).padStart(6, '0');
}

function numberOf(pattern: RegExp, name: string): number | undefined {
  const match = pattern.exec(name);
  return match ? Number(match[1]) : undefined;
}
