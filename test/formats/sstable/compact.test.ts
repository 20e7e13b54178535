import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactTables } from '../../../src/formats/sstable/compact.ts';
import { type EntryBlock, TYPE, typeName } from '../../../src/formats/sstable/entry-block.ts';
import type { MergeInput } from '../../../src/formats/sstable/merge.ts';
import type { TableDialect } from '../../../src/formats/sstable/model.ts';
import {
  pickLeveled,
  pickSizeTiered,
  type TableFacts,
} from '../../../src/formats/sstable/picks.ts';
import { v1 } from '../../../src/formats/sstable/v1/index.ts';
import { v2 } from '../../../src/formats/sstable/v2/index.ts';
import { MemorySource } from '../../support/memory.ts';
import { context, type Entry, tableOf } from './tables.ts';

async function inputOf(dialect: TableDialect, entries: Entry[]): Promise<MergeInput> {
  const source = new MemorySource('t.sst', tableOf(dialect, entries, { blockBytes: 128 }));
  return { dialect, source, table: await dialect.open(source, context) };
}

async function compacted(
  inputs: MergeInput[],
  olderElsewhere = (_: Uint8Array) => true,
  keepAll = false,
) {
  const told: string[] = [];
  const sink = {
    add(block: EntryBlock, i: number) {
      const value = block.value(i);
      const seq = (BigInt(block.seqHigh[i]!) << 32n) | BigInt(block.seqLow[i]!);
      const shown = value ? Buffer.from(value).toString() : '-';
      told.push(
        `${Buffer.from(block.key(i)).toString()}@${seq} ${typeName(block.types[i]!)} ${shown}`,
      );
    },
    keyEnds() {},
  };
  const counts = await compactTables(inputs, { keepAll, olderElsewhere }, sink, () => {});
  return { told, counts };
}

const put = (key: string, seq: number, value = `v${seq}`): Entry => ({ key, seq, value });
const del = (key: string, seq: number): Entry => ({ key, seq });

describe('compaction', () => {
  it('keeps the newest of each key, and deletions unless nothing older can be elsewhere', async () => {
    const inputs = [
      await inputOf(v2, [put('a', 1), put('b', 2), put('c', 3)]),
      await inputOf(v2, [put('a', 9), del('b', 8), put('d', 7), put('d', 4)]),
    ];
    const kept = await compacted(inputs);
    expect(kept.told).toEqual(['a@9 put v9', 'b@8 delete -', 'c@3 put v3', 'd@7 put v7']);
    expect(kept.counts).toMatchObject({ entriesRead: 7, entriesWritten: 4, shadowed: 3 });
    const bottom = await compacted(inputs, (key) => Buffer.from(key).toString() !== 'b');
    expect(bottom.told).toEqual(['a@9 put v9', 'c@3 put v3', 'd@7 put v7']);
    expect(bottom.counts.deletionsDropped).toBe(1);
    expect((await compacted(inputs, undefined, true)).told).toHaveLength(7);
  });

  it('leaves merge operands as they are, down to their base', async () => {
    const operand = (seq: number): Entry => ({ key: 'k', seq, value: `+${seq}`, type: TYPE.merge });
    const inputs = [await inputOf(v2, [operand(5), operand(4), put('k', 3), put('k', 2)])];
    const { told } = await compacted(inputs);
    expect(told).toEqual(['k@5 merge +5', 'k@4 merge +4', 'k@3 put v3']);
  });

  it('drops what a range deletion covers, and keeps the range', async () => {
    const range: Entry = { key: 'b', value: 'd', seq: 5, type: TYPE.rangeDelete };
    const inputs = [
      await inputOf(v2, [put('a', 1), put('b', 2), put('c', 6), put('d', 3)]),
      await inputOf(v2, [range]),
    ];
    const { told } = await compacted(inputs);
    expect(told).toEqual(['a@1 put v1', 'c@6 put v6', 'd@3 put v3', 'b@5 delete-range d']);
    const bottom = await compacted(inputs, () => false);
    expect(bottom.told).toEqual(['a@1 put v1', 'c@6 put v6', 'd@3 put v3']);
  });

  it('without sequence numbers: by timestamp, then the later table', async () => {
    const at = (key: string, timestamp: number, value: string): Entry => ({
      key,
      timestamp,
      value,
    });
    const inputs = [
      await inputOf(v1, [at('a', 9, 'late'), at('b', 5, 'first')]),
      await inputOf(v1, [at('a', 3, 'early'), at('b', 5, 'second')]),
    ];
    const { told } = await compacted(inputs);
    expect(told).toEqual(['a@0 put late', 'b@0 put second']);
  });

  it('of any tables is what a map of the newest says', async () => {
    const table = fc.uniqueArray(fc.tuple(fc.nat(20), fc.boolean()), {
      selector: ([key]) => key,
      maxLength: 15,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(table, { minLength: 1, maxLength: 6 }), async (tables) => {
        const newest = new Map<string, string>();
        const inputs: MergeInput[] = [];
        for (const [n, rows] of tables.entries()) {
          const entries = rows
            .map(([key, live]) => ({ key: `k${String(key).padStart(2, '0')}`, live }))
            .sort((a, b) => (a.key < b.key ? -1 : 1))
            .map(({ key, live }) => (live ? put(key, n + 1) : del(key, n + 1)));
          for (const { key, value } of entries) newest.set(key, value ?? '-');
          inputs.push(await inputOf(v2, entries));
        }
        const { told } = await compacted(inputs, () => false);
        const expected = [...newest]
          .filter(([, value]) => value !== '-')
          .map(([key, value]) => `${key} ${value}`);
        expect(told.map((line) => line.replace(/@\d+ put/, ''))).toEqual(expected.sort());
      }),
      { numRuns: 80 },
    );
  });
});

describe('picks', () => {
  const table = (name: string, bytes: number, level = 0, first = 'a', last = 'z'): TableFacts => ({
    name,
    bytes,
    level,
    first: Buffer.from(first),
    last: Buffer.from(last),
  });

  it('size-tiered: four of about the same size', () => {
    const sizes = [100, 5000, 110, 95, 5200, 105];
    expect(pickSizeTiered(sizes.map((bytes, i) => table(`t${i}`, bytes))).tables).toEqual([
      0, 2, 3, 5,
    ]);
    expect(pickSizeTiered([table('a', 100), table('b', 100), table('c', 100)])).toMatchObject({
      tables: [],
    });
  });

  it('leveled: four files of level 0 with what overlaps below', () => {
    const tables = [
      table('0', 10, 0, 'a', 'c'),
      table('1', 10, 0, 'b', 'd'),
      table('2', 10, 0, 'a', 'b'),
      table('3', 10, 0, 'c', 'd'),
      table('4', 10, 1, 'a', 'b'),
      table('5', 10, 1, 'x', 'z'),
    ];
    expect(pickLeveled(tables)).toMatchObject({ tables: [0, 1, 2, 3, 4], level: 1 });
    expect(pickLeveled(tables.slice(1))).toMatchObject({ tables: [] });
  });

  it('leveled: of a level that is too large, the file with the least overlap', () => {
    const mib = 1024 * 1024;
    const tables = [
      table('0', 6 * mib, 1, 'a', 'f'),
      table('1', 6 * mib, 1, 'g', 'm'),
      table('2', 9 * mib, 2, 'a', 'c'),
      table('3', 2 * mib, 2, 'h', 'i'),
      table('4', 9 * mib, 2, 'd', 'e'),
    ];
    expect(pickLeveled(tables)).toMatchObject({ tables: [1, 3], level: 2 });
  });
});
