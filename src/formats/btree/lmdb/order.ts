/** The order of keys, or of the values of one key, by the flags of their database. */
import { compareKeys } from '../../wal/btree-v1/page.ts';
import { DB_INTEGERDUP, DB_INTEGERKEY, DB_REVERSEDUP, DB_REVERSEKEY } from './layout.ts';

/** From the last byte on: REVERSEKEY, and integers, which are little-endian. */
export function isReversed(flags: number, dups: boolean): boolean {
  const mask = dups ? DB_REVERSEDUP | DB_INTEGERDUP : DB_REVERSEKEY | DB_INTEGERKEY;
  return (flags & mask) !== 0;
}

export function compareSpans(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
  reversed: boolean,
): number {
  if (!reversed) return compareKeys(a, aStart, aEnd, b, bStart, bEnd);
  const most = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 1; i <= most; i++) {
    const difference = a[aEnd - i]! - b[bEnd - i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
