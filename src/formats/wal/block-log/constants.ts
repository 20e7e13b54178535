/**
 * Wire constants of the block log that LevelDB and RocksDB write, shared by reader and writer. The
 * names are those of db/log_format.h. A file is a row of blocks of 32 KiB, the last one may be
 * shorter:
 *
 *     block := fragment* trailer?      a trailer is too short for a header, and all zeros
 *
 *      0         4        6      7
 *     ┌─────────┬────────┬──────┬──────────┐
 *     │   crc   │ length │ type │   data   │
 *     │   u32   │  u16   │  u8  │  length  │
 *     └─────────┴────────┴──────┴──────────┘
 *      0         4        6      7            11
 *     ┌─────────┬────────┬──────┬────────────┬──────────┐
 *     │   crc   │ length │ type │ log_number │   data   │      recyclable
 *     │   u32   │  u16   │  u8  │    u32     │  length  │
 *     └─────────┴────────┴──────┴────────────┴──────────┘
 *
 *     crc = mask(CRC-32C over all from `type` on): `length` is outside it
 */
export const BLOCK_BYTES = 32768;

export const LENGTH_AT = 4;
export const TYPE_AT = 6;
export const LOG_NUMBER_AT = 7;

/** kHeaderSize and kRecyclableHeaderSize. */
export const HEADER_BYTES = 7;
export const RECYCLABLE_HEADER_BYTES = 11;

/** Reserved for preallocated space. */
export const ZERO_TYPE = 0;
export const FULL_TYPE = 1;
export const FIRST_TYPE = 2;
export const MIDDLE_TYPE = 3;
export const LAST_TYPE = 4;
/** kRecyclableFullType, the first of four: RocksDB, the header carries the log number. */
export const RECYCLABLE_FULL_TYPE = 5;
export const RECYCLABLE_LAST_TYPE = 8;
/** The types of RocksDB that hold no user data; each is one fragment. */
export const SET_COMPRESSION_TYPE = 9;
export const USER_DEFINED_TIMESTAMP_SIZE_TYPE = 10;
export const RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE = 11;
export const PREDECESSOR_WAL_INFO_TYPE = 130;
export const RECYCLE_PREDECESSOR_WAL_INFO_TYPE = 131;
/** kRecordTypeSafeIgnoreMask: readers may skip a type that they do not know if it has this bit. */
export const RECORD_TYPE_SAFE_IGNORE_MASK = 0x80;

export const TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'zero',
  1: 'full',
  2: 'first',
  3: 'middle',
  4: 'last',
  5: 'recyclable-full',
  6: 'recyclable-first',
  7: 'recyclable-middle',
  8: 'recyclable-last',
  9: 'set-compression',
  10: 'timestamp-sizes',
  11: 'recyclable-timestamp-sizes',
  130: 'predecessor-wal',
  131: 'recyclable-predecessor-wal',
};

/** A write batch begins with sequence (fixed64) and count (fixed32). */
export const BATCH_COUNT_AT = 8;
export const BATCH_HEADER_BYTES = 12;
/** Its smallest operation that takes a sequence number: a tag and the length of an empty key. */
export const OPERATION_BYTES_MIN = 2;

/** `000010.log`: six digits when written, any width when read. */
export const LOG_NAME = /^(\d{1,15})\.log$/;
export const MANIFEST_NAME = /^MANIFEST-(\d{1,15})$/;
