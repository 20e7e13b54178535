import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { MemorySource } from '../../support/memory.ts';
import {
  batch,
  contextOf,
  flip,
  layoutFaults,
  logOf,
  rewrite,
  scan,
  type Told,
  threeBlocks,
} from './block-log.ts';

describe('bounds', () => {
  it('reads the same through any window', async () => {
    const { bytes } = threeBlocks();
    const hurt = flip(flip(bytes, 500, 1), 4000, 2);
    const whole = await scan(leveldb, hurt);
    for (const chunk of [1, 7, 100, 4096, 33_000]) {
      expect(await scan(leveldb, hurt, { chunk, limits: { windowBytes: 64 } })).toEqual(whole);
    }
  });

  it('begins where it is told to', async () => {
    const { bytes, places } = threeBlocks();
    const whole = await scan(leveldb, bytes);
    for (const which of [0, 50, 99, 100]) {
      const from = places[which]!.end;
      const rest = await scan(leveldb, bytes, { from });
      expect(rest).toEqual({ records: whole.records.slice(which + 1), damage: [] });
    }
  });

  it('stops when asked, by the visitor and by the signal', async () => {
    const { bytes } = threeBlocks();
    let seen = 0;
    await leveldb.scan(new MemorySource('000007.log', bytes), contextOf(), {
      record: () => seen++,
      damage() {},
      done: () => seen >= 5,
    });
    expect(seen).toBe(5);
    const spans = [];
    await leveldb.layout(new MemorySource('000007.log', bytes), contextOf(), (span) => {
      spans.push(span);
      return spans.length < 3;
    });
    expect(spans.length).toBe(3);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(scan(leveldb, bytes, { signal })).rejects.toThrow('enough');
  });

  it('keeps to the limit on a record', async () => {
    const { bytes, places } = threeBlocks();
    const { records, damage } = await scan(leveldb, bytes, { limits: { recordBytes: 50_000 } });
    expect(records.length).toBe(120);
    expect(damage).toMatchObject([
      { code: 'bad-length', offset: places[100]!.offset, lost: true, tail: false },
    ]);
    expect(damage[0]!.message).toContain('the limit is 50000');
  });

  it('is not slowed down by hostile blocks', async () => {
    const size = 1024 * 1024;
    const noise = new Uint8Array(size);
    for (let i = 0, x = 1; i < size; i++) noise[i] = (x = (x * 48271) % 2147483647) & 0xff;
    // Every byte begins a plausible header; nearly every other fragment is hit; a batch of empty
    // operations.
    const empties = Array.from({ length: 40_000 }, () => new Uint8Array(0));
    const holes = logOf(empties).bytes;
    for (let at = 7; at < holes.length; at += 14) holes[at] = 1;
    const files = [new Uint8Array(size).fill(1), new Uint8Array(size).fill(2), noise, holes];
    for (const bytes of files) {
      const start = performance.now();
      await scan(rocksdb, bytes);
      expect(performance.now() - start).toBeLessThan(4000);
    }
  });
});

describe('round trip', () => {
  const key = fc.uint8Array({ maxLength: 20 });
  const value = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 70_000 }).map((n) => new Uint8Array(n).fill(n & 0xff)),
    fc.integer({ min: 32_700, max: 32_780 }).map((n) => new Uint8Array(n).fill(n & 0xff)),
  );
  const operation = fc.oneof(fc.tuple(fc.constant(1), key, value), fc.tuple(fc.constant(0), key));
  const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { maxLength: 8 });

  it('reads what was written, and writes it again', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.option(fc.nat()), async (content, number) => {
        let seq = 1;
        const payloads = content.map((operations) => {
          const payload = batch(seq, operations);
          seq += operations.length;
          return payload;
        });
        const name = number === null ? '000007.log' : `${number}.log`;
        const { bytes, places } = logOf(payloads, number ?? undefined);
        const { records, damage } = await scan(rocksdb, bytes, { name });
        expect(damage).toEqual([]);
        const flat = content.flatMap((operations, i) =>
          operations.map(([tag, k, v], index) => {
            const { offset, end } = places[i]!;
            return [offset, end - offset, index, tag === 1 ? 'put' : 'delete', k, v?.length];
          }),
        );
        expect(records.map(({ seq: s }) => Number(s))).toEqual(flat.map((_, i) => i + 1));
        const bytesOf = (field: unknown) =>
          typeof field === 'string'
            ? Buffer.from(field)
            : Buffer.from((field as { hex: string }).hex, 'hex');
        expect(
          records.map((r) => [
            r.offset,
            r.length,
            r.index,
            r.op,
            Uint8Array.from(bytesOf(r.key)),
            r.value === undefined ? undefined : bytesOf(r.value).length,
          ]),
        ).toEqual(flat);
        const legacy = await rewrite(rocksdb, bytes, name);
        expect(Buffer.compare(legacy, logOf(payloads).bytes)).toBe(0);
        expect(await layoutFaults(rocksdb, bytes, name)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('repairs what is left of a damaged log into a clean one', async () => {
    const { bytes, places } = threeBlocks();
    const hurt = flip(flip(bytes, places[3]!.offset + 20, 1), places[100]!.offset + 40_000, 2);
    const before = await scan(leveldb, hurt);
    const after = await scan(leveldb, await rewrite(leveldb, hurt));
    expect(after.damage).toEqual([]);
    const content = (records: readonly Told[]) =>
      records.map(({ seq, op, key, value }) => [seq, op, key, value]);
    expect(content(after.records)).toEqual(content(before.records));
    expect(after.records.length).toBe(119);
  });
});
