/** Snappy's block format, with the length of what comes out before it. */
import { type BlockCodec, CodecFault, guarded, requirePackage, tooMuch } from './codec.ts';

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
