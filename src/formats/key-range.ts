/** Ranges of keys, compared as bytes. */
import type { DumpOptions } from './format.ts';

/** True where the key bytes[start, end) is in the range that the options give. */
export function keyInRange(
  bytes: Uint8Array,
  start: number,
  end: number,
  { from, to, prefix }: DumpOptions,
): boolean {
  const key = bytes.subarray(start, end);
  if (from && Buffer.compare(key, from) < 0) return false;
  if (to && Buffer.compare(key, to) >= 0) return false;
  return !prefix || Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}
