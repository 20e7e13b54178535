/** Snappy's block format, with the length of what comes out before it. */
import {
  type BlockCodec,
  CodecFault,
  guarded,
  NO_BYTES,
  requirePackage,
  tooMuch,
} from './codec.ts';

interface Snappyjs {
  uncompress(bytes: Uint8Array, most?: number): Uint8Array;
  compress(bytes: Uint8Array): Uint8Array;
}

let loaded: Snappyjs | undefined;

function snappyjs(): Snappyjs {
  loaded ??= requirePackage('snappyjs') as Snappyjs;
  return loaded;
}

export const snappyBlock: BlockCodec = {
  decompress(bytes, bytesMax) {
    const length = lengthOf(bytes);
    if (length > bytesMax) throw tooMuch(bytesMax);
    return guarded('no Snappy', () => snappyjs().uncompress(bytes));
  },
  decompressPart: snappyPart,
  compress: (bytes) => snappyjs().compress(bytes),
};

/** The varint at the front; a copy yields 64 bytes at most for three. */
function lengthOf(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5 && i < bytes.length; i++) {
    length += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! > 0x7f) continue;
    if (length <= bytes.length * 64) return length;
    throw new CodecFault(`${bytes.length} bytes of Snappy cannot become ${length}`);
  }
  throw new CodecFault('no Snappy: its length is cut off');
}

/**
 * Element by element, up to the first that is cut off or copies what is not there.
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
function snappyPart(bytes: Uint8Array, bytesMax: number): Uint8Array {
  let length: number;
  try {
    length = lengthOf(bytes);
  } catch {
    return NO_BYTES;
  }
  if (length > bytesMax) return NO_BYTES;
  const out = new Uint8Array(length);
  let count = 0;
  let at = 0;
  while (bytes[at++]! > 0x7f);
  while (at < bytes.length && count < length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    // A literal of 61 to 64 has its length in one to four bytes; copies have offsets of 1, 2 or 4.
    const more = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind;
    if (at + more > bytes.length) break;
    let number = 0;
    for (let i = 0; i < more; i++) number += bytes[at + i]! * 2 ** (8 * i);
    at += more;
    if (kind === 0) {
      const size = (more > 0 ? number : tag >> 2) + 1;
      const there = Math.min(size, bytes.length - at, length - count);
      out.set(bytes.subarray(at, at + there), count);
      count += there;
      at += there;
      if (there < size) break;
      continue;
    }
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = kind === 1 ? ((tag >> 5) << 8) | number : number;
    if (distance === 0 || distance > count || count + size > length) break;
    for (let i = 0; i < size; i++, count++) out[count] = out[count - distance]!;
  }
  return out.subarray(0, count);
}
