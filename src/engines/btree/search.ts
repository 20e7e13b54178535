/**
 * Binary search in a page, four bytes a step: the key that is looked for is copied once to where it
 * can be read as numbers.
 */
import {
  HEADER_BYTES,
  INTERIOR_CELL_BYTES,
  keyBytesMax,
  LEAF_CELL_BYTES,
  PAGE_BYTES_MAX,
  SLOT_BYTES,
} from '../../formats/btree/v2/layout.ts';
import type { Frame } from './frame.ts';

const KEY_BYTES_MAX = keyBytesMax(PAGE_BYTES_MAX);

export class SearchKey {
  readonly bytes = Buffer.alloc(KEY_BYTES_MAX);
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  length = 0;

  /** False if no page can have such a key. */
  set(key: Uint8Array): boolean {
    if (key.length > KEY_BYTES_MAX) return false;
    this.bytes.set(key);
    this.length = key.length;
    return true;
  }

  /** The cell with the key, or ~ of where it would be. */
  inLeaf(frame: Frame): number {
    const { view, bytes } = frame;
    let low = 0;
    let high = frame.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = view.getUint16(HEADER_BYTES + middle * SLOT_BYTES, true);
      const order = this.#compare(bytes, view, at + LEAF_CELL_BYTES, view.getUint16(at, true));
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return ~low;
  }

  /** Number of the child below which the key is: the last whose separator is not greater. */
  inInterior(frame: Frame): number {
    const { view, bytes } = frame;
    let low = 0;
    let high = frame.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = view.getUint16(HEADER_BYTES + middle * SLOT_BYTES, true);
      const length = view.getUint16(at, true);
      if (this.#compare(bytes, view, at + INTERIOR_CELL_BYTES, length) <= 0) low = middle + 1;
      else high = middle - 1;
    }
    return low;
  }

  /** Order of the key in the page to this one. */
  #compare(bytes: Buffer, view: DataView, at: number, length: number): number {
    const mine = this.view;
    const most = length < this.length ? length : this.length;
    let i = 0;
    for (const last = most - 3; i < last; i += 4) {
      const a = view.getInt32(at + i);
      const b = mine.getInt32(i);
      if (a !== b) return a >>> 0 < b >>> 0 ? -1 : 1;
    }
    for (; i < most; i++) {
      const order = bytes[at + i]! - this.bytes[i]!;
      if (order !== 0) return order;
    }
    return length - this.length;
  }
}
