/**
 * The original Zstandard compiled to WebAssembly (@bokuweb/zstd-wasm, an optional dependency): some
 * three times as fast as our own reader, but it takes 10 ms to load, and time to be waited for. So
 * it is fetched after the first blocks, and used from the turn of the event loop on at which it is
 * there.
 */
import { createRequire } from 'node:module';

export interface Original {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level: number): Uint8Array;
  createDCtx(): number;
  decompressUsingDict(context: number, frame: Uint8Array, dictionary: Uint8Array): Uint8Array;
}

type Unpack = (frame: Uint8Array) => Uint8Array | undefined;

const FETCH_AFTER_BYTES = 512 * 1024;
/** It takes the memory that a frame asks for, and keeps it: large ones are for our own. */
const UNPACKED_BYTES_MAX = 1024 * 1024;
const NO_DICTIONARY = new Uint8Array(0);

const require = createRequire(import.meta.url);
let unpack: Unpack | undefined;
let fetching: Promise<Original | undefined> | undefined;
let unpacked = 0;

/** What unpacks one frame of which `length` bytes come, undefined: of bad bytes. */
export function originalFor(length: number): Unpack | undefined {
  if (unpack) return length <= UNPACKED_BYTES_MAX ? unpack : undefined;
  unpacked += length;
  if (unpacked >= FETCH_AFTER_BYTES) void fetchOriginal();
  return undefined;
}

/**
 * Fetches it now; undefined where it is not installed, and there is just our own. Never rejects.
 * Its init is called once and here only: a second one gives the package another memory some turns
 * later, while what it has called before goes on in the old one, so that zeros come out.
 */
export function fetchOriginal(): Promise<Original | undefined> {
  fetching ??= fetchIt();
  return fetching;
}

async function fetchIt(): Promise<Original | undefined> {
  try {
    const original = require('@bokuweb/zstd-wasm') as Original;
    await original.init();
    const context = original.createDCtx();
    unpack = (frame) => {
      try {
        return original.decompressUsingDict(context, frame, NO_DICTIONARY);
      } catch {
        return undefined; // our own reader says whether it is damaged
      }
    };
    return original;
  } catch {
    return undefined; // not installed, or it does not run here
  }
}
