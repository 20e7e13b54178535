import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readingAhead } from '../../../src/formats/sstable/ahead.ts';
import { MemorySource } from '../../support/memory.ts';

/** So many inputs that pieces are as small as they get. */
const MANY = 1_000_000;
const PIECE = 32 * 1024;

class BesideSource extends MemorySource {
  pieces: number[] = [];
  failsAt = Number.POSITIVE_INFINITY;

  async readBeside(
    target: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): Promise<number> {
    this.pieces.push(length);
    await Promise.resolve();
    if (position + length > this.failsAt) throw new Error('the disk is gone');
    return this.read(target, start, length, position);
  }
}

const bytes = Uint8Array.from({ length: 5 * PIECE + 77 }, (_, i) => (i * 2654435761) >>> 13);

describe('a source that reads ahead', () => {
  it('gives the same bytes, in whatever order and sizes they are asked for', async () => {
    const step = fc.record({
      length: fc.oneof(fc.nat(9000), fc.nat(80_000)),
      jump: fc.oneof(
        { weight: 5, arbitrary: fc.constant(-1) },
        { weight: 1, arbitrary: fc.nat(200_000) },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const source = readingAhead(new BesideSource('a', bytes), MANY);
        let position = 0;
        for (const { length, jump } of steps) {
          if (jump >= 0) position = jump;
          const target = new Uint8Array(length + 2).fill(9);
          const got = await source.read(target, 1, length, position);
          const expected = bytes.subarray(position, position + length);
          expect(got).toBe(expected.length);
          expect(Buffer.compare(target.subarray(1, 1 + got), expected)).toBe(0);
          expect([target[0], target[1 + got]]).toEqual([9, 9]);
          position += length;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('fetches large pieces where small ones are read one behind the other', async () => {
    const inner = new BesideSource('a', bytes);
    const source = readingAhead(inner, MANY);
    const target = new Uint8Array(1000);
    for (let at = 0; at < bytes.length; at += 1000) await source.read(target, 0, 1000, at);
    expect(inner.pieces.length).toBeLessThan(8);
    expect(Math.max(...inner.pieces)).toBe(PIECE);
  });

  it('tells who needs the bytes, and nobody else, that they cannot be read', async () => {
    const inner = new BesideSource('a', bytes);
    inner.failsAt = 2 * PIECE;
    const source = readingAhead(inner, MANY);
    const target = new Uint8Array(4096);
    const read = async (at: number) => source.read(target, 0, 4096, at);
    await read(0);
    await read(4096);
    expect(await read(8192)).toBe(4096);
    await expect(read(PIECE + 4096)).rejects.toThrow('the disk is gone');
    expect(await read(100)).toBe(4096);
  });

  it('is the source itself where that is small, or a stream', () => {
    const small = new BesideSource('a', bytes.subarray(0, PIECE));
    expect(readingAhead(small, MANY)).toBe(small);
    const plain = new MemorySource('a', bytes);
    expect(readingAhead(plain, 1)).toBe(plain);
  });
});
