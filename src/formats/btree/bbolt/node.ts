/** A branch or leaf page, with the pages that it goes on in, as places in one buffer. Reused. */
import { compareKeys } from '../../wal/btree-v1/page.ts';
import { u64 } from '../u64.ts';
import {
  BRANCH,
  COUNT_AT,
  ELEMENT_BYTES,
  FLAGS_AT,
  LEAF,
  OVERFLOW_AT,
  PAGE_HEADER_BYTES,
} from './layout.ts';

export class Node {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  id = 0;
  flags = 0;
  /** By the header, unless where keys and values lie proves another number. */
  count = 0;
  /** By the header. */
  stated = 0;
  overflow = 0;
  leaf = false;
  /** Elements that lie within the page. They are what is counted from 0 below. */
  elements = 0;
  /** Slots of those of a leaf that lie in it with their key, and whose value ends behind it. */
  readonly cut: number[] = [];
  /** Where the bytes of the page end. */
  end = 0;
  /** Their slots, unless all elements do. */
  #slots: number[] | undefined;
  /** Bytes of header, elements, keys and values. */
  used = 0;

  /** Reads the page at `start` whose bytes end at `end`. False if an element leads out of it. */
  parse(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
    this.elements = 0;
    this.cut.length = 0;
    this.#slots = undefined;
    this.used = PAGE_HEADER_BYTES;
    if (start + PAGE_HEADER_BYTES > end) return false;
    this.id = u64(view, start);
    this.flags = view.getUint16(start + FLAGS_AT, true);
    this.stated = view.getUint16(start + COUNT_AT, true);
    this.count = this.stated;
    this.overflow = view.getUint32(start + OVERFLOW_AT, true);
    this.leaf = (this.flags & LEAF) !== 0;
    if ((this.flags & (LEAF | BRANCH)) === 0) return true;
    if (this.stated > 0) this.count = this.#proved(end);
    const behind = start + PAGE_HEADER_BYTES + this.count * ELEMENT_BYTES;
    if (behind > end) return false;
    return this.#elements(behind, end);
  }

  /**
   * The number of elements. The first key lies right behind the last element, each key right behind
   * the value before it: so where these say another number than the header, the header is wrong.
   */
  #proved(end: number): number {
    const first = this.start + PAGE_HEADER_BYTES;
    if (first + ELEMENT_BYTES > end) return this.stated;
    const begin = this.keyStart(0);
    const count = (begin - first) / ELEMENT_BYTES;
    if (count === this.stated || !Number.isInteger(count) || begin > end) return this.stated;
    let at = begin;
    for (let i = 0; i < count; i++) {
      if (this.keyStart(i) !== at) return this.stated;
      at = this.leaf ? this.valueEnd(i) : this.keyEnd(i);
      if (at > end) return this.stated;
    }
    return count;
  }

  #elements(behind: number, end: number): boolean {
    const { count } = this;
    for (let slot = 0; slot < count; slot++) {
      // What is asked for next is what stands behind those that are known.
      this.#slots?.push(slot);
      const i = this.elements;
      const key = this.keyStart(i);
      const last = this.leaf ? this.valueEnd(i) : this.keyEnd(i);
      if (key < behind || last > end) {
        if (this.leaf && key >= behind && this.keyEnd(i) <= end) this.cut.push(slot);
        // Elements do not depend on each other: those behind it are as good as ever.
        if (this.#slots) this.#slots.pop();
        else this.#slots = Array.from({ length: slot }, (_, one) => one);
        continue;
      }
      this.elements++;
      this.used += ELEMENT_BYTES + last - key;
    }
    return this.elements === count;
  }

  /** Its place among the elements of the page. */
  slot(i: number): number {
    return this.#slots ? this.#slots[i]! : i;
  }

  #element(i: number): number {
    return this.#at(this.slot(i));
  }

  #at(slot: number): number {
    return this.start + PAGE_HEADER_BYTES + slot * ELEMENT_BYTES;
  }

  /** Of an element whose value is cut: where its key lies, and what there is of the value. */
  cutAt(slot: number): { flags: number; key: number; keyEnd: number; valueEnd: number } {
    const { view, end, count } = this;
    const at = this.#at(slot);
    const key = at + view.getUint32(at + 4, true);
    const keyEnd = key + view.getUint32(at + 8, true);
    // A value ends where the next key begins, if it is its length that is wrong.
    const next = this.#at(slot + 1);
    const following = slot + 1 < count ? next + view.getUint32(next + 4, true) : end;
    const valueEnd = following >= keyEnd && following < end ? following : end;
    return { flags: view.getUint32(at, true), key, keyEnd, valueEnd };
  }

  /** Bytes that header and elements say the page has; undefined: not all of them are in view. */
  get needed(): number | undefined {
    const { start, count, end } = this;
    if (this.#at(count) > end) return undefined;
    let last = this.#at(count);
    for (let slot = 0; slot < count; slot++) {
      const at = this.#at(slot);
      const key = at + this.view.getUint32(this.leaf ? at + 4 : at, true);
      const length = this.view.getUint32(this.leaf ? at + 8 : at + 4, true);
      const value = this.leaf ? this.view.getUint32(at + 12, true) : 0;
      last = Math.max(last, key + length + value);
    }
    return last - start;
  }

  elementFlags(i: number): number {
    return this.view.getUint32(this.#element(i), true);
  }

  keyStart(i: number): number {
    const at = this.#element(i);
    return at + this.view.getUint32(this.leaf ? at + 4 : at, true);
  }

  keyEnd(i: number): number {
    const at = this.#element(i);
    return this.keyStart(i) + this.view.getUint32(this.leaf ? at + 8 : at + 4, true);
  }

  /** Of a leaf; the value lies behind the key. */
  valueEnd(i: number): number {
    return this.keyEnd(i) + this.view.getUint32(this.#element(i) + 12, true);
  }

  /** Of a branch. */
  child(i: number): number {
    return u64(this.view, this.#element(i) + 8);
  }

  /** A copy. */
  key(i: number): Uint8Array {
    return this.bytes.slice(this.keyStart(i), this.keyEnd(i));
  }

  compare(i: number, key: Uint8Array): number {
    return compareKeys(this.bytes, this.keyStart(i), this.keyEnd(i), key, 0, key.length);
  }

  /** First element whose key is not greater than the one before it; -1: all ascend. */
  disorder(): number {
    for (let i = 1; i < this.elements; i++) {
      const { bytes } = this;
      const a = this.keyStart(i - 1);
      const order = compareKeys(
        bytes,
        a,
        this.keyEnd(i - 1),
        bytes,
        this.keyStart(i),
        this.keyEnd(i),
      );
      if (order >= 0) return i;
    }
    return -1;
  }
}
