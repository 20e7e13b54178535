/**
 * Compression of a block at a time: synchronous, with a limit on what comes out, and never more
 * than a CodecFault thrown at bytes that are no such compression.
 */
import { createRequire } from 'node:module';
import { DdiaError } from '../errors.ts';

export interface BlockDecoder {
  /** Throws a CodecFault for bad bytes and for more than `bytesMax` of output. */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
  /**
   * Of bytes that are cut off or broken: what comes out before the break. Nothing vouches for it,
   * since the checksum of a codec that has one is never reached. Never throws, and is absent where
   * a codec gives all or nothing.
   */
  decompressPart?(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

export interface BlockCodec extends BlockDecoder {
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

/**
 * What was packed is unpacked before anything relies on it: data that do not come back are lost.
 * Throws a DdiaError `codec-failed`. For codecs whose other half costs little beside this one.
 */
export function provedCodec(name: string, codec: BlockCodec): BlockCodec {
  return {
    ...codec,
    compress(bytes) {
      const packed = codec.compress(bytes);
      if (givesBack(codec, packed, bytes)) return packed;
      const what = `${name} made ${packed.length} bytes of ${bytes.length} that do not give them back`;
      throw new DdiaError('codec-failed', what, 'another --codec');
    },
  };
}

function givesBack(codec: BlockCodec, packed: Uint8Array, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(codec.decompress(packed, Math.max(1, bytes.length)), bytes) === 0;
  } catch {
    return false;
  }
}
