/** Logs in memory, and range deletions cut into stretches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replayLogs } from '../../../src/formats/lsm/logs.ts';
import { RangeCover } from '../../../src/formats/lsm/range-cover.ts';
import { EntryBlock, TYPE } from '../../../src/formats/sstable/entry-block.ts';
import { EntryCopy } from '../../../src/formats/sstable/entry-copy.ts';
import { memorySet, root } from '../../support/memory.ts';
import { context, databaseFiles, open } from './databases.ts';

it('takes what a transaction prepared when it is committed, by the number of the commit', async () => {
  const log = readFileSync(join(root, 'fixtures/wal/rocksdb/transactions/000004.log'));
  const database = {
    ...(await open(databaseFiles('rocksdb'))),
    logSet: memorySet({ '000004.log': log }),
    logs: [{ number: 4, name: '000004.log', size: log.length }],
  };
  const family = { ...database.version.families.get(0)!, logNumber: 0 };
  const { memtable, findings } = await replayLogs(database, family, 1, {}, context);
  const block = new EntryBlock();
  await memtable.read(0, block);
  const told = Array.from({ length: block.count }, (_, i) => {
    const key = Buffer.from(block.key(i)).toString();
    return `${key}=${Buffer.from(block.value(i)!).toString()}@${block.seqLow[i]}`;
  });
  // f was rolled back.
  expect(told.filter((one) => one < 'f')).toEqual(['a=1@1', 'b=2@3', 'c=3@4', 'd=4@2', 'e=5@5']);
  expect(told.some((one) => one.startsWith('f'))).toBe(false);
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
});

describe('range deletions', () => {
  const byte = fc.integer({ min: 0, max: 30 });
  const range = fc.tuple(byte, byte, fc.integer({ min: 1, max: 50 }));
  const entry = (type: number, key: number, value: number, seqLow: number) =>
    new EntryCopy().set({
      type,
      key: Uint8Array.of(key),
      value: Uint8Array.of(value),
      seqHigh: 0,
      seqLow,
      timestamp: undefined,
    }).block;

  it.each([1, -1] as const)('in order %i cover what one of them covers', (order) => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), byte, fc.nat(50), (ranges, key, seq) => {
        const cover = new RangeCover(order);
        for (const [begin, end, by] of ranges) cover.add(entry(TYPE.rangeDelete, begin, end, by));
        const expected = ranges.some(
          ([begin, end, by]) =>
            begin * order <= key * order && key * order < end * order && by > seq,
        );
        expect(cover.seal().covers(entry(TYPE.put, key, 0, seq), 0)).toBe(expected);
      }),
    );
  });
});
