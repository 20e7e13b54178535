import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBE_HEAD_BYTES } from '../../../src/formats/format.ts';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { fixtureFiles, root } from '../../support/memory.ts';
import { flip, layout, layoutFaults, rewrite, scan, type Told } from './block-log.ts';

const db = fixtureFiles('wal/rocksdb/db');
const recycled = fixtureFiles('wal/rocksdb/recycled');

function account(name: string): string {
  return readFileSync(join(root, 'fixtures/wal/rocksdb/expected', name), 'utf8');
}

const OP_NAMES: Readonly<Record<string, string>> = {
  PUT: 'put',
  DELETE: 'delete',
  SINGLE_DELETE: 'single-delete',
  DELETE_RANGE: 'delete-range',
  MERGE: 'merge',
  NOOP: 'noop',
  BEGIN_PREPARE: 'begin-prepare',
  END_PREPARE: 'end-prepare',
  COMMIT: 'commit-xid',
  ROLLBACK: 'rollback-xid',
};

/**
 * What `ldb dump_wal --header --print_value` says, one line a batch: seq, count, bytes, offset,
 * operations.
 */
function dumpOf(text: string) {
  const lines = text.trim().split('\n').slice(1);
  return lines.map((line) => {
    const [seq, count, size, offset, ...rest] = line.split(',');
    const words = rest.join(',').matchAll(/([A-Z_]+)(?:\(([^)]*)\))?((?: :? ?0x[0-9A-F]*)*)/g);
    const operations = [...words].map(([, name, inside, fields]) => {
      const hex = [...fields!.matchAll(/0x([0-9A-F]*)/g)].map((match) => match[1]!.toLowerCase());
      const xid = inside?.startsWith('0x') ? inside.slice(2).toLowerCase() : undefined;
      return { op: OP_NAMES[name!], cf: inside, key: xid ?? hex[0], value: hex[1] };
    });
    const [header, ...plain] = [seq, count, size, offset].map(Number);
    return { seq: header!, count: plain[0]!, size: plain[1]!, offset: plain[2]!, operations };
  });
}

const hexOf = (value: unknown) =>
  value === undefined
    ? undefined
    : typeof value === 'string'
      ? Buffer.from(value).toString('hex')
      : (value as { hex: string }).hex;

/** Compares a scan with RocksDB's own account, which leaves log-data out. */
function expectDump(records: readonly Told[], text: string): void {
  const batches = dumpOf(text);
  const told = records.filter(({ op }) => op !== 'log-data');
  const operations = batches.flatMap((one) =>
    one.operations.map((operation) => ({ ...operation, batch: one })),
  );
  expect(told.length).toBe(operations.length);
  for (const [i, { op, cf, key, value, batch: one }] of operations.entries()) {
    const record = told[i]!;
    expect([record.op, record.offset, hexOf(record.key), hexOf(record.value)]).toEqual([
      op,
      one.offset,
      key,
      value,
    ]);
    if (/^\d+$/.test(cf ?? '')) expect(record.cf).toBe(Number(cf));
    if (record.index === 0) expect(Number(record.seq)).toBe(one.seq);
  }
  for (const one of batches) {
    const inIt = records.filter(({ offset }) => offset === one.offset);
    expect(inIt.filter(({ numbered }) => numbered).length).toBeLessThanOrEqual(one.count);
  }
}

describe('files of RocksDB', () => {
  it('reads a log in use as RocksDB does', async () => {
    const bytes = db['000010.log']!;
    const { records, damage } = await scan(rocksdb, bytes, { name: '000010.log' });
    expect(damage).toEqual([]);
    expectDump(records, account('db-000010.log.dump.txt'));
    expect(records.map(({ seq }) => Number(seq))).toEqual(
      Array.from({ length: 343 }, (_, i) => 346 + i),
    );
    expect(records.at(-1)).toMatchObject({ op: 'delete-range', key: 'k1', value: 'k15', cf: 0 });
    expect(await layoutFaults(rocksdb, bytes, '000010.log')).toEqual([]);
  });

  it('ends a recycled log where the old content begins', async () => {
    const bytes = recycled['000014.log']!;
    const { records, damage } = await scan(rocksdb, bytes, { name: '000014.log' });
    expect(damage).toEqual([]);
    expectDump(records, account('recycled-000014.log.dump.txt'));
    const numbered = records.filter((record) => record.numbered).map(({ seq }) => Number(seq));
    expect(numbered).toEqual(Array.from({ length: 98 }, (_, i) => 1944 + i));
    expect(records.filter(({ op }) => op === 'log-data').map(({ value }) => value)).toEqual([
      'note 6',
      'note 31',
      'note 56',
    ]);
    const spans = await layout(rocksdb, bytes, '000014.log');
    expect(spans.at(-1)).toMatchObject({ name: 'recycled', offset: 40127, length: 63318 - 40127 });
    expect(await layoutFaults(rocksdb, bytes, '000014.log')).toEqual([]);
    // Piped in: the first fragment says which log it is.
    expect((await scan(rocksdb, bytes, { name: '-' })).records).toEqual(records);
    // By the name of the log that the file held before, there is nothing at the start.
    const old = await scan(rocksdb, bytes, { name: '000010.log' });
    expect(old.records.length).toBeGreaterThan(100);
  });

  it('numbers transactions as RocksDB does', async () => {
    const { '000004.log': bytes } = fixtureFiles('wal/rocksdb/transactions');
    const { records, damage } = await scan(rocksdb, bytes!, { name: '000004.log' });
    expect(damage).toEqual([]);
    expectDump(records, account('transactions-000004.log.dump.txt'));
    const told = records.map(({ op, seq, key, numbered }) => [op, seq, key, numbered]);
    expect(told.slice(2, 9)).toEqual([
      ['begin-prepare', '2', undefined, false],
      ['put', '2', 'b', false],
      ['put', '2', 'c', false],
      ['end-prepare', '2', 'xid-1', false],
      ['noop', '2', undefined, false],
      ['put', '2', 'd', true],
      ['commit-xid', '3', 'xid-1', false],
    ]);
    expect(await layoutFaults(rocksdb, bytes!, '000004.log')).toEqual([]);
  });

  it('says that payloads are compressed, and checks them all the same', async () => {
    const { '000004.log': bytes } = fixtureFiles('wal/rocksdb/compressed');
    const { records, damage } = await scan(rocksdb, bytes!, { name: '000004.log' });
    expect(damage).toEqual([]);
    expect(records[0]).toMatchObject({ op: 'set-compression', extra: { compression: 'zstd' } });
    const rest = records.slice(1);
    const dump = dumpOf(account('compressed-000004.log.dump.txt'));
    expect(rest.map(({ offset }) => offset)).toEqual(dump.map(({ offset }) => offset));
    expect(rest.every(({ op, numbered }) => op === 'compressed' && !numbered)).toBe(true);
    expect(rest[0]!.extra).toEqual({ compression: 'zstd', bytes: 44 });
    expect((await scan(rocksdb, flip(bytes!, 100, 0))).damage.length).toBe(1);
    expect(await layoutFaults(rocksdb, bytes!, '000004.log')).toEqual([]);
    expect(Buffer.compare(await rewrite(rocksdb, bytes!), bytes!)).toBe(0);
  });

  it.each([
    ['db', db, 'db-manifest.txt'],
    ['recycled', recycled, 'recycled-manifest.txt'],
  ])('reads the MANIFEST of %s as RocksDB does', async (_, files, expected) => {
    const name = 'MANIFEST-000005';
    const { records, damage } = await scan(rocksdb, files[name]!, { name });
    expect(damage).toEqual([]);
    expect(await layoutFaults(rocksdb, files[name]!, name)).toEqual([]);
    const last = (op: string) =>
      records.findLast((record) => record.op === op)?.extra as Record<string, unknown> | undefined;
    const text = account(expected);
    const numbers = [...text.slice(text.indexOf('next_file_number')).matchAll(/(\w+) (\d+)/g)];
    const summary = new Map(numbers.map(([, what, number]) => [what, number]));
    expect(String(last('last-sequence')?.['lastSequence'])).toBe(summary.get('last_sequence'));
    expect(String(last('prev-log-number')?.['prevLogNumber'])).toBe(summary.get('prev_log_number'));
    const keep = summary.get('min_log_number_to_keep');
    if (keep !== '0') {
      expect(String(last('min-log-number-to-keep')?.['minLogNumberToKeep'])).toBe(keep);
    }
    // Tables that were added and not deleted, each as `number:size[seqs]['key' seq, type .. 'key'
    // seq, type]`.
    const live = new Map<unknown, string>();
    for (const { op, extra } of records) {
      const file = extra as Record<string, Record<string, unknown>>;
      const number = file['fileNumber'] as unknown;
      if (op === 'deleted-file') live.delete(number);
      if (op !== 'new-file') continue;
      const key = ({ userKey, seq, type }: Record<string, unknown>) =>
        `'${userKey}' seq:${seq}, type:${['delete', 'put'].indexOf(type as string)}`;
      live.set(
        number,
        `${number}:${file['fileSize']}[${file['smallestSeq']} .. ${file['largestSeq']}]` +
          `[${key(file['smallest']!)} .. ${key(file['largest']!)}]`,
      );
    }
    const tables = text.match(/^ \d+:\d+\[.*$/gm)!.map((line) => line.trim());
    expect([...live.values()].sort()).toEqual(tables.sort());
  });

  it('is known by what only RocksDB writes', () => {
    for (const [files, name, why] of [
      [db, '000010.log', 'put (tag 5)'],
      [db, 'MANIFEST-000005', 'column-family (tag 200)'],
      [recycled, '000014.log', 'type 5 (recyclable-full)'],
      [fixtureFiles('wal/rocksdb/compressed'), '000004.log', 'type 9 (set-compression)'],
      [fixtureFiles('wal/rocksdb/transactions'), '000004.log', 'noop (tag 13)'],
    ] as const) {
      const head = files[name]!.subarray(0, PROBE_HEAD_BYTES);
      const probe = { name, size: files[name]!.length, head, siblings: [name, '000005.ldb'] };
      expect(rocksdb.detect(probe).confidence).toBe('certain');
      expect(rocksdb.detect(probe).reason).toContain(why);
      expect(leveldb.detect(probe).confidence).toBe('no');
    }
    const empty = { name: '000004.log', size: 0, head: new Uint8Array(0) };
    expect(rocksdb.detect({ ...empty, siblings: ['IDENTITY'] }).confidence).toBe('likely');
    expect(rocksdb.detect({ ...empty, siblings: [] }).confidence).toBe('no');
  });
});
