/**
 * The page of a v1 B+tree, as far as its own bytes tell what it is. Big-endian:
 *
 *     metadata (page 0)   root u32, height u32, total_keys u32, next_free u32, free_head u32, zeros
 *     leaf                type u8 = 1, count u16, next_sibling u32, count × (key_length u16, key,
 *                         value_length u16, value)
 *     internal            type u8 = 0, count u16, child u32, count × (key_length u16, key,
 *                         child u32)
 *     free                three zero bytes, next u32: the same as an internal page without keys
 */
export const NO_PAGE = 0xffff_ffff;
export const META_BYTES = 20;
/** Type, count, and the first page number. */
export const HEADER_BYTES = 7;
export const COUNT_AT = 1;
export const LINK_AT = 3;

const TYPE_LEAF = 1;
const TYPE_INTERNAL = 0;
/** With two children a page, so many levels are more pages than numbers. */
const HEIGHT_MAX = 32;

export type PageKind = 'metadata' | 'leaf' | 'internal' | 'free' | 'unknown';

/** A look at the page image that is `bytes[start, start + size)`. Reused: look() fills it. */
export class PageView {
  kind: PageKind = 'unknown';
  count = 0;
  /** The leaf's next sibling, the internal page's first child, the free page's next. */
  link = 0;
  /** Of metadata: first page number never used. */
  nextFree = 0;
  /** First and last key as spans of `bytes`; firstStart -1: no keys. */
  firstStart = -1;
  firstEnd = -1;
  lastStart = -1;
  lastEnd = -1;
  /** Offset in the image behind the last cell. */
  used = 0;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  size = 0;

  look(bytes: Uint8Array, view: DataView, start: number, size: number): void {
    this.bytes = bytes;
    this.start = start;
    this.size = size;
    this.firstStart = -1;
    this.count = 0;
    this.kind = 'unknown';
    if (size < META_BYTES) return;
    const type = bytes[start]!;
    this.count = view.getUint16(start + COUNT_AT);
    this.link = view.getUint32(start + LINK_AT);
    if (type === TYPE_LEAF && this.#cells(view, true)) this.kind = 'leaf';
    else if (isMetadata(bytes, view, start, size)) {
      this.kind = 'metadata';
      this.nextFree = view.getUint32(start + 12);
    } else if (type === TYPE_INTERNAL && this.link !== 0) {
      if (this.count === 0) {
        this.kind = 'free';
        this.used = HEADER_BYTES;
      } else if (this.#cells(view, false)) this.kind = 'internal';
    }
  }

  /** True for a child of an internal page. */
  hasChild(view: DataView, page: number): boolean {
    if (this.link === page) return true;
    let p = this.start + HEADER_BYTES;
    for (let i = 0; i < this.count; i++) {
      p += 2 + view.getUint16(p);
      if (view.getUint32(p) === page) return true;
      p += 4;
    }
    return false;
  }

  /** Walks the cells; false if they do not fit into the page. */
  #cells(view: DataView, leaf: boolean): boolean {
    const end = this.start + this.size;
    let p = this.start + HEADER_BYTES;
    let keyStart = -1;
    let keyEnd = -1;
    let firstStart = -1;
    for (let i = 0; i < this.count; i++) {
      if (p + 2 > end) return false;
      keyStart = p + 2;
      keyEnd = keyStart + view.getUint16(p);
      if (keyEnd + (leaf ? 2 : 4) > end) return false;
      if (i === 0) {
        firstStart = keyStart;
        this.firstEnd = keyEnd;
      }
      p = leaf ? keyEnd + 2 + view.getUint16(keyEnd) : keyEnd + 4;
    }
    if (p > end) return false;
    this.firstStart = firstStart;
    this.lastStart = keyStart;
    this.lastEnd = keyEnd;
    this.used = p - this.start;
    return true;
  }
}

function isMetadata(bytes: Uint8Array, view: DataView, start: number, size: number): boolean {
  const root = view.getUint32(start);
  const height = view.getUint32(start + 4);
  const nextFree = view.getUint32(start + 12);
  const freeHead = view.getUint32(start + 16);
  if (root === 0 || root >= nextFree || height === 0 || height > HEIGHT_MAX) return false;
  if (freeHead !== NO_PAGE && (freeHead === 0 || freeHead >= nextFree)) return false;
  for (let p = start + META_BYTES; p < start + size; p++) if (bytes[p] !== 0) return false;
  return true;
}

/** Order of two keys, as bytes. */
export function compareKeys(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const most = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < most; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
