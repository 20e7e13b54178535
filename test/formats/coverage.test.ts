import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coverage, coverageFaults, tileChildren, tileRow } from '../../src/formats/coverage.ts';
import type { Span } from '../../src/formats/format.ts';

const span = (name: string, offset: number, length: number, children?: Span[]): Span => ({
  name,
  offset,
  length,
  ...(children && { children }),
});
const brief = (spans: readonly Span[]) =>
  spans.map(({ name, offset, length, damage }) => [name, offset, length, damage].join(' ').trim());

describe('a row that tiles its parent', () => {
  const row = [span('a', 0, 4), span('empty', 4, 0), span('b', 4, 6, [span('c', 4, 6)])];

  it('is passed on as it is', () => {
    const coverage = new Coverage(0, 10);
    for (const one of row) expect(coverage.next(one)).toEqual([one]);
    expect(coverage.end(10)).toEqual([]);
    expect(coverageFaults(row, 0, 10)).toEqual([]);
    expect(tileChildren(row[2]!)).toBe(row[2]);
  });
});

describe('a row that does not', () => {
  it('has its gaps filled', () => {
    expect(brief(tileRow([span('a', 2, 3), span('b', 6, 1)], 0, 9))).toEqual([
      'unaccounted 0 2 unaccounted',
      'a 2 3',
      'unaccounted 5 1 unaccounted',
      'b 6 1',
      'unaccounted 7 2 unaccounted',
    ]);
  });

  it('leaves a byte that is claimed twice to the first', () => {
    const row = [span('a', 0, 6), span('b', 4, 4), span('inside', 1, 3), span('c', 8, 2)];
    expect(brief(tileRow(row, 0, 10))).toEqual(['a 0 6', 'b 6 2 overlap', 'c 8 2']);
  });

  it('ends where its parent ends', () => {
    expect(brief(tileRow([span('a', 0, 4), span('b', 4, 100), span('c', 200, 5)], 0, 10))).toEqual([
      'a 0 4',
      'b 4 6 overlap',
    ]);
    expect(brief(tileRow([span('far', 200, 5)], 0, 10))).toEqual(['unaccounted 0 10 unaccounted']);
  });

  it('is mended at every level', () => {
    const inner = span('inner', 2, 4, [span('x', 2, 1), span('y', 4, 2)]);
    const mended = tileChildren(span('outer', 0, 8, [inner]));
    expect(coverageFaults([mended], 0, 8)).toEqual([]);
    expect(brief(mended.children!)).toEqual([
      'unaccounted 0 2 unaccounted',
      'inner 2 4',
      'unaccounted 6 2 unaccounted',
    ]);
    expect(brief(mended.children![1]!.children!)).toEqual([
      'x 2 1',
      'unaccounted 3 1 unaccounted',
      'y 4 2',
    ]);
  });

  it('keeps the damage that it was told of', () => {
    const damaged: Span = { ...span('damaged', 0, 20), damage: 'torn-tail' };
    expect(brief(tileRow([damaged], 0, 10))).toEqual(['damaged 0 10 torn-tail']);
  });
});

describe('coverageFaults', () => {
  it('names gaps, overlaps and ends', () => {
    expect(coverageFaults([span('a', 1, 2), span('b', 2, 2)], 0, 9)).toEqual([
      'a begins at 1, expected 0',
      'b begins at 2, expected 3',
      'the spans end at 4, expected 9',
    ]);
  });
});

/** Spans of any kind, in no order. */
const anySpans = (depth: number): fc.Arbitrary<Span[]> =>
  fc.array(
    fc.record({
      name: fc.constantFrom('a', 'b'),
      offset: fc.nat(60),
      length: fc.nat(40),
      ...(depth > 0 && { children: anySpans(depth - 1) }),
    }) as fc.Arbitrary<Span>,
    { maxLength: 6 },
  );

describe('whatever a layout claims', () => {
  it('what is shown tiles the file', () => {
    fc.assert(
      fc.property(anySpans(2), fc.nat(80), (spans, size) => {
        expect(coverageFaults(tileRow(spans, 0, size), 0, size)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('the same of a stream whose size is told at its end', () => {
    fc.assert(
      fc.property(anySpans(1), (spans) => {
        const coverage = new Coverage();
        const shown = spans.flatMap((one) => coverage.next(one));
        const end = shown.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
        shown.push(...coverage.end(end + 3));
        expect(coverageFaults(shown, 0, end + 3)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
