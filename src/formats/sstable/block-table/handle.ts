/** Handles of blocks: offset and size of the payload, as two varints. */
import { TRAILER_BYTES } from './constants.ts';
import type { Handle } from './footer.ts';
import { readVarint, varint } from './varint.ts';

/** Undefined: it is none, or leads past `limit`. */
export function handleOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
): Handle | undefined {
  let p = readVarint(bytes, start, end);
  if (p < 0) return undefined;
  const offset = varint.value;
  p = readVarint(bytes, p, end);
  const size = varint.value;
  return p < 0 || offset + size + TRAILER_BYTES > limit ? undefined : { offset, size };
}
