// Both readers of Zstandard give the same; whether the original is there is not for the caller.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { zstdDecompress } from '../../src/shared/codecs/zstd/index.ts';
import { fetchOriginal, originalFor } from '../../src/shared/codecs/zstd/original.ts';

interface Package {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level: number): Uint8Array;
}

describe('the original Zstandard', () => {
  it('gives what our own reader gives, and refuses what it refuses', async () => {
    const original = createRequire(import.meta.url)('@bokuweb/zstd-wasm') as Package;
    await original.init();
    const text = Buffer.from('key0000000001 value '.repeat(500) + Math.PI.toString(36).repeat(20));
    const frame = Buffer.from(original.compress(text, 3));
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
});
