/**
 * Comparing and copying spans of buffers in words: for spans of a few dozen bytes, as keys and
 * small values are, quicker than byte by byte, and than a call out of the language. Each buffer
 * comes with a DataView of the same memory.
 */

/** Above so many bytes a call to `set` is quicker than a loop. */
const LOOPED_BYTES_MAX = 256;

/** How many bytes two spans have in common from their beginnings on: `most` at most. */
export function sharedBytes(
  a: Uint8Array,
  aView: DataView,
  aStart: number,
  b: Uint8Array,
  bView: DataView,
  bStart: number,
  most: number,
): number {
  let i = 0;
  for (const last = most - 3; i < last; i += 4) {
    const different = aView.getInt32(aStart + i, true) ^ bView.getInt32(bStart + i, true);
    if (different !== 0) return i + ((31 - Math.clz32(different & -different)) >>> 3);
  }
  while (i < most && a[aStart + i] === b[bStart + i]) i++;
  return i;
}

/** As compareBytes does. */
export function compareSpans(
  a: Uint8Array,
  aView: DataView,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bView: DataView,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const both = aLength < bLength ? aLength : bLength;
  const shared = sharedBytes(a, aView, aStart, b, bView, bStart, both);
  return shared < both ? a[aStart + shared]! - b[bStart + shared]! : aLength - bLength;
}

/** Whether two spans of `length` bytes are the same. Keys that differ mostly do so at the end. */
export function sameSpan(
  a: Uint8Array,
  aView: DataView,
  aStart: number,
  b: Uint8Array,
  bView: DataView,
  bStart: number,
  length: number,
): boolean {
  if (length > 0 && a[aStart + length - 1] !== b[bStart + length - 1]) return false;
  return sharedBytes(a, aView, aStart, b, bView, bStart, length) === length;
}

/** Copies from[start, end) to `at`. The spans do not overlap. Returns where the copy ends. */
export function copySpan(
  from: Uint8Array,
  fromView: DataView,
  start: number,
  end: number,
  to: Uint8Array,
  toView: DataView,
  at: number,
): number {
  const length = end - start;
  if (length > LOOPED_BYTES_MAX) {
    to.set(from.subarray(start, end), at);
    return at + length;
  }
  let i = 0;
  for (const last = length - 15; i < last; i += 16) {
    toView.setInt32(at + i, fromView.getInt32(start + i, true), true);
    toView.setInt32(at + i + 4, fromView.getInt32(start + i + 4, true), true);
    toView.setInt32(at + i + 8, fromView.getInt32(start + i + 8, true), true);
    toView.setInt32(at + i + 12, fromView.getInt32(start + i + 12, true), true);
  }
  for (const last = length - 3; i < last; i += 4) {
    toView.setInt32(at + i, fromView.getInt32(start + i, true), true);
  }
  for (; i < length; i++) to[at + i] = from[start + i]!;
  return at + length;
}
