/**
 * Wire constants of bbolt's database file, as its page.go, db.go and bucket.go have them.
 * Little-endian on all machines in use; a page may go on in those behind it (`overflow`).
 *
 *     page     id u64, flags u16, count u16, overflow u32
 *     branch   count × (pos u32, ksize u32, page u64)           pos counts from the element
 *     leaf     count × (flags u32, pos u32, ksize u32, vsize u32)
 *     meta     magic u32, version u32, page_size u32, flags u32, root u64, sequence u64,
 *              freelist u64, high_water u64, txid u64, checksum u64 (FNV-1a of the bytes before)
 *     bucket   root u64, sequence u64, and with root 0 a page of its own
 */
export const PAGE_HEADER_BYTES = 16;
export const FLAGS_AT = 8;
export const COUNT_AT = 10;
export const OVERFLOW_AT = 12;

export const BRANCH = 1;
export const LEAF = 2;
export const META = 4;
export const FREELIST = 0x10;

export const ELEMENT_BYTES = 16;
export const BUCKET_FLAG = 1;
export const BUCKET_BYTES = 16;

export const MAGIC = 0xed0cdaed;
export const VERSION = 2;
/** Of a meta page, from the page's beginning. */
export const MAGIC_AT = 16;
export const VERSION_AT = 20;
export const PAGE_SIZE_AT = 24;
export const ROOT_AT = 32;
export const FREELIST_AT = 48;
export const HIGH_WATER_AT = 56;
export const TXID_AT = 64;
export const CHECKSUM_AT = 72;
export const META_BYTES = 80;

/** In the count of a free list: the count is in the first eight bytes behind the header. */
export const COUNT_ELSEWHERE = 0xffff;
/** A tree as deep as this has more pages than there are numbers; so have buckets in buckets. */
export const DEPTH_MAX = 40;
