// The first values in order, without sorting them all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectFirst } from '../../src/shared/select-first.ts';

const ascending = (a: number, b: number) => a - b;

describe('selectFirst', () => {
  it('gives what sorting them all would give', () => {
    const values = fc.uniqueArray(fc.nat(5000), { maxLength: 300 });
    fc.assert(
      fc.property(values, fc.nat(320), fc.boolean(), (given, count, reverse) => {
        const compare = reverse ? (a: number, b: number) => b - a : ascending;
        const most = Math.min(count, given.length);
        const first = selectFirst(Uint32Array.from(given), most, compare);
        expect([...first]).toEqual([...given].sort(compare).slice(0, most));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['in order', (i: number) => i],
    ['in the reverse order', (i: number) => 99_999 - i],
    ['up and down', (i: number) => (i % 2 === 0 ? i : 99_999 - i + (i % 2))],
    ['mixed', (i: number) => (i * 7919) % 100_000],
  ])('compares few of many values that come %s', (_, of) => {
    const values = new Uint32Array(100_000).map((__, i) => of(i));
    const expected = values.slice().sort().slice(0, 10);
    let compared = 0;
    const first = selectFirst(values, 10, (a, b) => {
      compared++;
      return a - b;
    });
    expect(first).toEqual(expected);
    expect(compared).toBeLessThan(10 * values.length);
  });

  it('does not become slow where values are placed to make it so', () => {
    // Whatever is asked for as a pivot turns out to be among the least: McIlroy's adversary.
    const size = 20_000;
    const gas = size;
    const ranks = new Uint32Array(size).fill(gas);
    let solid = 0;
    let candidate = 0;
    let compared = 0;
    const freeze = (i: number) => {
      if (ranks[i] === gas) ranks[i] = solid++;
    };
    selectFirst(
      new Uint32Array(size).map((_, i) => i),
      size >> 1,
      (a, b) => {
        compared++;
        if (a === b) return 0;
        if (ranks[a] === gas && ranks[b] === gas) freeze(a === candidate ? a : b);
        if (ranks[a] === gas) candidate = a;
        else if (ranks[b] === gas) candidate = b;
        return ranks[a]! - ranks[b]!;
      },
    );
    expect(compared).toBeLessThan(80 * size);
  });
});
