/**
 * Index blocks: a separator and the handle of a block for each entry. Values may be encoded as the
 * difference to the block before, in entries whose key shares bytes with the one before.
 */
import { BlockShape, INTERNAL_BYTES } from './block.ts';
import { TRAILER_BYTES } from './constants.ts';
import { readVarint, unzigzag, varint } from './varint.ts';

export interface IndexStyle {
  /** Values are differences where they can be; entries then have no value length. */
  deltaValues: boolean;
  /** Separators are user keys, without sequence number and type. */
  userKeys: boolean;
  /** Each value ends with the first key of its block. */
  firstKeys: boolean;
  /** Bytes of a timestamp at the end of user keys. */
  timestampBytes: number;
}

/** Blocks by the index, in its order. */
export class IndexTable {
  count = 0;
  offsets = new Float64Array(64);
  sizes = new Float64Array(64);
  /** Separators as user keys, back to back; `ends` says where each ends. */
  keys: Uint8Array = new Uint8Array(4096);
  ends = new Float64Array(64);
  #keysEnd = 0;

  keyStart(i: number): number {
    return i === 0 ? 0 : this.ends[i - 1]!;
  }

  key(i: number): Uint8Array {
    return this.keys.subarray(this.keyStart(i), this.ends[i]);
  }

  add(offset: number, size: number, key: Uint8Array, keyEnd: number): void {
    const i = this.count;
    if (i >= this.offsets.length) {
      this.offsets = longer(this.offsets);
      this.sizes = longer(this.sizes);
      this.ends = longer(this.ends);
    }
    const end = this.#keysEnd + keyEnd;
    if (end > this.keys.length) {
      const more = new Uint8Array(2 * end);
      more.set(this.keys.subarray(0, this.#keysEnd));
      this.keys = more;
    }
    const { keys } = this;
    for (let k = 0, at = this.#keysEnd; k < keyEnd; k++) keys[at++] = key[k]!;
    this.#keysEnd = end;
    this.offsets[i] = offset;
    this.sizes[i] = size;
    this.ends[i] = end;
    this.count++;
  }

  /** The first entry whose separator is not before `key`. */
  seek(key: Uint8Array, sign = 1): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = Buffer.compare(this.key(middle), key) * sign;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function longer(from: Float64Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(2 * from.length);
  to.set(from);
  return to;
}

/** Reads the block [start, end) into `table`. Undefined: it is whole; else what is wrong. */
export function readIndexBlock(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  style: IndexStyle,
  limit: number,
  table: IndexTable,
): BlockShape | undefined {
  const shape = new BlockShape();
  if (!shape.read(view, start, end)) return shape;
  const stop = shape.entriesEnd;
  const { deltaValues, userKeys, firstKeys } = style;
  const bad = (at: number, why: string): BlockShape => {
    shape.fail(at, why);
    return shape;
  };
  const behind = (userKeys ? 0 : INTERNAL_BYTES) + style.timestampBytes;
  let key = new Uint8Array(256);
  let keyLength = 0;
  let p = start;
  let offset = 0;
  let size = 0;
  while (p < stop) {
    const at = p;
    p = readVarint(bytes, p, stop);
    const shared = varint.value;
    if (p > 0) p = readVarint(bytes, p, stop);
    const unshared = varint.value;
    if (p > 0 && !deltaValues) p = readVarint(bytes, p, stop);
    if (p < 0) return bad(at, 'the lengths of the entry are no varints');
    const valueLength = varint.value;
    if (shared > keyLength || p + unshared > stop)
      return bad(at, 'the lengths of the entry do not fit');
    const length = shared + unshared;
    if (length > key.length) {
      const more = new Uint8Array(2 * length);
      more.set(key.subarray(0, shared));
      key = more;
    }
    // Byte by byte: a separator is short, and there is one for each block.
    for (let i = 0; i < unshared; i++) key[shared + i] = bytes[p + i]!;
    keyLength = length;
    p += unshared;
    const valueAt = p;
    if (!userKeys && length < INTERNAL_BYTES) return bad(at, `a separator of ${length} bytes`);
    p = readVarint(bytes, p, stop);
    if (p > 0 && deltaValues && shared > 0) {
      offset += size + TRAILER_BYTES;
      size += unzigzag(varint.value);
    } else if (p > 0) {
      offset = varint.value;
      p = readVarint(bytes, p, stop);
      size = varint.value;
    }
    if (p > 0 && firstKeys) {
      p = readVarint(bytes, p, stop);
      if (p > 0) p += varint.value;
    }
    if (p < 0 || p > stop) return bad(valueAt, 'the value is no handle of a block');
    if (!deltaValues && p !== valueAt + valueLength) {
      return bad(valueAt, `a handle of ${p - valueAt} bytes in a value of ${valueLength}`);
    }
    if (size < 0 || offset + size + TRAILER_BYTES > limit) {
      return bad(valueAt, `points to ${offset} +${size}, the blocks end at ${limit}`);
    }
    table.add(offset, size, key, Math.max(0, length - behind));
  }
  return shape.checkRestarts(bytes, view, start) ? undefined : shape;
}
