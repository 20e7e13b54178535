/**
 * Entries of a block, to bytes and back:
 *
 *     shared varint, unshared varint, flags u8, [seq u64], [timestamp f64], [value length varint],
 *     key delta, [value]
 */

import { readVarint, varint } from '../block-table/varint.ts';
import type { EntryBlock } from '../entry-block.ts';
import { HAS_SEQ, HAS_TIMESTAMP, HAS_VALUE, TYPE_MASK } from './layout.ts';

/** Keys of a block, written out, may have so many times its bytes. */
const KEYS_TIMES_MAX = 64;
const KEYS_BYTES_MIN = 1024 * 1024;
/** The most that stands before a key: three varints, flags, number and timestamp. */
const HEAD_BYTES_MAX = 32;

export class PayloadWriter {
  bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.bytes.buffer);
  length = 0;
  entries = 0;
  #lastAt = -1;
  #last = new Uint8Array(256);
  #lastLength = 0;

  reset(): void {
    this.length = 0;
    this.entries = 0;
    this.#lastLength = 0;
    this.#lastAt = -1;
  }

  add(block: EntryBlock, i: number): void {
    const { keyBytes, valueBytes } = block;
    const keyAt = block.keyStart[i]!;
    const keyLength = block.keyEnd[i]! - keyAt;
    const valueAt = block.valueStart[i]!;
    const valueLength = valueAt < 0 ? 0 : block.valueEnd[i]! - valueAt;
    this.#reserve(this.length + HEAD_BYTES_MAX + keyLength + valueLength);
    const last = this.#last;
    const most = Math.min(keyLength, this.#lastLength);
    let shared = 0;
    while (shared < most && last[shared] === keyBytes[keyAt + shared]) shared++;
    const timestamp = block.timestamps?.[i];
    const high = block.seqHigh[i]!;
    const low = block.seqLow[i]!;
    const seq = high !== 0 || low !== 0;
    const { bytes } = this;
    const view = this.#view;
    let p = this.#varint(this.length, shared);
    p = this.#varint(p, keyLength - shared);
    bytes[p++] =
      block.types[i]! |
      (seq ? HAS_SEQ : 0) |
      (timestamp === undefined ? 0 : HAS_TIMESTAMP) |
      (valueAt < 0 ? 0 : HAS_VALUE);
    if (seq) {
      view.setUint32(p, low, true);
      view.setUint32(p + 4, high, true);
      p += 8;
    }
    if (timestamp !== undefined) {
      view.setFloat64(p, timestamp, true);
      p += 8;
    }
    if (valueAt >= 0) p = this.#varint(p, valueLength);
    for (let j = shared; j < keyLength; j++) bytes[p++] = keyBytes[keyAt + j]!;
    if (valueLength > 48) bytes.set(valueBytes.subarray(valueAt, valueAt + valueLength), p);
    else for (let j = 0; j < valueLength; j++) bytes[p + j] = valueBytes[valueAt + j]!;
    this.length = p + valueLength;
    this.entries++;
    if (keyLength > last.length) this.#last = new Uint8Array(2 * keyLength);
    const keep = this.#last;
    const from = keep === last ? shared : 0;
    for (let j = from; j < keyLength; j++) keep[j] = keyBytes[keyAt + j]!;
    this.#lastLength = keyLength;
    this.#lastAt = 0;
  }

  /** The key that was added last; undefined: none since the last reset. */
  get lastKey(): Uint8Array | undefined {
    return this.#lastAt < 0 ? undefined : this.#last.subarray(0, this.#lastLength);
  }

  #varint(p: number, value: number): number {
    const { bytes } = this;
    let rest = value;
    while (rest >= 128) {
      bytes[p++] = (rest & 127) | 128;
      rest = Math.floor(rest / 128);
    }
    bytes[p++] = rest;
    return p;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    const more = new Uint8Array(2 * bytes);
    more.set(this.bytes.subarray(0, this.length));
    this.bytes = more;
    this.#view = new DataView(more.buffer);
  }
}

export class PayloadReader {
  fault = '';
  #keys: Uint8Array = new Uint8Array(64 * 1024);

  /** Bytes [start, end) hold `entries` entries. False: see `fault`. */
  read(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    entries: number,
    out: EntryBlock,
  ): boolean {
    out.count = 0;
    out.valueBytes = bytes;
    let keys = this.#keys;
    out.keyBytes = keys;
    const keysMax = Math.max(KEYS_BYTES_MIN, KEYS_TIMES_MAX * (end - start));
    let p = start;
    let at = 0;
    let lastAt = 0;
    let lastLength = 0;
    let stamped = false;
    let i = 0;
    while (p < end) {
      if (i >= entries) return this.#fail(`${end - p} bytes behind the ${entries} entries`);
      const entryAt = p;
      let shared = bytes[p]!;
      let unshared = bytes[p + 1]!;
      if ((shared | unshared) < 128) p += 2;
      else {
        p = readVarint(bytes, p, end);
        shared = varint.value;
        if (p > 0) p = readVarint(bytes, p, end);
        unshared = varint.value;
        if (p < 0) return this.#fail(`entry ${i} at ${entryAt - start}: no varints`);
      }
      if (p >= end) return this.#fail(`entry ${i} at ${entryAt - start} is cut`);
      const flags = bytes[p++]!;
      if (i >= out.keyStart.length) out.reserve(i + 1);
      let high = 0;
      let low = 0;
      if (flags & HAS_SEQ) {
        if (p + 8 > end) return this.#fail(`entry ${i} at ${entryAt - start} is cut`);
        low = view.getUint32(p, true);
        high = view.getUint32(p + 4, true);
        p += 8;
      }
      out.seqLow[i] = low;
      out.seqHigh[i] = high;
      if (flags & HAS_TIMESTAMP) {
        if (p + 8 > end) return this.#fail(`entry ${i} at ${entryAt - start} is cut`);
        if (!stamped) out.withTimestamps();
        stamped = true;
        out.timestamps![i] = view.getFloat64(p, true);
        p += 8;
      }
      let valueLength = 0;
      if (flags & HAS_VALUE) {
        valueLength = bytes[p]!;
        if (valueLength < 128) p++;
        else {
          p = readVarint(bytes, p, end);
          valueLength = varint.value;
        }
      }
      const length = shared + unshared;
      if (p < 0 || shared > lastLength || p + unshared + valueLength > end) {
        return this.#fail(`entry ${i} at ${entryAt - start}: its lengths lead past the block`);
      }
      if (at + length > keys.length) {
        if (at + length > keysMax) return this.#fail(`keys of over ${keysMax} bytes`);
        const more = new Uint8Array(2 * (at + length));
        more.set(keys.subarray(0, at));
        keys = more;
        this.#keys = more;
        out.keyBytes = more;
      }
      for (let j = 0; j < shared; j++) keys[at + j] = keys[lastAt + j]!;
      if (unshared > 48) keys.set(bytes.subarray(p, p + unshared), at + shared);
      else for (let j = 0; j < unshared; j++) keys[at + shared + j] = bytes[p + j]!;
      p += unshared;
      out.keyStart[i] = at;
      out.keyEnd[i] = at + length;
      out.types[i] = flags & TYPE_MASK;
      out.valueStart[i] = flags & HAS_VALUE ? p : -1;
      p += valueLength;
      out.valueEnd[i] = p;
      lastAt = at;
      lastLength = length;
      at += length;
      i++;
    }
    if (i !== entries) return this.#fail(`${i} entries, the block’s header says ${entries}`);
    if (!stamped) out.timestamps = undefined;
    out.count = i;
    return true;
  }

  #fail(why: string): false {
    this.fault = why;
    return false;
  }
}
