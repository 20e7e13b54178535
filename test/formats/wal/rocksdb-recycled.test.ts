import { describe, expect, it } from 'vitest';
import { BlockLogWriter } from '../../../src/formats/wal/block-log/writer.ts';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { concat } from '../../support/memory.ts';
import {
  batch,
  fixed,
  flip,
  layout,
  layoutFaults,
  logOf,
  puts,
  rewrite,
  scan,
} from './block-log.ts';

describe('record types of RocksDB', () => {
  const put = (seq: number) => batch(seq, [[1, `k${seq}`, 'v']]);

  it.each([undefined, 7])('decodes those without user data, log number %s', async (number) => {
    const writer = new BlockLogWriter(number);
    const odd = number === undefined ? 0 : 1;
    const sizes = concat([fixed(1, 4), fixed(8, 2), fixed(3, 4), fixed(16, 2)]);
    const info = concat([fixed(6, 8), fixed(12_345, 8), fixed(2n ** 54n, 8)]);
    const bytes = concat([
      writer.addWhole(130 + odd, info),
      writer.addWhole(10 + odd, sizes),
      writer.add(put(1)),
      writer.addWhole(10 + odd, sizes.subarray(0, 7)),
      writer.addWhole(130 + odd, info.subarray(0, 20)),
      writer.addWhole(200, Buffer.from('future')),
      writer.addWhole(60, Buffer.from('future')),
      writer.add(put(2)),
    ]);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(records.map(({ op, extra }) => [op, extra])).toEqual([
      ['predecessor-wal', { logNumber: 6, sizeBytes: 12_345, lastSequence: String(2n ** 54n) }],
      [
        'timestamp-sizes',
        {
          sizes: [
            { columnFamily: 1, bytes: 8 },
            { columnFamily: 3, bytes: 16 },
          ],
        },
      ],
      ['put', undefined],
      ['unknown-type', { type: 200, length: 6 }],
      ['put', undefined],
    ]);
    expect(damage.map(({ code, message }) => [code, message])).toEqual([
      ['bad-length', 'timestamp-sizes: 7 bytes, not a multiple of 6'],
      ['bad-length', 'predecessor-wal: 20 bytes, expected 24'],
      ['bad-op', 'record type 60 is unknown; the checksum holds'],
    ]);
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
    // LevelDB knows none of them.
    const other = await scan(leveldb, bytes);
    expect(other.damage.length).toBeGreaterThan(0);
    expect(await layoutFaults(leveldb, bytes)).toEqual([]);
    const anew = await scan(rocksdb, await rewrite(rocksdb, bytes));
    expect(anew.damage).toEqual([]);
    expect(anew.records.map(({ op }) => op)).toEqual([
      'timestamp-sizes',
      'put',
      'unknown-type',
      'put',
    ]);
  });

  it('takes zeros before an unsplit record for padding', async () => {
    const writer = new BlockLogWriter();
    const sizes = concat(Array.from({ length: 10 }, (_, i) => concat([fixed(i, 4), fixed(8, 2)])));
    const bytes = concat([
      writer.add(batch(1, [[1, 'k', 'v'.repeat(32768 - 60)]])),
      writer.addWhole(10, sizes),
      writer.add(put(2)),
    ]);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(damage).toEqual([]);
    expect(records.map(({ op }) => op)).toEqual(['put', 'timestamp-sizes', 'put']);
    const spans = await layout(rocksdb, bytes);
    expect(spans[1]).toMatchObject({ name: 'padding', offset: 32733, length: 35 });
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
  });

  it('knows the longer trailer of recyclable blocks', async () => {
    const filled = batch(1, [[1, 'k', 'v'.repeat(32768 - 11 - 18 - 10)]]);
    const { bytes } = logOf([filled, put(2)], 7);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(damage).toEqual([]);
    expect(records.length).toBe(2);
    const spans = await layout(rocksdb, bytes);
    expect(spans[1]).toMatchObject({ name: 'trailer', length: 10 });
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
  });
});

describe('recycled files', () => {
  const old = logOf(puts(400, 60, 1000), 3).bytes;
  const fresh = logOf(puts(50, 33), 7);
  /** Log 7 over the content of log 3. */
  const over = (bytes: Uint8Array) => concat([bytes, old.subarray(bytes.length)]);

  it('ends where the last record ends, whatever stands behind it', async () => {
    const bytes = over(fresh.bytes);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(damage).toEqual([]);
    expect(records.length).toBe(50);
    const spans = await layout(rocksdb, bytes);
    expect(spans.at(-1)).toMatchObject({ name: 'recycled', offset: fresh.bytes.length });
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
    // Nothing written yet.
    expect(await scan(rocksdb, old)).toEqual({ records: [], damage: [] });
    // The log number is that of the name's low 32 bits.
    const name = `${7 + 2 ** 32}.log`;
    expect((await scan(rocksdb, bytes, { name })).records.length).toBe(50);
  });

  it('has a torn tail where its last record is not whole', async () => {
    const { offset, end } = fresh.places[49]!;
    for (let length = offset + 11; length < end; length += 7) {
      const { records, damage } = await scan(rocksdb, over(fresh.bytes.subarray(0, length)));
      expect(records.length).toBe(49);
      expect(damage).toMatchObject([{ code: 'torn-tail', offset, tail: true }]);
      expect(damage[0]!.evidence).toMatch(/^intact fragments of log 3 follow at \d+$/);
      expect(await layoutFaults(rocksdb, over(fresh.bytes.subarray(0, length)))).toEqual([]);
    }
    const large = logOf([...puts(5, 10), batch(6, [[1, 'large', 'x'.repeat(40_000)]])], 7);
    const cut = await scan(rocksdb, over(large.bytes.subarray(0, 32768)));
    expect(cut.damage).toMatchObject([
      { code: 'torn-tail', offset: large.places[5]!.offset, tail: true },
    ]);
  });

  it('proves a write that was lost by what follows it', async () => {
    const long = logOf(puts(500, 33), 7);
    const bytes = long.bytes.slice();
    const from = long.places[100]!.offset;
    // A page of the old content stands where the new one should be.
    bytes.set(old.subarray(from, from + 4096), from);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(records.length).toBeGreaterThan(420);
    expect(damage.some(({ code }) => code === 'stale-data')).toBe(true);
    expect(damage.every(({ tail, lost }) => !tail && lost)).toBe(true);
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
  });

  it('survives any flip, and mends a hit length', async () => {
    const bytes = over(fresh.bytes);
    for (let at = 0; at < fresh.bytes.length; at += 3) {
      const hit = fresh.places.findIndex(({ end }) => at < end);
      const hurt = flip(bytes, at, at % 8);
      const { records, damage } = await scan(rocksdb, hurt);
      const others = records.filter(({ seq }) => Number(seq) !== hit + 1);
      expect(others.length, `flip at ${at}`).toBe(49);
      // The last record's header is all that tells it from old content.
      if (hit < 49) expect(damage.length, `flip at ${at}`).toBe(1);
      const inLength = at - fresh.places[hit]!.offset;
      if (hit < 49 && (inLength === 4 || inLength === 5)) expect(records.length).toBe(50);
    }
    for (let at = 2; at < fresh.bytes.length; at += 211) {
      expect(await layoutFaults(rocksdb, flip(bytes, at, 3)), `flip at ${at}`).toEqual([]);
    }
  });
});
