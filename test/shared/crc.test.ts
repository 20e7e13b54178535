import crc32Package from 'crc-32';
import crc32cPackage from 'crc-32/crc32c.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainFlips } from '../../src/shared/bit-flip.ts';
import { CrcOrigin, CrcShift, PrefixCrc } from '../../src/shared/crc-shift.ts';
import { CRC_INITIAL, type Crc, crc32, crc32c } from '../../src/shared/crc32.ts';

const oracles: [string, Crc, (bytes: Uint8Array) => number][] = [
  ['CRC-32', crc32, (bytes) => crc32Package.buf(bytes) >>> 0],
  ['CRC-32C', crc32c, (bytes) => crc32cPackage.buf(bytes) >>> 0],
];

describe.each(oracles)('%s', (_name, crc, oracle) => {
  it('agrees with the crc-32 package at every length and alignment', () => {
    const bytes = new Uint8Array(2100).map((_, i) => (i * 131 + (i >> 5)) & 255);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end < 700; end += 1 + (end >> 5)) {
        expect(crc.of(bytes, start, end)).toBe(oracle(bytes.subarray(start, end)));
      }
    }
    expect(crc.of(bytes)).toBe(oracle(bytes));
  });

  it('has the check value of its catalogue entry', () => {
    const check = crc === crc32 ? 0xcbf43926 : 0xe3069283;
    expect(crc.of(Buffer.from('123456789'))).toBe(check);
  });

  it('switches to the native code in long runs without a change of result', () => {
    const bytes = new Uint8Array(1 << 20).fill(7);
    const first = crc.of(bytes);
    for (let i = 0; i < 20; i++) expect(crc.of(bytes)).toBe(first);
  });

  it('shifts a register over zero bytes as if they were run through', () => {
    const shift = new CrcShift(crc);
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 9000 }), (register, zeros) => {
        const bytes = new Uint8Array(zeros);
        const run = crc.update(register, bytes, new DataView(bytes.buffer), 0, zeros);
        expect(shift.shift(register, zeros)).toBe(run);
      }),
    );
  });

  it('computes spans from prefix registers', () => {
    const bytes = new Uint8Array(20_000).map((_, i) => (i * 7919) >>> 3);
    const view = new DataView(bytes.buffer);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(19_999), fc.nat(19_999)), { minLength: 1, maxLength: 20 }),
        (spans) => {
          const prefix = new PrefixCrc(crc);
          const base = 1_000_003; // a window somewhere in the file
          for (const [a, b] of spans.sort(([x], [y]) => x - y)) {
            const [start, end] = [Math.min(a, b), Math.max(a, b)];
            const expected = crc.update(CRC_INITIAL, bytes, view, start, end);
            const got = prefix.span(CRC_INITIAL, bytes, view, base, base + start, base + end);
            expect(got).toBe(expected);
          }
        },
      ),
    );
  });

  it('finds the flipped bit, and only that', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (bytes, where) => {
        const stored = crc.of(bytes);
        const bit = where % (bytes.length * 8);
        bytes[bit >>> 3]! ^= 1 << (bit & 7);
        const flips = explainFlips(crc, stored, crc.of(bytes), bytes.length);
        expect(flips).toEqual({
          kind: 'one',
          at: { byteFromEnd: bytes.length - 1 - (bit >>> 3), bit: bit & 7 },
        });
      }),
    );
  });

  it('tells what a register was before a span of known bytes', () => {
    for (const length of [1, 16, 40]) {
      const origin = new CrcOrigin(crc, length);
      fc.assert(
        fc.property(
          fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
          fc.uint8Array({ minLength: length + 3, maxLength: length + 3 }),
          (register, bytes) => {
            const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
            const last = crc.update(register, bytes, view, 3, 3 + length);
            expect(origin.find(last, bytes, view, 3)).toBe(register);
          },
        ),
      );
    }
  });

  it('finds two flipped bits of a short span', () => {
    const bytes = new Uint8Array(40).fill(0x5a);
    const stored = crc.of(bytes);
    bytes[3]! ^= 4;
    bytes[37]! ^= 128;
    const flips = explainFlips(crc, stored, crc.of(bytes), 40);
    expect(flips).toEqual({
      kind: 'two',
      at: [
        { byteFromEnd: 2, bit: 7 },
        { byteFromEnd: 36, bit: 2 },
      ],
    });
  });

  it('tells a flipped bit of the stored checksum', () => {
    const stored = crc.of(Buffer.from('abc'));
    expect(explainFlips(crc, (stored ^ 0x8000) >>> 0, stored, 3)).toEqual({
      kind: 'stored',
      bit: 15,
    });
  });
});
