/**
 * Snappy, the raw format: https://github.com/google/snappy/blob/main/format_description.txt. Read
 * by our own, which stops at a break and keeps what came before; written by snappyjs.
 *
 *     length   varint, of what comes out
 *     literal  size - 1 in 6 bits of the tag, or in one to four bytes behind it; the bytes
 *     copy     size in the tag; offset back in 11, 16 or 32 bits
 */
import { type BlockCodec, CodecFault, NO_BYTES, requirePackage, tooMuch } from './block-codec.ts';

interface Snappyjs {
  compress(bytes: Uint8Array): Uint8Array;
}

/** A copy yields 64 bytes at most for three. */
const TIMES_MAX = 64;

/** How many bytes the block says it unpacks to; -1: it does not say so in five bytes. */
export function snappyLength(source: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = source[start + i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length <= 0xffff_ffff ? length : -1;
  }
  return -1;
}

/**
 * Unpacks into `target` and returns how many bytes that makes. Nothing is trusted: where an element
 * leads past either end, or the block ends too soon, the answer is ~N, and N bytes came before.
 */
export function snappyDecompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  const length = snappyLength(source, start, end);
  if (length < 0 || length > target.length) return ~0;
  let p = start;
  while (source[p++]! >= 0x80);
  let at = 0;
  while (p < end) {
    const tag = source[p++]!;
    const kind = tag & 3;
    // A literal of 61 to 64 has its length in one to four bytes; copies have offsets of 1, 2 or 4.
    const more = kind === 0 ? Math.max(0, (tag >>> 2) - 59) : kind === 3 ? 4 : kind;
    if (p + more > end) return ~at;
    let number = 0;
    for (let i = more - 1; i >= 0; i--) number = number * 256 + source[p + i]!;
    p += more;
    if (kind === 0) {
      const size = (more > 0 ? number : tag >>> 2) + 1;
      const there = Math.min(size, end - p, length - at);
      if (there <= 16) for (let i = 0; i < there; i++) target[at + i] = source[p + i]!;
      else target.set(source.subarray(p, p + there), at);
      p += there;
      at += there;
      if (there < size) return ~at;
      continue;
    }
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = kind === 1 ? ((tag >>> 5) << 8) | number : number;
    if (offset === 0 || offset > at || at + size > length) return ~at;
    let from = at - offset;
    for (const to = at + size; at < to; ) target[at++] = target[from++]!;
  }
  return at === length ? at : ~at;
}

let writer: Snappyjs | undefined;

export const snappyBlock: BlockCodec = {
  decompress(bytes, bytesMax) {
    const out = new Uint8Array(lengthOf(bytes, bytesMax));
    const got = snappyDecompress(bytes, 0, bytes.length, out);
    if (got >= 0) return out;
    throw new CodecFault(`no Snappy: broken after ${~got} of ${out.length} bytes`);
  },
  decompressPart(bytes, bytesMax) {
    try {
      const out = new Uint8Array(lengthOf(bytes, bytesMax));
      const got = snappyDecompress(bytes, 0, bytes.length, out);
      return out.subarray(0, got < 0 ? ~got : got);
    } catch {
      return NO_BYTES;
    }
  },
  compress(bytes) {
    writer ??= requirePackage('snappyjs') as Snappyjs;
    return writer.compress(bytes);
  },
};

function lengthOf(bytes: Uint8Array, bytesMax: number): number {
  const length = snappyLength(bytes, 0, bytes.length);
  if (length < 0) throw new CodecFault('no Snappy: its length is cut off');
  if (length > bytes.length * TIMES_MAX) {
    throw new CodecFault(`${bytes.length} bytes of Snappy cannot become ${length}`);
  }
  if (length > bytesMax) throw tooMuch(bytesMax);
  return length;
}
