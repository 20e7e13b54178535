/**
 * How large a Bloom filter is to be, and how good it then is. Bloom, "Space/Time Trade-offs in Hash
 * Coding with Allowable Errors", 1970.
 */
import { usageError } from '../../shared/errors.ts';

export interface Parameters {
  /** Bits. */
  m: number;
  /** Probes for each item. */
  k: number;
}

export const BITS_MAX = 0xffff_ffff;
export const PROBES_MAX = 1000;

/** The fewest bits, and the probes for them, for `n` items at a false-positive rate of `p`. */
export function optimal(n: number, p: number): Parameters {
  if (!(n >= 1) || !Number.isInteger(n)) {
    throw usageError(
      'bad-parameters',
      `the number of items must be an integer from 1 on, not ${n}`,
    );
  }
  if (!(p > 0 && p < 1)) {
    throw usageError('bad-parameters', `the false-positive rate lies between 0 and 1, not at ${p}`);
  }
  const m = Math.ceil((-n * Math.log(p)) / Math.LN2 ** 2);
  if (m > BITS_MAX) {
    throw usageError('bad-parameters', `${m} bits; the layout ends at ${BITS_MAX}`);
  }
  return { m, k: Math.max(1, Math.round((m / n) * Math.LN2)) };
}

/** The false-positive rate with `n` items in it. */
export function expectedRate({ m, k }: Parameters, n: number): number {
  return (1 - Math.exp((-k * n) / m)) ** k;
}

/** How many items there are, by how many bits are set. */
export function estimatedCount({ m, k }: Parameters, bitsSet: number): number {
  return bitsSet >= m ? Number.POSITIVE_INFINITY : (-m / k) * Math.log(1 - bitsSet / m);
}
