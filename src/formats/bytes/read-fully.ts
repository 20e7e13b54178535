/** Reading at a place, where a window that slides forward is not what is wanted. */
import type { ByteSource } from '../format.ts';

/** Fills target[0, length) from `position`, or as much of it as the file has; returns how much. */
export async function readFully(
  source: ByteSource,
  target: Uint8Array,
  length: number,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const pending = source.read(target, done, length - done, position + done);
    const got = typeof pending === 'number' ? pending : await pending;
    if (got <= 0) break;
    done += got;
  }
  return done;
}

/**
 * Bytes [position, position + length), or as many as there are. `length` is bounded by the
 * caller.
 */
export async function bytesAt(
  source: ByteSource,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const got = await readFully(source, bytes, length, position);
  return got === length ? bytes : bytes.subarray(0, got);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
