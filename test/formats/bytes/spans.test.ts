import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../../src/formats/bytes/read-fully.ts';
import { compareSpans, copySpan, sameSpan, sharedBytes } from '../../../src/formats/bytes/spans.ts';
import { compareBytes } from '../../../src/formats/sstable/entry-block.ts';

/** Few different bytes, the extremes among them, so that spans agree for a while. */
const some = fc
  .array(fc.constantFrom(0, 1, 127, 128, 255), { maxLength: 20 })
  .map((bytes) => Uint8Array.from(bytes));

/** Somewhere inside of a larger memory, at any alignment. */
function placed(bytes: Uint8Array, before: number): { bytes: Uint8Array; view: DataView } {
  const memory = new Uint8Array(before + bytes.length + 3).fill(77);
  memory.set(bytes, before);
  return { bytes: memory, view: viewOf(memory) };
}

describe('spans', () => {
  it('compare as their bytes do', () => {
    fc.assert(
      fc.property(some, some, fc.nat(5), fc.nat(5), (a, b, i, j) => {
        const [one, other] = [placed(a, i), placed(b, j)];
        const order = compareSpans(
          one.bytes,
          one.view,
          i,
          i + a.length,
          other.bytes,
          other.view,
          j,
          j + b.length,
        );
        expect(Math.sign(order)).toBe(Math.sign(compareBytes(a, 0, a.length, b, 0, b.length)));
        expect(Math.sign(order)).toBe(Buffer.compare(a, b));
        const most = Math.min(a.length, b.length);
        const shared = sharedBytes(one.bytes, one.view, i, other.bytes, other.view, j, most);
        const differs = a.subarray(0, most).findIndex((byte, at) => byte !== b[at]);
        expect(shared).toBe(differs < 0 ? most : differs);
        const same = sameSpan(one.bytes, one.view, i, other.bytes, other.view, j, most);
        expect(same).toBe(differs < 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('are copied whole, and nothing beside them is touched', () => {
    for (const length of [0, 1, 3, 4, 15, 16, 17, 33, 255, 256, 257, 600]) {
      const from = Uint8Array.from({ length: length + 9 }, (_, i) => i * 7 + 1);
      for (const at of [0, 1, 6]) {
        const to = new Uint8Array(length + 12).fill(200);
        const end = copySpan(from, viewOf(from), 5, 5 + length, to, viewOf(to), at);
        expect(end).toBe(at + length);
        expect(to.subarray(at, end)).toEqual(from.subarray(5, 5 + length));
        expect([...to.subarray(0, at), ...to.subarray(end)].every((byte) => byte === 200)).toBe(
          true,
        );
      }
    }
  });
});
