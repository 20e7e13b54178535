/**
 * xxHash over whole blocks: by @node-rs/xxhash, an optional dependency, where it is installed and
 * the block is long enough for the call to pay; else by our own.
 */
import { createRequire } from 'node:module';
import { r } from './mul64.ts';
import { xxh3 } from './xxh3.ts';
import { xxh32, xxh64 } from './xxhash.ts';

interface Native {
  xxh32(bytes: Uint8Array): number;
  xxh64(bytes: Uint8Array): bigint;
  xxh3: { xxh64(bytes: Uint8Array): bigint };
}

/** Below this a call out costs more than it saves. */
const NATIVE_FROM_BYTES = 400;
/** Loading it takes some milliseconds: only after so many bytes. */
const NATIVE_AFTER_BYTES = 1024 * 1024;

const require = createRequire(import.meta.url);
let native: Native | undefined;
let tried = false;
let hashed = 0;

function nativeFor(length: number): Native | undefined {
  if (length < NATIVE_FROM_BYTES) return undefined;
  hashed += length;
  if (!tried && hashed > NATIVE_AFTER_BYTES) {
    tried = true;
    try {
      native = require('@node-rs/xxhash') as Native;
    } catch {
      native = undefined;
    }
  }
  return native;
}

/** The low 32 bits of the hash of bytes [start, end), unsigned. */
export function xxh32Of(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  const fast = nativeFor(end - start);
  return fast ? fast.xxh32(bytes.subarray(start, end)) : xxh32(view, start, end);
}

export function xxh64Of(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  const fast = nativeFor(end - start);
  if (fast) return Number(fast.xxh64(bytes.subarray(start, end)) & 0xffff_ffffn);
  xxh64(view, start, end);
  return r.low >>> 0;
}

export function xxh3Of(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  const fast = nativeFor(end - start);
  if (fast) return Number(fast.xxh3.xxh64(bytes.subarray(start, end)) & 0xffff_ffffn);
  xxh3(view, start, end);
  return r.low >>> 0;
}
