/**
 * Wire constants of LMDB's data file, as mdb.c of 0.9 has them. Written in the byte order and word
 * size of the machine: little-endian with words of 64 bits is what is read here.
 *
 *     page      pgno u64, pad u16, flags u16, lower u16, upper u16 (overflow: pages u32)
 *     node      lo u16, hi u16, flags u16, ksize u16, key, data
 *     database  pad u32, flags u16, depth u16, branch u64, leaf u64, overflow u64, entries u64,
 *               root u64
 *     meta      magic u32, version u32, address u64, mapsize u64, free database, main database,
 *               last_page u64, txnid u64
 */
export const PAGE_HEADER_BYTES = 16;
export const PAD_AT = 8;
export const FLAGS_AT = 10;
export const LOWER_AT = 12;
export const UPPER_AT = 14;
/** Of an overflow page, in place of lower and upper. */
export const PAGES_AT = 12;

export const P_BRANCH = 1;
export const P_LEAF = 2;
export const P_OVERFLOW = 4;
export const P_META = 8;
/** Keys of one size back to back, without nodes. */
export const P_LEAF2 = 0x20;
/** Set in memory alone, or in pages within nodes. */
export const P_IGNORED = 0x10 | 0x40 | 0x4000 | 0x8000;

export const NODE_BYTES = 8;
export const F_BIGDATA = 1;
export const F_SUBDATA = 2;
export const F_DUPDATA = 4;

export const DB_BYTES = 48;
export const DB_REVERSEKEY = 2;
export const DB_DUPSORT = 4;
export const DB_INTEGERKEY = 8;
export const DB_INTEGERDUP = 0x20;
export const DB_REVERSEDUP = 0x40;

export const MAGIC = 0xbeefc0de;
export const VERSION = 1;
/** Of a meta page, from the page's beginning. */
export const MAGIC_AT = 16;
export const VERSION_AT = 20;
export const MAP_SIZE_AT = 32;
export const FREE_DB_AT = 40;
export const MAIN_DB_AT = 88;
export const LAST_PAGE_AT = 136;
export const TXNID_AT = 144;
export const META_BYTES = 152;

/** mdb.c: CURSOR_STACK. */
export const DEPTH_MAX = 32;

export const MAIN_NAME = '@main';
export const FREE_NAME = '@free';
