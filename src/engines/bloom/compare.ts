/**
 * The filters side by side: bits for each item, and the rate that is measured against the
 * promise.
 */
import { BlockedFilter, blockedRate } from './blocked.ts';
import { CountingFilter } from './counting.ts';
import { CuckooFilter } from './cuckoo.ts';
import { expectedRate } from './parameters.ts';
import { BloomFilter } from './plain.ts';
import { ScalableFilter } from './scalable.ts';

export interface Compared {
  filter: string;
  bits: number;
  bitsPerItem: number;
  /** By theory, for as many items. */
  expected: number;
  /** Of probes for items that were never added. */
  measured: number;
  removes: boolean;
}

interface Filter {
  add(item: Uint8Array): void;
  has(item: Uint8Array): boolean;
}

/** Scalable filters begin with so many of their items. */
const SCALABLE_START = 8;

export function compareFilters(n: number, p: number, probes: number): Compared[] {
  const plain = BloomFilter.for(n, p);
  const blocked = BlockedFilter.for(n, p);
  const counting = CountingFilter.for(n, p);
  const scalable = new ScalableFilter(Math.max(1, Math.ceil(n / SCALABLE_START)), p);
  const cuckoo = CuckooFilter.for(n, p);
  const theory = expectedRate(plain, n);
  const filters: [string, Filter, () => number, number, boolean][] = [
    [
      'plain',
      { add: (item) => void plain.add(item), has: (item) => plain.has(item) },
      () => plain.m,
      theory,
      false,
    ],
    ['blocked', blocked, () => blocked.bits, blockedRate(blocked.lines, blocked.k, n), false],
    ['counting', counting, () => counting.m * 4, theory, true],
    ['scalable', scalable, () => scalable.bits, p, false],
    ['cuckoo', cuckoo, () => cuckoo.bits, Math.min(1, 8 / 2 ** cuckoo.fingerprintBits), true],
  ];
  return filters.map(([filter, made, bits, expected, removes]) => {
    for (let i = 0; i < n; i++) made.add(Buffer.from(`item-${i}`));
    let hits = 0;
    for (let i = 0; i < probes; i++) if (made.has(Buffer.from(`no-${i}`))) hits++;
    const total = bits();
    return {
      filter,
      bits: total,
      bitsPerItem: total / n,
      expected,
      measured: hits / probes,
      removes,
    };
  });
}
