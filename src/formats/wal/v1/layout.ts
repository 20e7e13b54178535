/**
 * Wire constants of the textbook log, shared by reader and writer. Little-endian, records back to
 * back:
 *
 *      0        4        8                16   17              21       21+k           25+k
 *     ┌────────┬────────┬────────────────┬────┬───────────────┬────────┬──────────────┬─────────┐
 *     │ length │  crc   │      seq       │ op │  key_length   │  key   │ value_length │  value  │
 *     │  u32   │  u32   │      u64       │ u8 │      i32      │   k    │     i32      │    v    │
 *     └────────┴────────┴────────────────┴────┴───────────────┴────────┴──────────────┴─────────┘
 *
 *     length = 21 + k + v, the bytes after itself
 *     crc    = CRC-32 over op, key, value: neither length nor seq nor the inner lengths are in it
 */
export const LENGTH_AT = 0;
export const CRC_AT = 4;
export const SEQ_AT = 8;
export const OP_AT = 16;
export const KEY_LENGTH_AT = 17;
export const KEY_AT = 21;

/** Bytes of a record beside key and value. */
export const OVERHEAD_BYTES = 25;
/** Bytes that `length` does not count: itself. */
export const LENGTH_FIELD_BYTES = 4;
/** `length` of a record with empty key and value. */
export const LENGTH_MIN = 21;

/** Op codes by number. */
export const OPS = ['', 'put', 'delete', 'commit', 'checkpoint'] as const;
export const OP_MAX = 4;
/** Puts and deletes are the ops up to here; those behind mark something. */
export const OP_DELETE = 2;

/** Default soft limit of a segment: a record is never split, the check runs after the write. */
export const SEGMENT_BYTES_DEFAULT = 10 * 1024 * 1024;

/** `000001.wal`: six digits when written, any width when read. */
export const SEGMENT_NAME = /^(\d{1,15})\.wal$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.wal`;
}
