import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillRandom, Random, splitMix64 } from '../../src/shared/random.ts';

describe('splitMix64', () => {
  it('gives the published numbers', () => {
    const values: string[] = [];
    for (let i = 0, state = 1234567n; i < 5; i++) {
      const step = splitMix64(state);
      values.push(String(step.value));
      state = step.state;
    }
    expect(values).toEqual([
      '6457827717110365317',
      '3203168211198807973',
      '9817491932198370423',
      '4593380528125082431',
      '16408922859458223821',
    ]);
  });
});

describe('Random', () => {
  it("gives xoshiro128**'s reference numbers", () => {
    const random = Random.withState(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => random.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  it('depends on its seed alone', () => {
    const draw = (seed: number | bigint): number[] => {
      const random = new Random(seed);
      return Array.from({ length: 4 }, () => random.uint32());
    };
    expect(draw(7)).toEqual(draw(7n));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(-1)).toEqual(draw(2n ** 64n - 1n));
  });

  it('draws below a bound, every number of it', () => {
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 500 }, () => random.below(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(random.below(1)).toBe(0);
    expect(random.below(2 ** 53 - 1)).toBeLessThan(2 ** 53 - 1);
    expect(() => random.below(0)).toThrow(RangeError);
  });
});

describe('fillRandom', () => {
  it('is the same stream wherever one begins to read', () => {
    const whole = new Uint8Array(300);
    fillRandom(42, 2 ** 34 - 100, whole, 0, 300);
    fc.assert(
      fc.property(fc.nat(299), fc.nat(299), (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const part = new Uint8Array(300);
        fillRandom(42, 2 ** 34 - 100 + from, part, from, to);
        expect(part.subarray(from, to)).toEqual(whole.subarray(from, to));
      }),
    );
  });

  it('differs by seed and by place', () => {
    const words = (seed: number, position: number): string => {
      const bytes = new Uint8Array(16);
      fillRandom(seed, position, bytes, 0, 16);
      return Buffer.from(bytes).toString('hex');
    };
    const all = [words(1, 0), words(2, 0), words(1, 16), words(1, 2 ** 34)];
    expect(new Set(all).size).toBe(4);
  });
});
