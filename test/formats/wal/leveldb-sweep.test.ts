import { describe, expect, it } from 'vitest';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { concat } from '../../support/memory.ts';
import { flip, layoutFaults, logOf, puts, scan, threeBlocks } from './block-log.ts';

describe('damage anywhere', () => {
  it('has a torn tail wherever the file is cut', async () => {
    const { bytes, places } = logOf(puts(12, 20));
    for (let length = 0; length <= bytes.length; length++) {
      const told = await scan(leveldb, bytes.subarray(0, length));
      const whole = places.filter(({ end }) => end <= length);
      expect(told.records.length).toBe(whole.length);
      const end = whole.at(-1)?.end ?? 0;
      if (end === length) expect(told.damage).toEqual([]);
      else {
        expect(told.damage).toMatchObject([
          { code: 'torn-tail', offset: end, length: length - end, tail: true },
        ]);
      }
    }
  });

  it('has one torn tail where a record of several fragments is cut', async () => {
    const { bytes, places } = threeBlocks();
    const { offset, end } = places[100]!;
    for (const length of [32768, 32769, 32775, 40_000, 65535, 65536, 65540, end - 1]) {
      const { records, damage } = await scan(leveldb, bytes.subarray(0, length));
      expect(records.length).toBe(100);
      expect(damage).toMatchObject([
        { code: 'torn-tail', offset, length: length - offset, tail: true },
      ]);
      expect(await layoutFaults(leveldb, bytes.subarray(0, length))).toEqual([]);
    }
  });

  it('tells zeros and garbage at the end, and a hit last record', async () => {
    const { bytes, places } = logOf(puts(10, 20));
    const { offset, end } = places[9]!;
    const zeros = await scan(leveldb, concat([bytes, new Uint8Array(70_000)]));
    expect(zeros.damage).toMatchObject([
      { code: 'torn-tail', offset: end, length: 70_000, tail: true },
    ]);
    expect(zeros.damage[0]!.evidence).toBe('nothing but zeros up to the end of the file');
    const garbage = await scan(leveldb, concat([bytes, Buffer.alloc(70_000, 'garbage')]));
    expect(garbage.damage).toMatchObject([
      { code: 'torn-tail', offset: end, length: 70_000, tail: true },
    ]);
    const hit = await scan(leveldb, flip(bytes, end - 1, 0));
    expect(hit.damage).toMatchObject([
      { code: 'crc-mismatch', offset, length: end - offset, tail: true },
    ]);
    const all = await scan(leveldb, new Uint8Array(100_000));
    expect(all.damage).toMatchObject([{ code: 'torn-tail', offset: 0, length: 100_000 }]);
    expect(await scan(leveldb, new Uint8Array(0))).toEqual({ records: [], damage: [] });
  });

  it('survives any single bit flip, and loses one record at most', async () => {
    const { bytes, places } = threeBlocks();
    const clean = await scan(leveldb, bytes);
    // Every byte of some, a sample of the others and of the large value.
    const large = places[100]!;
    const near = (at: number, place: number) => Math.abs(at - place) < 90;
    const sampled = (at: number) =>
      at < 600 || near(at, large.offset) || near(at, large.end) || at % 32768 < 8;
    for (let at = 0; at < bytes.length; at += sampled(at) ? 1 : at < large.offset ? 5 : 397) {
      const hit = places.findIndex(({ end }) => at < end);
      const told = await scan(leveldb, flip(bytes, at, at % 8));
      const expected = clean.records.filter((_, i) => i !== hit).map(({ seq }) => seq);
      const without = told.records
        .filter(({ seq }) => Number(seq) !== hit + 1)
        .map(({ seq }) => seq);
      expect(without, `flip at ${at}`).toEqual(expected);
      expect(told.damage.length, `flip at ${at}`).toBeGreaterThan(0);
    }
  });

  it('lays out every damaged file to its last byte', async () => {
    const { bytes } = threeBlocks();
    for (let at = 3; at < bytes.length; at += 601) {
      expect(await layoutFaults(leveldb, flip(bytes, at, at % 8)), `flip at ${at}`).toEqual([]);
      expect(await layoutFaults(leveldb, bytes.subarray(0, at)), `cut at ${at}`).toEqual([]);
      const zeroed = bytes.slice();
      zeroed.fill(0, at, at + 700);
      expect(await layoutFaults(leveldb, zeroed), `zeros at ${at}`).toEqual([]);
    }
  });
});
