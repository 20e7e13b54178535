/** Deflate (RFC 1951), by Node's zlib, with a limit on what comes out. */
import * as zlib from 'node:zlib';
import { type BlockCodec, guarded, NO_BYTES, tooMuch } from './block-codec.ts';

export const deflateRaw: BlockCodec = {
  decompress(bytes, bytesMax) {
    return guarded('no deflate', () => {
      try {
        // The default chunk of 16 KiB would be joined again and again for a usual block.
        const chunkSize = Math.min(Math.max(bytes.length * 8, 16_384), 1_048_576);
        return zlib.inflateRawSync(bytes, { maxOutputLength: bytesMax, chunkSize });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch(bytesMax) : error;
      }
    });
  },
  decompressPart: inflatePart,
  compress: (bytes) => zlib.deflateRawSync(bytes),
};

/**
 * zlib throws away what it has when it comes to the break, but not where its input merely ends: so
 * the longest front that has no break in it is searched for, by halving.
 */
function inflatePart(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  const options = { maxOutputLength, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  const inflated = (length: number): Uint8Array | undefined => {
    try {
      return zlib.inflateRawSync(bytes.subarray(0, length), options);
    } catch {
      return undefined;
    }
  };
  const whole = inflated(bytes.length);
  if (whole) return whole;
  let best: Uint8Array = NO_BYTES;
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    const part = inflated(middle);
    if (part) {
      good = middle;
      best = part;
    } else bad = middle;
  }
  return best;
}

/**
 * Unpacks `length` bytes of raw deflate, or of deflate in a zlib frame; undefined: it is neither,
 * or makes another number of bytes.
 */
export function inflate(
  source: Uint8Array,
  length: number,
  dictionary?: Uint8Array,
): Uint8Array | undefined {
  const options = { maxOutputLength: length + 1, ...(dictionary && { dictionary }) };
  for (const unpack of [zlib.inflateRawSync, zlib.inflateSync]) {
    try {
      const bytes = unpack(source, options);
      if (bytes.length === length) return bytes;
    } catch {
      // The next one may understand it.
    }
  }
  return undefined;
}
