/**
 * Wire constants of the tables of LevelDB and RocksDB, shared by reader and writer. Little-endian.
 *
 *     block    payload, compression u8, checksum u32                       trailer of 5 bytes
 *     footer   LevelDB: metaindex handle, index handle, padding to 40, magic u64       48 bytes
 *              RocksDB: checksum type u8, the two handles padded to 40, version u32, magic    53
 *              from version 6: checksum type u8, 3e 00 7a 00, checksum u32, base u32,
 *                              metaindex size u32, 24 zeros, version u32, magic               53
 *
 * LevelDB: doc/table_format.md, table/format.h. RocksDB: table/format.h and .cc.
 */
export const TRAILER_BYTES = 5;
export const LEVELDB_FOOTER_BYTES = 48;
export const ROCKSDB_FOOTER_BYTES = 53;
export const HANDLES_BYTES = 40;
export const FOOTER_BYTES_MAX = ROCKSDB_FOOTER_BYTES;

/** Magic numbers as they lie at a file's end, in two halves, the low one first. */
export const LEVELDB_MAGIC = [0x8b80fb57, 0xdb477524] as const;
export const ROCKSDB_MAGIC = [0x85f4cff7, 0x88e241b7] as const;

/** What else ends in a magic number and is no table of these two. */
export const OTHER_MAGICS: Readonly<Record<string, string>> = {
  '8242229663bf9564': 'a plain table of RocksDB',
  '4f3418eb7a8f13b8': 'a plain table of RocksDB (legacy)',
  '926789d0c5f17873': 'a cuckoo table of RocksDB',
  f09faab3f09faab3: 'a table of Pebble’s own format',
};

export const VERSION_MIN = 2;
export const VERSION_MAX = 6;
/** From here on the footer has a checksum, and checksums know their place. */
export const VERSION_CONTEXT = 6;
export const EXTENDED_MAGIC = 0x007a003e;

export const CHECKSUM = { none: 0, crc32c: 1, xxhash: 2, xxhash64: 3, xxh3: 4 } as const;
export const CHECKSUM_NAMES = ['none', 'crc32c', 'xxhash', 'xxhash64', 'xxh3'] as const;

export const COMPRESSION_NAMES: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'snappy',
  2: 'zlib',
  3: 'bzip2',
  4: 'lz4',
  5: 'lz4hc',
  6: 'xpress',
  7: 'zstd',
  64: 'zstd',
};

/** Masking of CRC-32C, so that the checksum of bytes that hold checksums is a good one. */
export const CRC_MASK_DELTA = 0xa282ead8;

/** Names in the metaindex. */
export const PROPERTIES = 'rocksdb.properties';
export const PROPERTIES_OLD = 'rocksdb.stats';
export const INDEX = 'rocksdb.index';
export const DICTIONARY = 'rocksdb.compression_dict';
export const RANGE_DELETIONS = 'rocksdb.range_del';
export const FILTER = 'filter.';
export const FULL_FILTER = 'fullfilter.';
export const PARTITIONED_FILTER = 'partitionedfilter.';

/** Values of rocksdb.block.based.table.index.type. */
export const INDEX_TYPES = [
  'binary-search',
  'hash',
  'two-level',
  'binary-search-first-key',
] as const;
export const TWO_LEVEL = 2;
export const FIRST_KEY = 3;
