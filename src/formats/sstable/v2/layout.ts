/**
 * Names, constants and offsets of the hardened table, shared by reader and writer. The layout is
 * drawn in docs/formats/sstable-v2.md; FORMAT.md beside this file is its page for `ddia formats`.
 *
 *     ┌────────┬──────┬─ ─ ─┬──────┬────────┬────────┬───────┬────────┬────────────┬────────┐
 *     │ header │ data │     │ data │ ranges │ filter │ index │ footer │ properties │ footer │
 *     └── 64 ──┴──────┴─ ─ ─┴──────┴────────┴────────┴───────┴─ 128 ──┴────────────┴─ 128 ──┘
 *
 * Little-endian. Everything begins at a multiple of 64, blocks are padded with zeros up to the
 * next.
 */
export const TABLE_NAME = /^(\d{6,10})\.sst2$/;
export const tableName = (number: number): string => `${String(number).padStart(6, '0')}.sst2`;

export const VERSION = 2;
export const ALIGN_BYTES = 64;

/**
 *      0       magic           "DDIASST2"
 *      8  u16  version         2
 *     10  u16  bytes           64
 *     12  u32  compatible      flags that a reader may ignore
 *     16  u32  incompatible    flags that a reader must know
 *     20  u32  block_bytes     of entries, after which a data block was closed
 *     24  u64  file_id         identity of the file
 *     32  u32  restart_every   entries between two whole keys
 *     36  u32  filter_bits     for each key; 0: there is no filter
 *     40       reserved        20 bytes of 0
 *     60  u32  crc             over bytes 0 to 60
 */
export const MAGIC = 'DDIASST2';
export const HEADER_BYTES = 64;
export const HEADER_CRC_AT = 60;

/**
 *      0  u32  head_crc        over bytes 4 to 32, seeded
 *      4  u32  body_crc        over bytes 32 to the block's end, padding included, seeded
 *      8  u8   kind
 *      9  u8   compression     0 none, 1 deflate
 *     10  u16  reserved        0
 *     12  u32  number          of blocks before this one
 *     16  u32  stored_bytes    of the payload
 *     20  u32  raw_bytes       of the payload, unpacked
 *     24  u32  entries
 *     28  u32  reserved        0
 *     32       payload, padding
 */
export const HEAD_BYTES = 32;
export const KIND = { data: 1, ranges: 2, filter: 3, index: 4, properties: 5 } as const;
export const KIND_NAMES = ['', 'data', 'range_deletions', 'filter', 'index', 'properties'] as const;
export const COMPRESSION_NAMES = ['none', 'deflate'] as const;
export const DEFLATE = 1;

/**
 * Payload of data and range deletions: entries, then u32 restarts (where keys stand whole), then
 * their count. An entry:
 *
 *     varint shared, varint unshared, varint value_length
 *     unshared bytes of the key
 *     u56 seq, u8 type (bit 7: a timestamp follows)
 *     f64 timestamp                       seconds since the epoch
 *     value
 */
export const SEQ_BYTES = 7;
export const TAG_BYTES = 8;
export const TIMED = 0x80;
/** Three lengths, and the tag. */
export const ENTRY_BYTES_MIN = 3 + TAG_BYTES;
export const RESTART_EVERY = 16;

/**
 * Payload of the index, for each data block: u32 offset / 64, u32 bytes, u32 entries, u32 length of
 * its last key, that key.
 */
export const INDEX_ENTRY_BYTES = 16;

/** Payload of the filter: u32 lines, u32 probes, 24 bytes of 0, lines of 64 bytes. */
export const FILTER_HEAD_BYTES = 32;
export const LINE_BYTES = 64;

/**
 * Payload of the properties.
 *
 *      0  u64  entries             range deletions not counted
 *      8  u64  deletions
 *     16  u64  merges
 *     24  u64  range_deletions
 *     32  u64  key_bytes
 *     40  u64  value_bytes
 *     48  u64  seq_first           lowest and highest, range deletions included; 0: no entries
 *     56  u64  seq_last
 *     64  u64  keys                different ones
 *     72  u32  first_key_length
 *     76  u32  last_key_length
 *     80       first key, last key
 */
export const PROPERTIES_BYTES = 80;
export const COUNTS = [
  'entries',
  'deletions',
  'merges',
  'range_deletions',
  'key_bytes',
  'value_bytes',
  'seq_first',
  'seq_last',
  'keys',
] as const;

/**
 *      0       magic           "DDIASSF2"
 *      8  u32  file_crc        the crc in the header
 *     12  u32  copy            1, 2
 *     16  u64  file_bytes
 *     24  u64  data_end        where the data blocks end
 *     32       ranges          u64 offset, u32 bytes; zeros: there is none
 *     44       filter
 *     56       index
 *     68       properties
 *     80  u64  entries         as the properties have it
 *     88  u32  data_blocks
 *     92  u32  block_bytes     as the header has it, and so the next
 *     96  u64  file_id
 *    104  u32  restart_every
 *    108  u32  filter_bits
 *    112       magic again     where who sees the last 64 bytes of a file alone finds it
 *    120       reserved        4 bytes of 0
 *    124  u32  crc             over bytes 0 to 124, seeded
 */
export const FOOTER_MAGIC = 'DDIASSF2';
export const FOOTER_BYTES = 128;
export const FOOTER_MAGIC_AGAIN_AT = 112;
export const FOOTER_CRC_AT = 124;
export const PLACES = ['ranges', 'filter', 'index', 'properties'] as const;
/** Where the first footer is looked for, from the end: it lies before the properties. */
export const FOOTER_SEARCH_BYTES = 4 * 1024 * 1024;

export const BLOCK_BYTES_DEFAULT = 4096;
/** More of them is one false answer in about 500, in one line of cache. */
export const FILTER_BITS_DEFAULT = 14;
export const KEY_BYTES_MAX = 1024 * 1024;
export const VALUE_BYTES_MAX = 32 * 1024 * 1024;
/** Offsets are counted in units of 64 in 32 bits. */
export const FILE_BYTES_MAX = 2 ** 32 * ALIGN_BYTES;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES;

/** What a checksum's register begins with: it knows its file and its place. */
export const seed = (fileCrc: number, offset: number): number =>
  ~(fileCrc ^ (offset / ALIGN_BYTES));
