/**
 * Wire constants of our B+tree file, shared by reader, writer and engine; FORMAT.md draws them.
 * Little-endian. Pages of one size; pages 0 and 1 are meta pages that are written in turn.
 */
import { CRC_INITIAL, crc32c } from '../../../shared/crc32.ts';

export const FILE_NAME = 'tree.bt2';
export const MAGIC = 'DDIABTR2';
export const VERSION = 2;

export const PAGE_BYTES_MIN = 512;
export const PAGE_BYTES_MAX = 32_768;
export const PAGE_BYTES_DEFAULT = 4096;

export function isPageSize(bytes: number): boolean {
  return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) === 0;
}

/** Pages 0 and 1; a tree has none below. */
export const META_PAGES = 2;
/** Fields of a meta page, its crc included; what follows is zero. Less than any disk's sector. */
export const META_BYTES = 128;
export const META_CRC_AT = 124;

/** Header of every page but the meta pages. */
export const HEADER_BYTES = 32;
export const PAGE_AT = 4;
export const KIND_AT = 8;
export const LEVEL_AT = 9;
export const COUNT_AT = 10;
/** The lowest byte that a cell takes; in an overflow page, bytes of the value. */
export const CELLS_AT = 12;
/** Bytes between cells that no cell has. */
export const GARBAGE_AT = 14;
export const TXN_AT = 16;
/** The child in front of the first key; the next page of a chain. Its crc behind it. */
export const LINK_AT = 24;
export const LINK_CRC_AT = 28;

export const INTERIOR = 1;
export const LEAF = 2;
export const OVERFLOW = 3;
export const FREELIST = 4;
/** Never held anything: what lies between pages that were taken and given back. */
export const BLANK = 5;

/** Leaf: key_length u16, value_length u16. */
export const LEAF_CELL_BYTES = 4;
/** In place of value_length: the value is in a chain of overflow pages. */
export const IN_OVERFLOW = 0xffff;
/** Instead of the value: its length u32, first page u32, that page's crc u32. */
export const OVERFLOW_REF_BYTES = 12;
/** Interior: key_length u16, child u32, crc of the child u32. */
export const INTERIOR_CELL_BYTES = 10;
export const SLOT_BYTES = 2;

/** An entry of the free list: page u32, transaction that freed it u64. */
export const FREE_ENTRY_BYTES = 12;

export const VALUE_BYTES_MAX = 256 * 1024 * 1024;
/** Two children a page, and as many pages as there are numbers. */
export const HEIGHT_MAX = 33;
export const PAGES_MAX = 0xffff_ffff;

/** At least four cells fit into a page, so that any split leaves two that are well filled. */
export function cellBytesMax(pageSize: number): number {
  return (pageSize - HEADER_BYTES) >> 2;
}

export function keyBytesMax(pageSize: number): number {
  return cellBytesMax(pageSize) - SLOT_BYTES - LEAF_CELL_BYTES - OVERFLOW_REF_BYTES;
}

/** Whether key and value stand in the leaf together. */
export function isInline(pageSize: number, keyBytes: number, valueBytes: number): boolean {
  return SLOT_BYTES + LEAF_CELL_BYTES + keyBytes + valueBytes <= cellBytesMax(pageSize);
}

export function storeSeed(storeId: bigint): number {
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(storeId);
  return crc32c.of(id);
}

/** Of a page, knowing whose it is and where it belongs. */
export function pageCrc(
  seed: number,
  page: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  pageSize: number,
): number {
  const register = CRC_INITIAL ^ seed ^ page;
  return ~crc32c.update(register, bytes, view, start + PAGE_AT, start + pageSize) >>> 0;
}

/** Below 2^53, as all transactions are that anyone will live to see. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}
