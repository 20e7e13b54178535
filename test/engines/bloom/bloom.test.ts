import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CountingFilter } from '../../../src/engines/bloom/counting.ts';
import { BloomFilter } from '../../../src/engines/bloom/plain.ts';
import { positionsOf } from '../../../src/engines/bloom/positions.ts';
import { ScalableFilter } from '../../../src/engines/bloom/scalable.ts';
import { falsePositives, optimalSize } from '../../../src/engines/bloom/theory.ts';
import { fixtureFiles, fixtureJson } from '../../support/memory.ts';

const item = (text: string | number): Uint8Array => Buffer.from(String(text));

describe('the golden file', () => {
  const golden = fixtureFiles('bloom/v1')['filter.bin']!;
  const { items, absent_sample: absent } = fixtureJson<{ items: number; absent_sample: string[] }>(
    'bloom/v1/expected.json',
  );

  it('is made again byte for byte', () => {
    const filter = BloomFilter.create(items, 0.01);
    for (let i = 0; i < items; i++) filter.add(item(`item-${i}`));
    expect(Buffer.from(filter.serialize()).equals(golden)).toBe(true);
  });

  it('is read, holds what was added, and little else', () => {
    const filter = BloomFilter.parse(golden);
    expect(filter.count).toBe(items);
    for (let i = 0; i < items; i++) expect(filter.has(item(`item-${i}`))).toBe(true);
    expect(absent.filter((one) => filter.has(item(one))).length).toBeLessThan(3);
    expect(Math.abs(filter.estimatedCount - items)).toBeLessThan(50);
    expect(filter.falsePositiveRate).toBeCloseTo(0.01, 2);
  });

  it('that is damaged is refused', () => {
    for (const length of [0, 11, golden.length - 1]) {
      expect(() => BloomFilter.parse(golden.subarray(0, length))).toThrow(/bytes/);
    }
    const head = Uint8Array.from(golden);
    head.set([0, 0, 0, 0]);
    expect(() => BloomFilter.parse(head)).toThrow(/m is 0/);
    const behind = Uint8Array.from(golden);
    behind[behind.length - 1]! |= 0x80;
    expect(() => BloomFilter.parse(behind)).toThrow(/behind the last/);
  });
});

describe('a plain filter', () => {
  it('has every position that integers of any size give', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 2 ** 32 - 1 }), (bytes, m) => {
        const into = new Float64Array(9);
        positionsOf(bytes, { m, k: 9 }, into);
        expect(into.every((one) => one >= 0 && one < m && Number.isInteger(one))).toBe(true);
      }),
    );
  });

  it('errs within a tenth of what theory says', () => {
    const count = 4000;
    const size = optimalSize(count, 0.02);
    const filter = BloomFilter.of(size);
    for (let i = 0; i < count; i++) filter.add(item(i));
    let wrong = 0;
    const asked = 60_000;
    for (let i = 0; i < asked; i++) if (filter.has(item(`no ${i}`))) wrong++;
    const expected = falsePositives(size, count);
    expect(Math.abs(wrong / asked / expected - 1)).toBeLessThan(0.1);
  });

  it('united with another holds what both held; with other parameters it cannot be', () => {
    const [a, b] = [BloomFilter.create(100, 0.01), BloomFilter.create(100, 0.01)];
    a.add(item('a'));
    b.add(item('b'));
    const both = a.union(b);
    expect([both.has(item('a')), both.has(item('b')), both.has(item('c'))]).toEqual([
      true,
      true,
      false,
    ]);
    expect(a.has(item('b'))).toBe(false);
    expect(() => a.union(BloomFilter.create(101, 0.01))).toThrow(/no union/);
  });
});

describe('a counting filter', () => {
  it('forgets what is removed and nothing else; an absent item changes nothing', () => {
    const filter = CountingFilter.create(200, 0.001);
    for (let i = 0; i < 200; i++) filter.add(item(i));
    for (let i = 0; i < 100; i++) filter.remove(item(i));
    for (let i = 100; i < 200; i++) expect(filter.has(item(i))).toBe(true);
    expect(filter.count).toBe(100);
    const before = Array.from({ length: filter.size.m }, (_, i) => filter.counter(i));
    expect(() => filter.remove(item('absent'))).toThrow(/not in the filter/);
    expect(Array.from({ length: filter.size.m }, (_, i) => filter.counter(i))).toEqual(before);
    for (let i = 100; i < 200; i++) filter.remove(item(i));
    expect(
      Array.from({ length: filter.size.m }, (_, i) => filter.counter(i)).every((n) => n === 0),
    ).toBe(true);
  });

  it('never lowers a counter that is full', () => {
    const filter = CountingFilter.create(10, 0.01);
    for (let i = 0; i < 20; i++) filter.add(item('often'));
    for (let i = 0; i < 20; i++) filter.remove(item('often'));
    expect(filter.has(item('often'))).toBe(true);
  });
});

describe('a scalable filter', () => {
  it('grows, and errs no more than it was made to', () => {
    const filter = new ScalableFilter(500, 0.02);
    for (let i = 0; i < 5000; i++) filter.add(item(i));
    for (let i = 0; i < 5000; i++) expect(filter.has(item(i))).toBe(true);
    expect(filter.slices.length).toBeGreaterThan(3);
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) if (filter.has(item(`no ${i}`))) wrong++;
    expect(wrong / 20_000).toBeLessThan(0.02);
  });
});
