import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Content } from '../../src/io/sim-disk/content.ts';

type Step =
  | { do: 'write'; on: number; length: number; position: number }
  | { do: 'resize'; on: number; size: number }
  | { do: 'fork' | 'digest'; on: number };

const on = fc.nat({ max: 3 });
const place = fc.oneof(fc.nat({ max: 2000 }), fc.constantFrom(0, 511, 512, 513, 1024));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('write' as const), on, length: place, position: place }),
  fc.record({ do: fc.constant('resize' as const), on, size: place }),
  fc.record({ do: fc.constantFrom('fork' as const, 'digest'), on }),
);

/** The same with a plain array of bytes. */
function model(before: Buffer, step: Step, bytes: Buffer): Buffer {
  if (step.do === 'resize') {
    const after = Buffer.alloc(step.size);
    before.copy(after);
    return after;
  }
  if (step.do !== 'write' || step.length === 0) return before;
  const after = Buffer.alloc(Math.max(before.length, step.position + step.length));
  before.copy(after);
  bytes.copy(after, step.position, 1, 1 + step.length);
  return after;
}

describe('the content of a file', () => {
  it('is what was written, in every copy by itself, with a digest to match', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const contents = [new Content()];
        const models: Buffer[] = [Buffer.alloc(0)];
        for (const [number, step] of steps.entries()) {
          const at = step.on % contents.length;
          const content = contents[at]!;
          const bytes = Buffer.alloc(2002, 1 + number);
          if (step.do === 'write') content.write(bytes, 1, step.length, step.position);
          if (step.do === 'resize') content.resize(step.size);
          if (step.do === 'digest') content.digest();
          if (step.do === 'fork') {
            contents.push(content.fork());
            models.push(models[at]!);
          }
          models[at] = model(models[at]!, step, bytes);
        }
        for (const [at, content] of contents.entries()) {
          const expected = models[at]!;
          expect(content.size).toBe(expected.length);
          expect(expected.equals(content.slice(0, content.size))).toBe(true);
          const anew = new Content();
          anew.write(expected, 0, expected.length, 0);
          expect(`${content.digest()}`).toBe(`${anew.digest()}`);
        }
      }),
      { numRuns: 300, seed: 24 },
    );
  });

  it('has another digest for each single bit, and for each length', () => {
    const content = new Content();
    const digests = new Set<string>();
    for (let size = 0; size <= 1024; size++) {
      content.resize(size);
      digests.add(`${content.digest()}`);
    }
    for (let bit = 0; bit < 1024 * 8; bit++) {
      const fork = content.fork();
      fork.write(Uint8Array.of(1 << (bit % 8)), 0, 1, bit >> 3);
      digests.add(`${fork.digest()}`);
    }
    expect(digests.size).toBe(1025 + 8192);
  });

  it('reads nothing past its end, and zeros in a hole of gigabytes', () => {
    const content = new Content();
    content.write(Uint8Array.of(7), 0, 1, 2 ** 34);
    const target = new Uint8Array(4).fill(9);
    expect(content.read(target, 1, 2, 2 ** 33)).toBe(2);
    expect([...target]).toEqual([9, 0, 0, 9]);
    expect(content.read(target, 0, 4, 2 ** 34)).toBe(1);
    expect(content.read(target, 0, 4, 2 ** 34 + 1)).toBe(0);
    expect(target[0]).toBe(7);
  });
});
