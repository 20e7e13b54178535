/**
 * Compression of a block at a time: synchronous, with a limit on what comes out, and never more
 * than a CodecFault thrown at bytes that are no such compression.
 */
import { createRequire } from 'node:module';

export interface BlockCodec {
  /** Throws a CodecFault for bad bytes and for more than `bytesMax` of output. */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
  /**
   * Of bytes that are cut off or broken: what comes out before the break. Nothing vouches for it,
   * since the checksum of a codec that has one is never reached. Never throws, and is absent where
   * a codec gives all or nothing.
   */
  decompressPart?(bytes: Uint8Array, bytesMax: number): Uint8Array;
  compress(bytes: Uint8Array): Uint8Array;
}

/** Bytes that cannot be decompressed; the message says why. */
export class CodecFault extends Error {}

/** They may be right, and ask for more than they are given. */
export class LimitFault extends CodecFault {}

export function tooMuch(bytesMax: number): LimitFault {
  return new LimitFault(`it decompresses to more than ${bytesMax} bytes`);
}

export const NO_BYTES = new Uint8Array(0);

/** A package that is loaded when it is needed first. */
export const requirePackage = createRequire(import.meta.url);

/** Runs code from outside: whatever it throws at bad bytes is a fault of the bytes. */
export function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecFault) throw error;
    throw new CodecFault(`${what}: ${(error as Error).message}`);
  }
}
