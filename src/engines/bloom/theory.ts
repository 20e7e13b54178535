/** How large a filter has to be, and how often it errs: Bloom 1970; Swamidass and Baldi 2007. */
import { DdiaError } from '../../shared/errors.ts';

export interface Size {
  /** Bits. */
  m: number;
  /** Bits that an item sets. */
  k: number;
}

/** 2^32 bits are 512 MiB. */
export const BITS_MAX = 2 ** 32 - 1;

/** The smallest filter that holds `items` and errs in `p` of its answers. */
export function optimalSize(items: number, p: number): Size {
  if (!Number.isSafeInteger(items) || items < 1) {
    throw new DdiaError('bad-option', `items must be 1 or more, not ${items}`, undefined, 2);
  }
  if (!(p > 0 && p < 1)) {
    throw new DdiaError('bad-option', `p must be between 0 and 1, not ${p}`, undefined, 2);
  }
  const m = Math.ceil((-items * Math.log(p)) / Math.LN2 ** 2);
  if (m > BITS_MAX) {
    throw new DdiaError('too-large', `${items} items at p = ${p} take ${m} bits, most ${BITS_MAX}`);
  }
  return { m, k: Math.max(1, Math.round((m / items) * Math.LN2)) };
}

/** How often a filter errs that holds `items`. */
export function falsePositives({ m, k }: Size, items: number): number {
  return (1 - Math.exp((-k * items) / m)) ** k;
}

/** How many items a filter holds of which so many bits are set. Infinity: all are. */
export function estimatedItems({ m, k }: Size, bitsSet: number): number {
  return bitsSet >= m ? Number.POSITIVE_INFINITY : (-m / k) * Math.log1p(-bitsSet / m);
}
