/**
 * Wire constants of SQLite's database file: https://www.sqlite.org/fileformat2.html. Big-endian;
 * pages are numbered from 1, and the first 100 bytes of page 1 are the header.
 */
export const MAGIC = 'SQLite format 3\0';
export const HEADER_BYTES = 100;

export const PAGE_SIZE_AT = 16;
export const WRITE_VERSION_AT = 18;
export const READ_VERSION_AT = 19;
export const RESERVED_AT = 20;
export const FRACTIONS_AT = 21;
export const CHANGE_COUNTER_AT = 24;
export const PAGE_COUNT_AT = 28;
export const FREELIST_AT = 32;
export const FREE_COUNT_AT = 36;
export const SCHEMA_FORMAT_AT = 44;
export const LARGEST_ROOT_AT = 52;
export const ENCODING_AT = 56;
export const INCREMENTAL_AT = 64;
export const VALID_FOR_AT = 92;
/** SQLITE_VERSION_NUMBER of the program that wrote last. */
export const WRITER_AT = 96;

/** The page that holds the byte at 1 GiB is never used: programs lock that byte. */
export const LOCK_BYTE_AT = 0x4000_0000;

/** Types of b-tree pages. */
export const INTERIOR_INDEX = 2;
export const INTERIOR_TABLE = 5;
export const LEAF_INDEX = 10;
export const LEAF_TABLE = 13;

/** Of a b-tree page's header. */
export const FREEBLOCK_AT = 1;
export const CELLS_AT = 3;
export const CONTENT_AT = 5;
export const FRAGMENTS_AT = 7;
export const RIGHT_CHILD_AT = 8;

/** Types of entries of the pointer map. */
export const PTR_ROOT = 1;
export const PTR_FREE = 2;
export const PTR_OVERFLOW_FIRST = 3;
export const PTR_OVERFLOW_MORE = 4;
export const PTR_BTREE = 5;
export const PTR_BYTES = 5;

export const ENCODINGS = ['', 'utf-8', 'utf-16le', 'utf-16be'] as const;

/** The tree of the schema: its root is page 1. */
export const SCHEMA_NAME = 'sqlite_schema';

/** A tree as deep as this has more pages than there are numbers (BTCURSOR_MAX_DEPTH). */
export const DEPTH_MAX = 20;
/** Payload of a cell: SQLite's own limit (SQLITE_MAX_LENGTH cannot be higher). */
export const PAYLOAD_MAX = 0x7fff_ffff;

export function isTablePage(type: number): boolean {
  return type === LEAF_TABLE || type === INTERIOR_TABLE;
}

export function isLeafPage(type: number): boolean {
  return type === LEAF_TABLE || type === LEAF_INDEX;
}

export function isBtreePage(type: number): boolean {
  return isTablePage(type) || type === INTERIOR_INDEX || type === LEAF_INDEX;
}
