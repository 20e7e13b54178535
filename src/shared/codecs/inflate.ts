/** Deflate by Node's zlib, with a limit on what comes out. */
import { deflateRawSync, inflateRawSync, inflateSync } from 'node:zlib';

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
  for (const unpack of [inflateRawSync, inflateSync]) {
    try {
      const bytes = unpack(source, options);
      if (bytes.length === length) return bytes;
    } catch {
      // The next one may understand it.
    }
  }
  return undefined;
}

/** Raw deflate. */
export function deflate(source: Uint8Array): Uint8Array {
  return deflateRawSync(source);
}
