// Both readers of Zstandard give the same; whether the original is there is not for the caller.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { zstdCodec } from '../../src/shared/codecs/zstd/block.ts';
import { zstdDecompress } from '../../src/shared/codecs/zstd/index.ts';
import { fetchOriginal, originalFor } from '../../src/shared/codecs/zstd/original.ts';

/** A frame of the original's, of `TEXT`. */
const FRAME = 'KLUv/WAAJy0BAMBrZXkwMSB2YWx1ZSAzLjUzaTVhYjhwNWYDAOEXKuWbm5y/gAg=';
const TEXT = Buffer.from('key0000000001 value '.repeat(500) + Math.PI.toString(36).repeat(20));

describe('the original Zstandard', () => {
  it('gives what our own reader gives, and refuses what it refuses', async () => {
    const text = TEXT;
    const frame = Buffer.from(FRAME, 'base64');
    const padded = Buffer.concat([Buffer.from('??'), frame, Buffer.from('!!')]);
    const [start, end] = [2, 2 + frame.length];
    const own = new Uint8Array(text.length + 8).fill(0xa5);
    expect(originalFor(text.length)).toBeUndefined();
    expect(zstdDecompress(padded, start, end, own, text.length)).toBe(text.length);
    await fetchOriginal();
    expect(originalFor(text.length)).toBeDefined();
    const theirs = new Uint8Array(text.length + 8).fill(0xa5);
    expect(zstdDecompress(padded, start, end, theirs, text.length)).toBe(text.length);
    expect(theirs).toEqual(own);
    expect(Buffer.from(own.subarray(0, text.length))).toEqual(text);

    // Whatever happens to the frame: nothing is thrown, nothing written past the room.
    for (let i = start; i < end; i++) {
      for (const bit of [1, 0x80]) {
        const damaged = Uint8Array.from(padded);
        damaged[i]! ^= bit;
        const target = new Uint8Array(text.length + 8).fill(0xa5);
        const got = zstdDecompress(damaged, start, end, target, text.length);
        expect(got).toBeGreaterThanOrEqual(~text.length);
        expect(got).toBeLessThanOrEqual(text.length);
        expect(target.subarray(text.length)).toEqual(new Uint8Array(8).fill(0xa5));
      }
    }
    const most = originalFor(1024 * 1024);
    expect(most).toBeDefined();
    expect(originalFor(1024 * 1024 + 1)).toBeUndefined();
  });

  it('packs and unpacks the same in every turn of the event loop, whoever asked for it', async () => {
    const codecs = await Promise.all([zstdCodec(), zstdCodec(), fetchOriginal().then(zstdCodec)]);
    const unpack = originalFor(1)!;
    for (let turn = 0; turn < 200; turn++) {
      const block = Buffer.from(`${turn} ${TEXT.toString('latin1', 0, 100 + 37 * (turn % 50))}`);
      const { compress } = codecs[turn % codecs.length]!;
      const packed = compress(block);
      const own = new Uint8Array(block.length);
      expect(Buffer.from(unpack(packed)!).equals(block)).toBe(true);
      expect(zstdDecompress(packed, 0, packed.length, own, own.length)).toBe(own.length);
      expect(Buffer.from(own).equals(block)).toBe(true);
      await setImmediate();
    }
  });
});
