/** Keys from `low` to below `high`; undefined: from the first, to the last. */
export interface KeyRange {
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
}

export function inside({ low, high }: KeyRange, key: Uint8Array): boolean {
  if (low && Buffer.compare(key, low) < 0) return false;
  return !high || Buffer.compare(key, high) < 0;
}

export function overlaps({ low, high }: KeyRange, first: Uint8Array, last: Uint8Array): boolean {
  if (low && Buffer.compare(last, low) < 0) return false;
  return !high || Buffer.compare(first, high) < 0;
}
