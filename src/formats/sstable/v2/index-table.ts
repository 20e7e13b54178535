/** The index: where each data block lies, and its last key. In memory as it lies in the file. */
import { compareBytes } from '../entry-block.ts';
import { ALIGN_BYTES, INDEX_ENTRY_BYTES } from './layout.ts';

export class IndexTable {
  count = 0;
  /** In units of 64 bytes. */
  #places = new Uint32Array(64);
  #sizes = new Uint32Array(64);
  #entries = new Uint32Array(64);
  #keyStart = new Uint32Array(64);
  #keyEnd = new Uint32Array(64);
  #keys: Uint8Array = new Uint8Array(1024);
  #keysUsed = 0;

  /** Of an index block's payload, whose bytes are kept; undefined: that is none. */
  static read(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    entries: number,
  ): IndexTable | undefined {
    if (entries > (end - start) / INDEX_ENTRY_BYTES) return undefined;
    const table = new IndexTable();
    table.#reserve(entries);
    table.#keys = bytes;
    table.#keysUsed = end;
    let p = start;
    for (let i = 0; i < entries; i++) {
      if (p + INDEX_ENTRY_BYTES > end) return undefined;
      const length = view.getUint32(p + 12, true);
      const key = p + INDEX_ENTRY_BYTES;
      if (key + length > end) return undefined;
      table.#places[i] = view.getUint32(p, true);
      table.#sizes[i] = view.getUint32(p + 4, true);
      table.#entries[i] = view.getUint32(p + 8, true);
      table.#keyStart[i] = key;
      p = key + length;
      table.#keyEnd[i] = p;
    }
    table.count = entries;
    return p === end ? table : undefined;
  }

  add(offset: number, bytes: number, entries: number, lastKey: Uint8Array): void {
    this.#reserve(this.count + 1);
    const i = this.count++;
    this.#places[i] = offset / ALIGN_BYTES;
    this.#sizes[i] = bytes;
    this.#entries[i] = entries;
    const end = this.#keysUsed + lastKey.length;
    if (end > this.#keys.length) {
      const grown = new Uint8Array(2 * end);
      grown.set(this.#keys.subarray(0, this.#keysUsed));
      this.#keys = grown;
    }
    this.#keys.set(lastKey, this.#keysUsed);
    this.#keyStart[i] = this.#keysUsed;
    this.#keyEnd[i] = end;
    this.#keysUsed = end;
  }

  offset(i: number): number {
    return this.#places[i]! * ALIGN_BYTES;
  }

  /** Of the block with head and padding. */
  size(i: number): number {
    return this.#sizes[i]!;
  }

  entries(i: number): number {
    return this.#entries[i]!;
  }

  lastKey(i: number): Uint8Array {
    return this.#keys.subarray(this.#keyStart[i], this.#keyEnd[i]);
  }

  /** The first block whose last key is not before `key`; `count`: there is none. */
  seek(key: Uint8Array, start = 0, end = key.length): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [from, to] = [this.#keyStart[middle]!, this.#keyEnd[middle]!];
      if (compareBytes(this.#keys, from, to, key, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The payload of an index block. */
  encode(): Uint8Array {
    const keyBytes = this.#keyEnd.subarray(0, this.count).reduce((sum, end, i) => {
      return sum + end - this.#keyStart[i]!;
    }, 0);
    const bytes = new Uint8Array(this.count * INDEX_ENTRY_BYTES + keyBytes);
    const view = new DataView(bytes.buffer);
    let p = 0;
    for (let i = 0; i < this.count; i++) {
      const key = this.lastKey(i);
      view.setUint32(p, this.#places[i]!, true);
      view.setUint32(p + 4, this.#sizes[i]!, true);
      view.setUint32(p + 8, this.#entries[i]!, true);
      view.setUint32(p + 12, key.length, true);
      bytes.set(key, p + INDEX_ENTRY_BYTES);
      p += INDEX_ENTRY_BYTES + key.length;
    }
    return bytes;
  }

  #reserve(count: number): void {
    if (count <= this.#places.length) return;
    const room = Math.max(count, 2 * this.#places.length);
    const grown = (from: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
      const to = new Uint32Array(room);
      to.set(from);
      return to;
    };
    this.#places = grown(this.#places);
    this.#sizes = grown(this.#sizes);
    this.#entries = grown(this.#entries);
    this.#keyStart = grown(this.#keyStart);
    this.#keyEnd = grown(this.#keyEnd);
  }
}
