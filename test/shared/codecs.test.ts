import { brotliCompressSync, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecFault } from '../../src/shared/codecs/block-codec.ts';
import { bzip2Decompress } from '../../src/shared/codecs/bzip2.ts';
import { inflate } from '../../src/shared/codecs/deflate.ts';
import { lz4Decompress } from '../../src/shared/codecs/lz4.ts';
import { snappyDecompress } from '../../src/shared/codecs/snappy.ts';
import { zstdDecompress } from '../../src/shared/codecs/zstd/index.ts';
import { r } from '../../src/shared/hash/mul64.ts';
import { xxh3, xxph3 } from '../../src/shared/hash/xxh3.ts';
import { xxh32, xxh64 } from '../../src/shared/hash/xxhash.ts';

const bytes = (hex: string): Uint8Array =>
  new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const text = 'the quick brown fox the quick brown fox the quick brown fox\n';

describe('codecs', () => {
  it('bzip2: what the program makes of a line', () => {
    const packed = bytes(
      '425a6839314159265359595cf5bd0000195180001040001b69b6c02000223d5003434f50a1a698005a1cc146b0e39320f1b10882e412684263e2ee48a70a120b2b9eb7a0',
    );
    expect(Buffer.from(bzip2Decompress(packed, text.length)).toString()).toBe(text);
    expect(() => bzip2Decompress(packed, text.length - 1)).toThrow(CodecFault);
  });

  it('snappy: literals and copies', () => {
    // 9 bytes: "abc" as a literal, then six from three back.
    const packed = bytes('09 08 616263 09 03');
    const target = new Uint8Array(16);
    expect(snappyDecompress(packed, 0, packed.length, target)).toBe(9);
    expect(Buffer.from(target.subarray(0, 9)).toString()).toBe('abcabcabc');
  });

  it('lz4: literals, a match, the last literals; and a match into a dictionary', () => {
    const packed = bytes('32 616263 0300 50 78797a7879');
    const target = new Uint8Array(32);
    expect(lz4Decompress(packed, 0, packed.length, target, 32)).toBe(14);
    expect(Buffer.from(target.subarray(0, 14)).toString()).toBe('abcabcabcxyzxy');
    const behind = bytes('00 0400 10 21');
    const dictionary = Buffer.from('key!');
    expect(lz4Decompress(behind, 0, behind.length, target, 32, dictionary)).toBe(5);
    expect(Buffer.from(target.subarray(0, 5)).toString()).toBe('key!!');
  });

  it('zstd: raw and repeated blocks', () => {
    const raw = bytes('28b52ffd 20 03 190000 616263');
    const target = new Uint8Array(32);
    expect(zstdDecompress(raw, 0, raw.length, target, 32)).toBe(3);
    expect(Buffer.from(target.subarray(0, 3)).toString()).toBe('abc');
    const repeated = bytes('28b52ffd 20 05 2b0000 7a');
    expect(zstdDecompress(repeated, 0, repeated.length, target, 32)).toBe(5);
    expect(Buffer.from(target.subarray(0, 5)).toString()).toBe('zzzzz');
  });

  it('deflate: what makes another number of bytes is refused', () => {
    const packed = deflateRawSync(Buffer.from(text));
    expect(inflate(packed, text.length)?.toString()).toBe(text);
    expect(inflate(packed, text.length + 1)).toBeUndefined();
    expect(inflate(packed, text.length - 1)).toBeUndefined();
    expect(inflate(brotliCompressSync(Buffer.from(text)), text.length)).toBeUndefined();
  });

  it('none of them writes past its end or throws at noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (noise) => {
        const target = new Uint8Array(4096).fill(0xa5);
        const room = target.subarray(0, 1000);
        for (const head of ['', '28b52ffd2400', 'e807']) {
          const packed = new Uint8Array(Buffer.concat([bytes(head), noise]));
          for (const got of [
            snappyDecompress(packed, 0, packed.length, room),
            lz4Decompress(packed, 0, packed.length, room, 1000),
            zstdDecompress(packed, 0, packed.length, room, 1000),
          ]) {
            expect(got).toBeGreaterThanOrEqual(-1001);
            expect(got).toBeLessThanOrEqual(1000);
          }
        }
        expect(target.subarray(1000).every((byte) => byte === 0xa5)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('hashes', () => {
  const data = Uint8Array.from({ length: 2048 }, (_, i) => (i * 2654435761) >>> 24);
  const view = new DataView(data.buffer);
  const of = (hash: (v: DataView, s: number, e: number) => void, length: number): string => {
    hash(view, 0, length);
    return ((BigInt(r.high >>> 0) << 32n) | BigInt(r.low >>> 0)).toString(16);
  };

  it('of nothing, as xxHash has it', () => {
    expect(xxh32(view, 0, 0).toString(16)).toBe('2cc5d05');
    expect(of(xxh64, 0)).toBe('ef46db3751d8e999');
    expect(of(xxh3, 0)).toBe('2d06800538d394c2');
  });

  it('of one byte "a"', () => {
    const a = new DataView(Uint8Array.of(0x61).buffer);
    xxh64(a, 0, 1);
    expect((r.high >>> 0).toString(16)).toBe('d24ec4f1');
    xxh3(a, 0, 1);
    expect((r.high >>> 0).toString(16)).toBe('e6c632b6');
  });

  it('differ with every length', () => {
    for (const hash of [xxh64, xxh3, xxph3]) {
      const seen = new Set<string>();
      for (let length = 0; length < 2048; length += 3) seen.add(of(hash, length));
      expect(seen.size).toBe(683);
    }
  });
});
