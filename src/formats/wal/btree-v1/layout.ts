/**
 * Wire constants of the B+tree's redo log, shared by reader and writer. Big-endian, no file header,
 * entries back to back:
 *
 *      0        4        8              12                        12+n
 *     ┌────────┬────────┬──────────────┬─────────────────────────┬────────┐
 *     │  seq   │  page  │ data_length  │  page image             │  crc   │
 *     │  u32   │  u32   │     u32      │  n                      │  u32   │
 *     └────────┴────────┴──────────────┴─────────────────────────┴────────┘
 *
 *     data_length = n, the tree's page size: a power of two from 512 to 65536
 *     crc         = CRC-32 over the image: neither seq nor page nor data_length are in it
 *
 * And of the page that an image is, see page.ts.
 */
export const SEQ_AT = 0;
export const PAGE_AT = 4;
export const DATA_LENGTH_AT = 8;
export const IMAGE_AT = 12;
export const CRC_BYTES = 4;

/** Bytes of an entry beside its image. */
export const OVERHEAD_BYTES = 16;

export const PAGE_BYTES_MIN = 512;
export const PAGE_BYTES_MAX = 65_536;
export const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

/** The log, and the tree beside it. */
export const FILE_NAME = 'btree.wal';
export const TREE_NAME = 'btree.db';

export function isPageSize(length: number): boolean {
  return length >= PAGE_BYTES_MIN && length <= PAGE_BYTES_MAX && (length & (length - 1)) === 0;
}
