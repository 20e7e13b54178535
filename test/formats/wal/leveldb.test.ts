import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PROBE_HEAD_BYTES } from '../../../src/formats/format.ts';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { fixtureFiles, fixtureJson } from '../../support/memory.ts';
import { flip, layout, layoutFaults, scan, type Told } from './block-log.ts';

const db = fixtureFiles('wal/leveldb/db');
const fragments = fixtureFiles('wal/leveldb/fragments');

/** Keys and values in hex, as the last operation on each left them; null: deleted. */
function stateOf(records: readonly Told[]): Map<string, Buffer | null> {
  const hex = (value: unknown) =>
    typeof value === 'string'
      ? Buffer.from(value)
      : Buffer.from((value as { hex: string }).hex, 'hex');
  return new Map(
    records.map((r) => [hex(r.key).toString('hex'), r.op === 'put' ? hex(r.value) : null]),
  );
}

describe('files of LevelDB', () => {
  it('reads a log in use as LevelDB does', async () => {
    const { records, damage } = await scan(leveldb, db['000010.log']!, { name: '000010.log' });
    expect(damage).toEqual([]);
    expect(records.map(({ seq }) => Number(seq))).toEqual(
      Array.from({ length: 549 }, (_, i) => 2681 + i),
    );
    expect(records.every(({ cf, numbered }) => cf === -1 && numbered)).toBe(true);
    const live = new Map(fixtureJson<[string, string][]>('wal/leveldb/db-live.json'));
    for (const [key, value] of stateOf(records)) {
      expect(value?.toString('hex')).toBe(live.get(key));
    }
    expect(await layoutFaults(leveldb, db['000010.log']!, '000010.log')).toEqual([]);
  });

  it('reads every way to meet the end of a block', async () => {
    const bytes = fragments['000003.log']!;
    const { records, damage } = await scan(leveldb, bytes, { name: '000003.log' });
    expect(damage).toEqual([]);
    expect(records.map(({ seq }) => Number(seq))).toEqual(
      Array.from({ length: 37 }, (_, i) => 1 + i),
    );
    const live = [...stateOf(records)]
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [
        key,
        createHash('sha256').update(value!).digest('hex'),
        value!.length,
      ]);
    const account = fixtureJson<[string, string, number][]>('wal/leveldb/fragments-live.json');
    expect(live.sort()).toEqual(account.sort());

    const spans = await layout(leveldb, bytes, '000003.log');
    expect(await layoutFaults(leveldb, bytes, '000003.log')).toEqual([]);
    const at = (offset: number) => spans.find((span) => span.offset === offset);
    expect(at(32761)).toMatchObject({ name: 'fragment', value: 'first', length: 7 });
    expect(at(65530)).toMatchObject({ name: 'trailer', length: 6 });
    expect(at(131072)).toMatchObject({ name: 'fragment', value: 'middle', length: 32768 });
    const parts = spans.filter(({ offset }) => offset >= 98354 && offset < 168403);
    const leaves = parts.map(({ children }) => children!.at(-1)!.children?.at(-1)?.name);
    expect(leaves).toEqual(['value', 'value (continued)', 'value (continued)']);
  });

  it('reads a MANIFEST field by field', async () => {
    const name = 'MANIFEST-000002';
    const { records, damage } = await scan(leveldb, db[name]!, { name });
    expect(damage).toEqual([]);
    expect(records.every(({ numbered }) => !numbered)).toBe(true);
    expect(records[0]).toMatchObject({
      offset: 0,
      length: 35,
      op: 'comparator',
      extra: { comparator: 'leveldb.BytewiseComparator' },
    });
    expect(records.slice(5, 10).map(({ op, index, batchSize }) => [op, index, batchSize])).toEqual([
      ['log-number', 0, 5],
      ['prev-log-number', 1, 5],
      ['next-file-number', 2, 5],
      ['last-sequence', 3, 5],
      ['new-file', 4, 5],
    ]);
    expect(records.at(-1)!.extra).toEqual({
      level: 0,
      fileNumber: 11,
      fileSize: 13209,
      smallest: { userKey: 'user:000003', seq: 2186, type: 'put' },
      largest: { userKey: 'user:002492', seq: 2196, type: 'put' },
    });
    expect(await layoutFaults(leveldb, db[name]!, name)).toEqual([]);
    // Piped in, its name says nothing: the payload decides.
    expect((await scan(leveldb, db[name]!, { name: '-' })).records).toEqual(records);
  });

  it('knows them, and RocksDB would read them too', () => {
    for (const [files, name] of [
      [db, '000010.log'],
      [db, 'MANIFEST-000002'],
      [fragments, '000003.log'],
    ] as const) {
      const head = files[name]!.subarray(0, PROBE_HEAD_BYTES);
      const probe = { name, size: files[name]!.length, head };
      const beside = { ...probe, siblings: [name, 'CURRENT', '000005.ldb'] };
      expect(leveldb.detect(beside).confidence).toBe('certain');
      expect(rocksdb.detect(beside).confidence).toBe('likely');
      expect(leveldb.detect({ ...probe, siblings: [name] }).confidence).toBe('certain');
      const rocks = { ...probe, siblings: [name, 'OPTIONS-000009'] };
      expect(rocksdb.detect(rocks).confidence).toBe('certain');
      expect(leveldb.detect(rocks).confidence).toBe('likely');
      // Other logs may hold what tells them apart.
      const logs = { ...probe, siblings: [name, '000001.log', '000002.log'] };
      expect(leveldb.detect(logs).confidence).toBe('likely');
    }
    const none = { name: 'x.bin', size: 100, head: Buffer.alloc(100, 7), siblings: [] };
    expect(leveldb.detect(none).confidence).toBe('no');
    expect(leveldb.detect({ ...none, name: '000001.log' }).confidence).toBe('likely');
    const head = flip(db['000010.log']!, 20, 1).subarray(0, PROBE_HEAD_BYTES);
    const hurt = { ...none, name: '000010.log', head };
    expect(leveldb.detect(hurt)).toMatchObject({
      confidence: 'certain',
      reason: expect.stringContaining('the fragment at 97 holds'),
    });
    // Under another name it may be part of something else.
    expect(leveldb.detect({ ...hurt, name: 'dump.bin' }).confidence).toBe('likely');
  });

  it('names its segments', () => {
    expect(leveldb.segmentNumber('000010.log')).toBe(10);
    expect(leveldb.segmentNumber('MANIFEST-000002')).toBeUndefined();
    expect(leveldb.segmentNumber('LOG')).toBeUndefined();
  });
});
