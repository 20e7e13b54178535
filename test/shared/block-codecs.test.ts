/** Compression a block at a time: round trips, limits, and bytes that are none. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type BlockCodec,
  CodecFault,
  LimitFault,
  provedCodec,
} from '../../src/shared/codecs/block-codec.ts';
import { bzip2Codec } from '../../src/shared/codecs/bzip2.ts';
import { deflateRaw } from '../../src/shared/codecs/deflate.ts';
import { snappyBlock } from '../../src/shared/codecs/snappy.ts';
import { xz } from '../../src/shared/codecs/xz.ts';
import { zstdCodec } from '../../src/shared/codecs/zstd/block.ts';
import { fillRandom } from '../../src/shared/random.ts';

const codecs: Record<string, BlockCodec> = {
  deflate: deflateRaw,
  snappy: snappyBlock,
  xz,
};
const MOST = 16 * 1024 * 1024;
const STREAMED =
  '28b52ffd0058ec0000886162636465666768696a6b6c6d6e6f700002007cfdb85c6833d55c020200100003b3' +
  '0400';

beforeAll(async () => {
  codecs['bzip2'] = await bzip2Codec();
  codecs['zstd'] = await zstdCodec();
});

/** How much comes out at least of one that is cut near its end: Zstandard has blocks of 128 KiB. */
const PARTS: Record<string, number> = {
  deflate: 0.9,
  snappy: 0.9,
  xz: 0.9,
  zstd: 0.5,
};

const noise = Buffer.alloc(100_000);
fillRandom(7, 0, noise, 0, noise.length);
const digits = Buffer.from(noise.toString('hex'));
const words = Buffer.from(
  Array.from({ length: 20_000 }, (_, i) => `word${(i * i) % 977} `).join(''),
);

describe.each(['deflate', 'snappy', 'xz', 'bzip2', 'zstd'])('%s', (name) => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from([7])],
    ['zeros', Buffer.alloc(300_000)],
    ['noise', noise],
    ['words', words],
  ])('gives back %s', (_, bytes) => {
    const packed = codecs[name]!.compress(bytes);
    expect(Buffer.compare(codecs[name]!.decompress(packed, MOST), bytes)).toBe(0);
  });

  it('stops at the limit', () => {
    const packed = codecs[name]!.compress(Buffer.alloc(300_000));
    expect(() => codecs[name]!.decompress(packed, 200_000)).toThrow(CodecFault);
    expect(codecs[name]!.decompress(packed, 300_000)).toHaveLength(300_000);
  });

  it('gives what comes out before a cut, and nothing else', () => {
    const codec = codecs[name]!;
    if (!codec.decompressPart) return;
    const packed = codec.compress(digits);
    let most = 0;
    for (let length = 0; length < packed.length; length += Math.ceil(packed.length / 40)) {
      const part = codec.decompressPart(packed.subarray(0, length), MOST);
      expect(Buffer.compare(part, digits.subarray(0, part.length))).toBe(0);
      most = Math.max(most, part.length);
    }
    expect(most).toBeGreaterThan(PARTS[name]! * digits.length);
    expect(codec.decompressPart(packed.subarray(0, -1), 1000).length).toBeLessThanOrEqual(1000);
  });

  it('has nothing worse than a fault for broken bytes', () => {
    const packed = Buffer.from(codecs[name]!.compress(words));
    const hit = fc.tuple(fc.nat(packed.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(hit, { minLength: 1, maxLength: 4 }), fc.nat(50), (hits, cut) => {
        const bytes = Buffer.from(packed.subarray(0, cut < 10 ? -cut - 1 : packed.length));
        for (const [at, byte] of hits) if (at < bytes.length) bytes[at] = byte;
        const part = codecs[name]!.decompressPart?.(bytes, 2 * words.length);
        expect(part?.length ?? 0).toBeLessThanOrEqual(2 * words.length);
        try {
          codecs[name]!.decompress(bytes, 2 * words.length);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecFault);
        }
      }),
      { numRuns: 60 },
    );
    expect(() => codecs[name]!.decompress(Buffer.from('no such thing at all'), MOST)).toThrow(
      CodecFault,
    );
  });
});

describe('a frame of Zstandard that does not say how much it unpacks to', () => {
  // 40 × "abcdefghijklmnop" and 300,000 zeros, through a stream: `… | zstd -c`
  const frame = Buffer.from(STREAMED, 'hex');

  it('is given room until it fits', () => {
    const out = Buffer.from(codecs['zstd']!.decompress(frame, MOST));
    expect(out).toHaveLength(300_640);
    expect(out.subarray(0, 20).toString()).toBe('abcdefghijklmnopabcd');
    expect(out.subarray(640).every((byte) => byte === 0)).toBe(true);
  });

  it('is refused when that is more than it may have, and said to be broken when it is', () => {
    expect(() => codecs['zstd']!.decompress(frame, 300_639)).toThrow(LimitFault);
    const cut = frame.subarray(0, -3);
    expect(() => codecs['zstd']!.decompress(cut, MOST)).toThrow(CodecFault);
    expect(() => codecs['zstd']!.decompress(cut, MOST)).not.toThrow(LimitFault);
  });
});

describe('what xz-utils 5.4.1 wrote in blocks of 16 bytes', () => {
  // printf 'hello hello hello, hello hello' | xz --check=… --block-size=16 -c
  it.each([
    [
      'without a check',
      'fd377a585a000000ff12d9410200210116000000742fe5a3e0000f000b5d00341949ee8de94e66a5e0000000' +
        '0200210116000000742fe5a301000d6f2c2068656c6c6f2068656c6c6f00000000021f101e0e00002ae485da' +
        'a8000afc020000000000595a',
    ],
    [
      'with SHA-256',
      'fd377a585a00000ae1fb0ca10200210116000000742fe5a3e0000f000b5d00341949ee8de94e66a5e0000000' +
        '63636baf142ec41b48e30187e098a30228209ef6c52faa674a37b8bc207d0b800200210116000000742fe5a3' +
        '01000d6f2c2068656c6c6f2068656c6c6f00000018f44e4fbd7536b9a229fd08c0d6528e5f19e59ed7584ec3' +
        'be90b7be5f77e34700023f103e0e0000224e1b7db6e9df1c02000000000a595a',
    ],
  ])('%s', (_, hex) => {
    const text = Buffer.from(xz.decompress(Buffer.from(hex, 'hex'), MOST)).toString();
    expect(text).toBe('hello hello hello, hello hello');
  });
});

describe('LZMA2 as we write it', () => {
  /** Pieces that come again, near and far, and noise between them. */
  const texts = fc
    .array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom('a', 'ab', 'value', '{"key":').map((text) => Buffer.from(text)),
        fc.nat({ max: 90_000 }).map((at) => digits.subarray(at, at + 300)),
        fc.nat({ max: 90_000 }).map((at) => noise.subarray(at, at + (at % 5000))),
        fc.nat({ max: 700 }).map((count) => Buffer.alloc(count, count & 3)),
      ),
      { maxLength: 60 },
    )
    .map((parts) => Buffer.concat(parts));

  it('comes out as it went in', () => {
    fc.assert(
      fc.property(texts, (bytes) => {
        expect(Buffer.compare(xz.decompress(xz.compress(bytes), MOST), bytes)).toBe(0);
      }),
    );
  });

  it('goes on behind chunks that are full, and behind those that are stored', () => {
    // Noise comes again from farther than matches reach, and from near.
    const long = Buffer.alloc(5 * 1024 * 1024, words);
    const bytes = Buffer.concat([noise, long, noise.subarray(7), digits, noise, words]);
    const packed = xz.compress(bytes);
    expect(Buffer.compare(xz.decompress(packed, MOST), bytes)).toBe(0);
    expect(packed.length).toBeLessThan(2 * noise.length + 0.6 * digits.length + 10_000);
  });

  it('begins its state anew behind a chunk that is stored among those that are packed', () => {
    const more = Buffer.alloc(300_000);
    fillRandom(8, 0, more, 0, more.length);
    const bytes = Buffer.concat([words, more, words, digits]);
    expect(Buffer.compare(xz.decompress(xz.compress(bytes), MOST), bytes)).toBe(0);
  });

  it.each([
    ['words', words, 0.015],
    ['hexadecimal digits', digits, 0.58],
    ['zeros', Buffer.alloc(300_000), 0.001],
    ['noise', noise, 1.001],
  ])('is small: %s', (_, bytes, share) => {
    expect(xz.compress(bytes).length).toBeLessThan(share * bytes.length + 64);
  });
});

describe('a codec that is not believed', () => {
  const reversed = (bytes: Uint8Array) => Uint8Array.from(bytes).reverse();
  const packing = (compress: BlockCodec['compress']) =>
    provedCodec('turned', { decompress: reversed, compress });

  it('packs what comes back', () => {
    expect([...packing(reversed).compress(Uint8Array.of(1, 2, 3))]).toEqual([3, 2, 1]);
    expect(packing(reversed).compress(new Uint8Array(0))).toHaveLength(0);
  });

  it.each<[string, BlockCodec['compress']]>([
    ['zeros', (bytes) => new Uint8Array(bytes.length)],
    ['less', (bytes) => reversed(bytes).subarray(1)],
    ['what it was given', (bytes) => bytes],
  ])('refuses %s', (_, compress) => {
    const what = /^turned made \d bytes of 3 that do not give them back$/;
    expect(() => packing(compress).compress(Uint8Array.of(1, 2, 3))).toThrow(what);
  });

  it('refuses what cannot be unpacked', () => {
    const codec = {
      decompress: () => {
        throw new CodecFault('no');
      },
      compress: reversed,
    };
    expect(() => provedCodec('none', codec).compress(Uint8Array.of(1))).toThrow(
      'none made 1 bytes',
    );
  });
});
