/** The cells of a page, as places in its bytes. Reused: parse() fills it. */
import { compareKeys } from '../../wal/btree-v1/page.ts';
import {
  COUNT_AT,
  HEADER_BYTES,
  INTERNAL_CELL_BYTES,
  LEAF_CELL_BYTES,
  LINK_AT,
  TYPE_LEAF,
} from './layout.ts';

export class V1Page {
  bytes: Uint8Array = EMPTY;
  start = 0;
  type = 0;
  /** As the header has it. */
  count = 0;
  link = 0;
  leaf = false;
  /** Cells that lie within the page; less than `count` if parse returned false. */
  cells = 0;
  /** Bytes from the page's start up to the end of the last cell. */
  used = 0;
  keyStart: Int32Array = NONE;
  keyEnd: Int32Array = NONE;
  /** Where the value begins; or the child behind the key. */
  third: Float64Array = NO_THIRD;
  fourth: Int32Array = NONE;

  /**
   * Reads the page at `start` as a leaf, or as an internal page. False if its cells do not fit into
   * it.
   */
  parse(bytes: Uint8Array, view: DataView, start: number, size: number, leaf: boolean): boolean {
    this.bytes = bytes;
    this.start = start;
    this.leaf = leaf;
    this.type = bytes[start]!;
    this.count = view.getUint16(start + COUNT_AT);
    this.link = view.getUint32(start + LINK_AT);
    this.cells = 0;
    this.used = HEADER_BYTES;
    const { count } = this;
    if (this.keyStart.length < count) this.#grow(count);
    const { keyStart, keyEnd, third, fourth } = this;
    const end = start + size;
    const least = leaf ? LEAF_CELL_BYTES : INTERNAL_CELL_BYTES;
    if (HEADER_BYTES + count * least > size) return false;
    let p = start + HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      if (p + 2 > end) return false;
      const keyAt = p + 2;
      const behind = keyAt + view.getUint16(p);
      keyStart[i] = keyAt;
      keyEnd[i] = behind;
      if (leaf) {
        if (behind + 2 > end) return false;
        p = behind + 2 + view.getUint16(behind);
        third[i] = behind + 2;
        fourth[i] = p;
      } else {
        if (behind + 4 > end) return false;
        p = behind + 4;
        third[i] = view.getUint32(behind);
      }
      if (p > end) return false;
      this.cells = i + 1;
      this.used = p - start;
    }
    return true;
  }

  #grow(count: number): void {
    this.keyStart = new Int32Array(count);
    this.keyEnd = new Int32Array(count);
    this.third = new Float64Array(count);
    this.fourth = new Int32Array(count);
  }

  /** Child `i` of an internal page, from 0: one more than there are keys. */
  child(i: number): number {
    return i === 0 ? this.link : this.third[i - 1]!;
  }

  /** First cell whose key is not greater than the one before it; -1: all ascend. */
  disorder(): number {
    const { bytes, keyStart, keyEnd, cells } = this;
    for (let i = 1; i < cells; i++) {
      const a = keyStart[i - 1]!;
      const b = keyStart[i]!;
      if (compareKeys(bytes, a, keyEnd[i - 1]!, bytes, b, keyEnd[i]!) >= 0) return i;
    }
    return -1;
  }

  /** Of a leaf, of all values together. */
  get valueBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.cells; i++) bytes += this.fourth[i]! - this.third[i]!;
    return bytes;
  }

  compareTo(i: number, key: Uint8Array): number {
    return compareKeys(this.bytes, this.keyStart[i]!, this.keyEnd[i]!, key, 0, key.length);
  }

  /** First cell outside [low, high); -1: none. */
  outside(low: Uint8Array | undefined, high: Uint8Array | undefined): number {
    for (let i = 0; i < this.cells; i++) {
      if (low && this.compareTo(i, low) < 0) return i;
      if (high && this.compareTo(i, high) >= 0) return i;
    }
    return -1;
  }

  /** A copy. */
  key(i: number): Uint8Array {
    return this.bytes.slice(this.keyStart[i]!, this.keyEnd[i]!);
  }
}

const EMPTY = new Uint8Array(0);
const NONE = new Int32Array(0);
const NO_THIRD = new Float64Array(0);

/**
 * Whether a page that has just been read as an internal one is hardly anything else, whatever its
 * type says: where a leaf has the length of a value, it has the number of a page of the file.
 */
export function isInternal(page: V1Page, pageCount: number): boolean {
  if (page.cells === 0 || page.cells < page.count || page.disorder() >= 0) return false;
  for (let i = 1; i <= page.cells; i++) {
    if (page.child(i) >= 1 && page.child(i) < pageCount) return true;
  }
  return false;
}

/** True for a page that says: I am a leaf. */
export function saysLeaf(page: V1Page): boolean {
  return page.type === TYPE_LEAF;
}
