/** Heads of blocks, and the entries in them. See layout.ts. */
import { crc32c } from '../../../shared/crc32.ts';
import { copySpan } from '../../bytes/spans.ts';
import { type EntryBlock, isDeletion } from '../entry-block.ts';
import { DEFLATE, ENTRY_BYTES_MIN, HEAD_BYTES, seed, TAG_BYTES, TIMED } from './layout.ts';

/** A block's head, as far as it is to be believed. */
export class BlockHead {
  bodyCrc = 0;
  kind = 0;
  compression = 0;
  number = 0;
  storedBytes = 0;
  rawBytes = 0;
  entries = 0;

  /** Reads bytes[at, at + 32), which lie at `offset` of their file. False: that is no head. */
  read(bytes: Uint8Array, view: DataView, at: number, fileCrc: number, offset: number): boolean {
    const register = crc32c.update(seed(fileCrc, offset), bytes, view, at + 4, at + HEAD_BYTES);
    if (~register >>> 0 !== view.getUint32(at, true)) return false;
    this.bodyCrc = view.getUint32(at + 4, true);
    this.kind = bytes[at + 8]!;
    this.compression = bytes[at + 9]!;
    this.number = view.getUint32(at + 12, true);
    this.storedBytes = view.getUint32(at + 16, true);
    this.rawBytes = view.getUint32(at + 20, true);
    this.entries = view.getUint32(at + 24, true);
    return true;
  }
}

/** Writes the head of bytes[at, end), a block that lies at `offset`, padded already. */
export function sealBlock(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  fileCrc: number,
  offset: number,
  head: Omit<BlockHead, 'read' | 'bodyCrc'>,
): void {
  const begin = seed(fileCrc, offset);
  view.setUint32(at + 4, ~crc32c.update(begin, bytes, view, at + HEAD_BYTES, end), true);
  view.setUint16(at + 8, head.kind | (head.compression << 8), true);
  view.setUint16(at + 10, 0, true);
  view.setUint32(at + 12, head.number, true);
  view.setUint32(at + 16, head.storedBytes, true);
  view.setUint32(at + 20, head.rawBytes, true);
  view.setUint32(at + 24, head.entries, true);
  view.setUint32(at + 28, 0, true);
  view.setUint32(at, ~crc32c.update(begin, bytes, view, at + 4, at + HEAD_BYTES), true);
}

export function bodyCrcOf(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  fileCrc: number,
  offset: number,
): number {
  return ~crc32c.update(seed(fileCrc, offset), bytes, view, at + HEAD_BYTES, end) >>> 0;
}

export const isCompressed = (head: BlockHead): boolean => head.compression === DEFLATE;

/** What `varintAt` has read. */
export const varint = { value: 0 };

/** Reads an unsigned number of up to 32 bits; returns where it ends, -1: it does not. */
export function varintAt(bytes: Uint8Array, at: number, end: number): number {
  const first = at < end ? bytes[at]! : 255;
  if (first < 128) {
    varint.value = first;
    return at + 1;
  }
  return longVarintAt(bytes, at, end);
}

function longVarintAt(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let p = at;
  for (let shift = 0; shift <= 28 && p < end; shift += 7) {
    const byte = bytes[p++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) {
      varint.value = value;
      return value <= 0xffff_ffff ? p : -1;
    }
  }
  return -1;
}

/** Entries decoded into columns; what is wrong with the last block that was not whole. */
export class EntryDecoder {
  fault = '';
  /** Where in the payload. */
  faultAt = 0;
  #keys: Uint8Array = new Uint8Array(8192);
  #keysView = new DataView(this.#keys.buffer);

  /** Decodes bytes[start, end), a payload of `entries` entries. Values stay where they are. */
  decode(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    entries: number,
    into: EntryBlock,
  ): boolean {
    into.count = 0;
    const entriesEnd = this.#restarts(view, start, end);
    if (entriesEnd < 0) return false;
    if (entries > (entriesEnd - start) / ENTRY_BYTES_MIN) {
      return this.#fail(0, `${entries} entries in ${entriesEnd - start} bytes`);
    }
    into.reserve(entries);
    into.timestamps = undefined;
    into.valueBytes = bytes;
    const { keyStart, keyEnd, seqLow, seqHigh, types, valueStart, valueEnd } = into;
    let p = start;
    let key = 0;
    let before = 0;
    for (let i = 0; i < entries; i++) {
      const at = p;
      p = varintAt(bytes, p, entriesEnd);
      const shared = varint.value;
      if (p > 0) p = varintAt(bytes, p, entriesEnd);
      const unshared = varint.value;
      if (p > 0) p = varintAt(bytes, p, entriesEnd);
      const valueLength = varint.value;
      if (p < 0) return this.#fail(at - start, 'a length does not end');
      const keyBefore = key - before;
      if (shared > keyBefore) {
        return this.#fail(at - start, `${shared} bytes shared with a key of ${keyBefore}`);
      }
      const tag = p + unshared;
      const timed = tag + TAG_BYTES <= entriesEnd && bytes[tag + 7]! >= TIMED;
      const value = tag + TAG_BYTES + (timed ? 8 : 0);
      if (value + valueLength > entriesEnd) {
        return this.#fail(at - start, `an entry that ends at ${value + valueLength - start}`);
      }
      this.#reserve(key + shared + unshared, key);
      const keys = this.#keys;
      const keysView = this.#keysView;
      copySpan(keys, keysView, before, before + shared, keys, keysView, key);
      copySpan(bytes, view, p, tag, keys, keysView, key + shared);
      keyStart[i] = key;
      before = key;
      key += shared + unshared;
      keyEnd[i] = key;
      seqLow[i] = view.getUint32(tag, true);
      const tagHigh = view.getUint32(tag + 4, true);
      seqHigh[i] = tagHigh & 0xff_ffff;
      const type = (tagHigh >>> 24) & 0x7f;
      types[i] = type;
      if (timed || into.timestamps)
        this.#time(into, i, timed ? view.getFloat64(tag + 8, true) : NaN);
      valueStart[i] = hasValue(type, valueLength) ? value : -1;
      p = value + valueLength;
      valueEnd[i] = p;
    }
    if (p !== entriesEnd)
      return this.#fail(p - start, `${entriesEnd - p} bytes behind the entries`);
    into.keyBytes = this.#keys;
    into.count = entries;
    return true;
  }

  #time(into: EntryBlock, i: number, timestamp: number): void {
    if (!into.timestamps) {
      into.withTimestamps();
      into.timestamps!.fill(NaN, 0, i);
    }
    into.timestamps![i] = timestamp;
  }

  #reserve(bytes: number, used: number): void {
    if (bytes <= this.#keys.length) return;
    const grown = new Uint8Array(2 * bytes);
    grown.set(this.#keys.subarray(0, used));
    this.#keys = grown;
    this.#keysView = new DataView(grown.buffer);
  }

  /** Where the entries end. */
  #restarts(view: DataView, start: number, end: number): number {
    const count = end - start < 4 ? 0 : view.getUint32(end - 4, true);
    const entriesEnd = end - 4 - 4 * count;
    if (count > 0 && entriesEnd >= start) return entriesEnd;
    this.#fail(Math.max(0, end - start - 4), `${count} restarts in ${end - start} bytes`);
    return -1;
  }

  /** Each restart is the beginning of an entry whose key stands whole, and they ascend. */
  checkRestarts(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const count = view.getUint32(end - 4, true);
    const entriesEnd = end - 4 - 4 * count;
    let next = 0;
    for (let p = start, i = 0; p < entriesEnd; i++) {
      const isRestart = next < count && view.getUint32(entriesEnd + 4 * next, true) === p - start;
      let q = varintAt(bytes, p, entriesEnd);
      if (isRestart && varint.value !== 0) {
        return this.#fail(p - start, `restart ${next} is an entry without its whole key`);
      }
      if (isRestart) next++;
      else if (i === 0) return this.#fail(0, 'the first entry is no restart');
      q = varintAt(bytes, q, entriesEnd);
      const tag = varint.value;
      q = varintAt(bytes, q, entriesEnd);
      const timed = bytes[q + tag + 7]! >= TIMED ? 8 : 0;
      p = q + tag + TAG_BYTES + timed + varint.value;
    }
    return next === count || this.#fail(0, `restart ${next} is the beginning of no entry`);
  }

  #fail(at: number, fault: string): false {
    this.fault = fault;
    this.faultAt = at;
    return false;
  }
}

/** A deletion has no value; anything else has one, an empty one too. */
function hasValue(type: number, length: number): boolean {
  return length > 0 || !isDeletion(type);
}
