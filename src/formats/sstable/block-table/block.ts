/**
 * What a block of entries is made of, once it is unpacked:
 *
 *     entry    shared varint, unshared varint, value_length varint, key delta, value
 *     …
 *     restarts u32 each: where entries with whole keys begin
 *     [hash index of RocksDB: a bucket u8 each, their number u16]
 *     count    u32: restarts; the highest bit says that there is a hash index
 */
import { copySpan } from '../../bytes/spans.ts';
import type { EntryBlock } from '../entry-block.ts';
import { isKnownType } from '../entry-block.ts';
import { readVarint, varint } from './varint.ts';

const HASH_INDEX = 0x8000_0000;
/** Bytes of sequence number and type behind a user key. */
export const INTERNAL_BYTES = 8;
/** Keys of a block, written out, may have so many times its bytes. */
const KEYS_TIMES_MAX = 64;
const KEYS_BYTES_MIN = 1024 * 1024;

export class BlockShape {
  /** Where the entries end and the restarts begin. */
  entriesEnd = 0;
  restarts = 0;
  /** Buckets of the hash index; 0: there is none. */
  buckets = 0;
  /** What is wrong, and where in the block. */
  fault = '';
  faultAt = 0;

  /** Reads the block's end. */
  read(view: DataView, start: number, end: number): boolean {
    if (end - start < 4) return this.fail(start, `${end - start} bytes, a block has at least 4`);
    const word = view.getUint32(end - 4, true);
    let to = end - 4;
    this.buckets = 0;
    this.restarts = word;
    if (word >= HASH_INDEX) {
      this.restarts = word - HASH_INDEX;
      if (to - start < 2) return this.fail(end - 4, 'a hash index without a number of buckets');
      this.buckets = view.getUint16(to - 2, true);
      to -= 2 + this.buckets;
    }
    this.entriesEnd = to - 4 * this.restarts;
    if (this.entriesEnd < start) {
      return this.fail(end - 4, `${this.restarts} restarts do not fit into ${end - start} bytes`);
    }
    return true;
  }

  /** Restarts ascend from 0 and each begins an entry that shares nothing. */
  checkRestarts(bytes: Uint8Array, view: DataView, start: number): boolean {
    let last = -1;
    const { entriesEnd, restarts } = this;
    const size = entriesEnd - start;
    if (restarts === 0) return size === 0 || this.fail(entriesEnd, 'entries and no restart');
    for (let i = 0; i < restarts; i++) {
      const at = view.getUint32(entriesEnd + 4 * i, true);
      const first = i === 0 && at !== 0;
      if (first || at <= last || (at >= size && size > 0)) {
        const place = entriesEnd + 4 * i;
        const message = first ? 'expected 0' : `expected above ${last} and below ${size}`;
        return this.fail(place, `restart ${i} is ${at}, ${message}`);
      }
      if (size > 0 && bytes[start + at] !== 0) {
        return this.fail(
          start + at,
          `the entry at restart ${i} shares ${bytes[start + at]} bytes of a key`,
        );
      }
      last = at;
    }
    return true;
  }

  fail(at: number, why: string): false {
    this.faultAt = at;
    this.fault = why;
    return false;
  }
}

/** Reads blocks of internal keys into columns. */
export class BlockDecoder {
  readonly shape = new BlockShape();
  #keys: Uint8Array = new Uint8Array(64 * 1024);
  /** The sequence number that entries with number 0 have, in an ingested file. */
  globalHigh = 0;
  globalLow = 0;
  /** Bytes of a timestamp at the end of a user key. */
  timestampBytes = 0;

  /** Bytes [start, end) are a block. False: `shape.fault`; `out` has the entries before it. */
  decode(bytes: Uint8Array, view: DataView, start: number, end: number, out: EntryBlock): boolean {
    const { shape } = this;
    out.count = 0;
    if (!shape.read(view, start, end)) return false;
    const limit = shape.entriesEnd;
    const keysMax = Math.max(KEYS_BYTES_MIN, KEYS_TIMES_MAX * (end - start));
    let keys = this.#keys;
    out.keyBytes = keys;
    out.valueBytes = bytes;
    let keyView = out.keyView;
    let p = start;
    let at = 0;
    let lastAt = 0;
    let lastLength = 0;
    let i = 0;
    while (p < limit) {
      let shared = bytes[p]!;
      let unshared = bytes[p + 1]!;
      let valueLength = bytes[p + 2]!;
      const entryAt = p;
      if ((shared | unshared | valueLength) < 128) p += 3;
      else {
        p = this.#lengths(bytes, p, limit);
        if (p < 0) return shape.fail(entryAt, 'the lengths of the entry are no varints');
        ({ shared, unshared, valueLength } = this);
      }
      const length = shared + unshared;
      if (shared > lastLength || p + unshared + valueLength > limit || length < INTERNAL_BYTES) {
        return this.#wrong(entryAt, shared, unshared, valueLength, lastLength, limit);
      }
      if (at + length > keys.length) {
        if (at + length > keysMax) return shape.fail(entryAt, `keys of over ${keysMax} bytes`);
        const more = new Uint8Array(2 * (at + length));
        more.set(keys.subarray(0, at));
        keys = more;
        this.#keys = more;
        out.keyBytes = more;
        keyView = out.keyView;
      }
      const own = copySpan(keys, keyView, lastAt, lastAt + shared, keys, keyView, at);
      copySpan(bytes, view, p, p + unshared, keys, keyView, own);
      p += unshared;
      if (i >= out.keyStart.length) out.reserve(i + 1);
      const t = at + length - INTERNAL_BYTES;
      out.keyStart[i] = at;
      out.keyEnd[i] = t;
      out.types[i] = keys[t]!;
      out.seqLow[i] = keyView.getInt32(t + 1, true);
      out.seqHigh[i] = keyView.getUint32(t + 4, true) >>> 8;
      out.valueStart[i] = valueLength > 0 || valued(keys[t]!) ? p : -1;
      p += valueLength;
      out.valueEnd[i] = p;
      lastAt = at;
      lastLength = length;
      at += length;
      out.count = ++i;
    }
    if (this.globalHigh !== 0 || this.globalLow !== 0) this.#applyGlobal(out);
    if (this.timestampBytes > 0) this.#splitTimestamps(out);
    for (let k = 0; k < i; k++) {
      if (!isKnownType(out.types[k]!)) {
        return shape.fail(start, `entry ${k} has type ${out.types[k]}, which no table has`);
      }
    }
    return true;
  }

  /** Framing alone, without keys. */
  check(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const { shape } = this;
    if (!shape.read(view, start, end)) return false;
    const limit = shape.entriesEnd;
    let p = start;
    let last = 0;
    while (p < limit) {
      const entryAt = p;
      let shared = bytes[p]!;
      let unshared = bytes[p + 1]!;
      let valueLength = bytes[p + 2]!;
      if ((shared | unshared | valueLength) < 128) p += 3;
      else {
        p = this.#lengths(bytes, p, limit);
        if (p < 0) return shape.fail(entryAt, 'the lengths of the entry are no varints');
        ({ shared, unshared, valueLength } = this);
      }
      p += unshared + valueLength;
      if (shared > last || p > limit || shared + unshared < INTERNAL_BYTES) {
        return this.#wrong(entryAt, shared, unshared, valueLength, last, limit);
      }
      last = shared + unshared;
    }
    return shape.checkRestarts(bytes, view, start);
  }

  shared = 0;
  unshared = 0;
  valueLength = 0;

  #lengths(bytes: Uint8Array, from: number, end: number): number {
    let p = readVarint(bytes, from, end);
    this.shared = varint.value;
    if (p > 0) p = readVarint(bytes, p, end);
    this.unshared = varint.value;
    if (p > 0) p = readVarint(bytes, p, end);
    this.valueLength = varint.value;
    return p;
  }

  #wrong(
    at: number,
    shared: number,
    unshared: number,
    value: number,
    last: number,
    limit: number,
  ): false {
    const { shape } = this;
    if (shared > last) return shape.fail(at, `shares ${shared} bytes of a key of ${last}`);
    if (shared + unshared < INTERNAL_BYTES) {
      return shape.fail(at, `a key of ${shared + unshared} bytes; number and type alone have 8`);
    }
    return shape.fail(
      at,
      `key ${unshared} and value ${value} lead past the entries’ end by ${at + unshared + value - limit}`,
    );
  }

  #applyGlobal(out: EntryBlock): void {
    for (let i = 0; i < out.count; i++) {
      if (out.seqHigh[i] !== 0 || out.seqLow[i] !== 0) continue;
      out.seqHigh[i] = this.globalHigh;
      out.seqLow[i] = this.globalLow;
    }
  }

  /** The user-defined timestamp of eight bytes is no part of what people call the key. */
  #splitTimestamps(out: EntryBlock): void {
    out.withTimestamps();
    for (let i = 0; i < out.count; i++) {
      const end = out.keyEnd[i]! - this.timestampBytes;
      if (end < out.keyStart[i]!) continue;
      let value = 0;
      for (let j = 7; j >= 0; j--) value = value * 256 + out.keyBytes[end + j]!;
      out.timestamps![i] = value;
      out.keyEnd[i] = end;
    }
  }
}

/** Types whose empty value is a value all the same. */
function valued(type: number): boolean {
  return type !== 0 && type !== 7 && type !== 20;
}

/** Entries of a block of plain keys: metaindex and properties. */
export function plainEntries(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  visit: (key: Uint8Array, valueStart: number, valueEnd: number, entryAt: number) => void,
): BlockShape | undefined {
  const shape = new BlockShape();
  if (!shape.read(view, start, end)) return shape;
  const limit = shape.entriesEnd;
  let key: Uint8Array = new Uint8Array(0);
  let p = start;
  while (p < limit) {
    const at = p;
    p = readVarint(bytes, p, limit);
    const shared = varint.value;
    if (p > 0) p = readVarint(bytes, p, limit);
    const unshared = varint.value;
    if (p > 0) p = readVarint(bytes, p, limit);
    const valueLength = varint.value;
    if (p < 0 || shared > key.length || p + unshared + valueLength > limit) {
      shape.fail(at, 'the lengths of the entry do not fit');
      return shape;
    }
    const next = new Uint8Array(shared + unshared);
    next.set(key.subarray(0, shared));
    next.set(bytes.subarray(p, p + unshared), shared);
    key = next;
    p += unshared;
    visit(key, p, p + valueLength, at);
    p += valueLength;
  }
  return shape.checkRestarts(bytes, view, start) ? undefined : shape;
}
