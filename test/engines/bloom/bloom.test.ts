import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockedFilter } from '../../../src/engines/bloom/blocked.ts';
import { compareFilters } from '../../../src/engines/bloom/compare.ts';
import { CountingFilter } from '../../../src/engines/bloom/counting.ts';
import { CuckooFilter } from '../../../src/engines/bloom/cuckoo.ts';
import { optimal } from '../../../src/engines/bloom/parameters.ts';
import { BloomFilter } from '../../../src/engines/bloom/plain.ts';
import { ScalableFilter } from '../../../src/engines/bloom/scalable.ts';
import { root } from '../../support/memory.ts';

const item = (text: string): Uint8Array => Buffer.from(text);
const golden = readFileSync(join(root, 'fixtures/bloom/v1/filter.bin'));

describe('the golden filter', () => {
  it('is written again byte for byte', () => {
    const filter = BloomFilter.for(1000, 0.01);
    for (let i = 0; i < 1000; i++) filter.add(item(`item-${i}`));
    expect(Buffer.from(filter.serialize()).equals(golden)).toBe(true);
  });

  it('has its items, and few others', () => {
    const filter = BloomFilter.parse(golden);
    for (let i = 0; i < 1000; i++) expect(filter.has(item(`item-${i}`))).toBe(true);
    let hits = 0;
    for (let i = 0; i < 10_000; i++) if (filter.has(item(`no-${i}`))) hits++;
    expect(hits).toBeLessThan(150);
    expect(hits).toBeGreaterThan(60);
    expect(Math.abs(filter.stat().estimatedCount! - 1000)).toBeLessThan(30);
  });

  it('that is damaged is refused, not misread', () => {
    const broken = (change: (bytes: Buffer) => Buffer) => () =>
      BloomFilter.parse(change(Buffer.from(golden)));
    expect(broken((b) => b.subarray(0, 5))).toThrow('header');
    expect(broken((b) => b.subarray(0, 500))).toThrow('bits take');
    const noProbes = Buffer.from(golden);
    noProbes.writeUInt32LE(0, 4);
    expect(() => BloomFilter.parse(noProbes)).toThrow('0 probes');
    const beyond = Buffer.from(golden);
    beyond[beyond.length - 1] = 0xff;
    expect(() => BloomFilter.parse(beyond)).toThrow('behind the last');
  });
});

describe('filters', () => {
  it('have no false negatives', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 80 }), (items) => {
        const made = [
          BloomFilter.for(items.length, 0.05),
          CountingFilter.for(items.length, 0.05),
          new ScalableFilter(8, 0.05),
          BlockedFilter.for(items.length, 0.05),
          CuckooFilter.for(items.length + 8, 0.01),
        ];
        for (const filter of made) {
          for (const text of items) filter.add(item(text));
          for (const text of items) expect(filter.has(item(text))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('unite when their parameters are equal', () => {
    const a = BloomFilter.for(100, 0.01);
    const b = BloomFilter.for(100, 0.01);
    a.add(item('x'));
    b.add(item('y'));
    const union = a.union(b);
    expect([union.has(item('x')), union.has(item('y')), union.count]).toEqual([true, true, 2]);
    expect(() => a.union(BloomFilter.for(200, 0.01))).toThrow('no union');
  });

  it('counting: what is removed is gone; what is absent changes nothing; what is full stays', () => {
    const filter = CountingFilter.for(50, 0.01);
    filter.add(item('a'));
    filter.add(item('b'));
    filter.remove(item('a'));
    expect([filter.has(item('a')), filter.has(item('b'))]).toEqual([false, true]);
    const before = filter.counters.slice();
    expect(() => filter.remove(item('never'))).toThrow('nothing was removed');
    expect(filter.counters).toEqual(before);
    for (let i = 0; i < 40; i++) filter.add(item('c'));
    for (let i = 0; i < 40; i++) filter.remove(item('c'));
    // Its counters stopped at 15: nobody knows any more, and it stays.
    expect(filter.has(item('c'))).toBe(true);
  });

  it('scalable: stays below its rate as it grows', () => {
    const filter = new ScalableFilter(100, 0.02);
    for (let i = 0; i < 5000; i++) filter.add(item(`item-${i}`));
    expect(filter.slices.length).toBeGreaterThan(4);
    let hits = 0;
    for (let i = 0; i < 10_000; i++) if (filter.has(item(`no-${i}`))) hits++;
    expect(hits / 10_000).toBeLessThan(0.02);
  });

  it('cuckoo: removes, and says when it is full', () => {
    const filter = CuckooFilter.for(100, 0.01);
    filter.add(item('a'));
    expect(filter.remove(item('a'))).toBe(true);
    expect([filter.has(item('a')), filter.remove(item('a'))]).toEqual([false, false]);
    expect(() => {
      for (let i = 0; i < 1000; i++) filter.add(item(`item-${i}`));
    }).toThrow('full');
  });

  it('measure what theory says, within a fifth', () => {
    for (const { filter, expected, measured } of compareFilters(4000, 0.02, 20_000)) {
      if (filter === 'scalable' || filter === 'cuckoo')
        expect(measured, filter).toBeLessThan(expected * 1.1);
      else expect(Math.abs(measured / expected - 1), filter).toBeLessThan(0.2);
    }
  });

  it('refuse what cannot be', () => {
    expect(() => optimal(0, 0.1)).toThrow('items');
    expect(() => optimal(10, 1)).toThrow('rate');
    expect(() => optimal(1e12, 0.0001)).toThrow('bits');
    expect(optimal(1000, 0.01)).toEqual({ m: 9586, k: 7 });
  });
});
