/**
 * Wire constants of the textbook B+tree, shared by reader and writer. Big-endian, pages of one
 * size that the file does not tell:
 *
 *     page 0     root u32, height u32, total_keys u32, next_free u32, free_head u32, zeros
 *     leaf       1 u8, count u16, next_sibling u32, count × (klen u16, key, vlen u16, value)
 *     internal   0 u8, count u16, child u32, count × (klen u16, key, child u32)
 *     free       three zero bytes, next u32
 */
export const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;
export const PAGE_BYTES_DEFAULT = 4096;

/** In place of a page number: the last leaf's sibling, the end of the free list. */
export const NO_PAGE = 0xffff_ffff;

export const ROOT_AT = 0;
export const HEIGHT_AT = 4;
export const KEYS_AT = 8;
export const NEXT_FREE_AT = 12;
export const FREE_HEAD_AT = 16;
export const META_BYTES = 20;

export const COUNT_AT = 1;
/** The leaf's next sibling, the internal page's first child, the free page's next. */
export const LINK_AT = 3;
export const HEADER_BYTES = 7;

export const TYPE_LEAF = 1;
export const TYPE_INTERNAL = 0;

/** Bytes of a cell beside key and value, or beside the key. */
export const LEAF_CELL_BYTES = 4;
export const INTERNAL_CELL_BYTES = 6;

/** With two children a page, so many levels are more pages than there are numbers. */
export const HEIGHT_MAX = 32;

export const FILE_NAME = 'btree.db';
export const REDO_NAME = 'btree.wal';
