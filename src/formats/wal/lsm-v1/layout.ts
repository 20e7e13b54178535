/**
 * Wire constants of the LSM tree's textbook log, shared by reader and writer. Big-endian, no file
 * header, records back to back:
 *
 *      0               4        4+k             8+k
 *     ┌───────────────┬────────┬───────────────┬─────────┐
 *     │  key_length   │  key   │ value_length  │  value  │   an empty value deletes the key
 *     │     u32       │   k    │     u32       │    v    │
 *     └───────────────┴────────┴───────────────┴─────────┘
 *
 * A record is two fields of one shape, a length and as many bytes: read from a value_length on,
 * keys and values trade places and every length still fits. familiar.ts tells the two readings
 * apart.
 */
export const KEY_AT = 4;
/** Bytes of a length. */
export const LENGTH_BYTES = 4;
/** Bytes of a record beside key and value. */
export const OVERHEAD_BYTES = 8;

/** The one file of the log. */
export const FILE_NAME = 'wal.log';

/** A longer key is not believed in a search, unless intact records had longer ones. */
export const KEY_BYTES_PLAUSIBLE = 64 * 1024;
