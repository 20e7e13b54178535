/**
 * RocksDB itself, through ldb and its C interface: what it writes is read, and what a repair leaves
 * it reads.
 */
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ddia } from '../cli/run.ts';
import { dumpManifest, dumpWal, type LdbBatch, type LdbManifest, ldb } from './ldb.ts';
import {
  describePeer,
  dump,
  expectClean,
  hexOf,
  type Line,
  logsOf,
  needs,
  peer,
  pythonFor,
  RandomBytes,
  script,
  workspace,
} from './peers.ts';

const FIND_LIBRARY = "import ctypes.util as u; exit(u.find_library('rocksdb') is None)";
const python = pythonFor(FIND_LIBRARY);
const BLOCK_BYTES = 32_768;

/**
 * Holds a dump against what ldb says of the same log. ldb leaves log-data out, which has no key.
 */
function expectSame(told: readonly Line[], batches: readonly LdbBatch[]): void {
  const expected = batches.flatMap(({ seq, offset, operations }) =>
    operations.map((operation, i) => ({ offset, seq: seq + i, ...operation })),
  );
  const shown = told
    .filter(({ op }) => op !== 'log-data')
    .map(({ offset, seq, op, cf, key, value }) => ({
      offset,
      seq,
      op,
      cf,
      key: hexOf(key),
      value: hexOf(value),
    }));
  expect(shown).toEqual(expected);
  for (const { count, operations } of batches) expect(operations.length).toBe(count);
}

function expectSameLog(log: string): void {
  expectSame(dump(log, '--dialect', 'rocksdb'), dumpWal(log));
  expectClean(log, '--dialect', 'rocksdb');
}

function manifestOf(database: string): string {
  const current = readFileSync(join(database, 'CURRENT'), 'utf8').trim();
  return join(database, current);
}

/** Fields of version edits, as the dump shows them. */
interface Edit extends Line {
  columnFamily: number;
  name: string;
  comparator: string;
  logNumber: number;
  level: number;
  fileNumber: number;
  fileSize: number;
  smallestSeq: number;
  largestSeq: number;
  lastSequence: number;
  maxColumnFamily: number;
  minLogNumberToKeep: number;
}

/** Applies the edits of a MANIFEST to nothing, and tells the outcome as ldb does. */
function replayManifest(path: string): LdbManifest {
  const fields = dump(path) as Edit[];
  const edits = new Map<number, Edit[]>();
  for (const field of fields) edits.set(field.offset, [...(edits.get(field.offset) ?? []), field]);
  const families = new Map([[0, emptyFamily(0, 'default')]]);
  let [lastSequence, maxColumnFamily, minLogNumberToKeep] = [0, 0, 0];
  for (const edit of edits.values()) {
    const id = edit.find(({ op }) => op === 'column-family')?.columnFamily ?? 0;
    const added = edit.find(({ op }) => op === 'column-family-add');
    if (added) families.set(id, emptyFamily(id, added.name));
    maxColumnFamily = Math.max(maxColumnFamily, id);
    if (edit.some(({ op }) => op === 'column-family-drop')) families.delete(id);
    const family = families.get(id);
    for (const field of edit) {
      if (field.op === 'last-sequence') lastSequence = field.lastSequence;
      if (field.op === 'max-column-family') maxColumnFamily = field.maxColumnFamily;
      if (field.op === 'min-log-number-to-keep') minLogNumberToKeep = field.minLogNumberToKeep;
      if (family) applyTo(family, field);
    }
  }
  return {
    families: [...families.values()].map(({ tables, ...family }) => ({
      ...family,
      tables: [...tables.values()].sort(),
    })),
    lastSequence,
    maxColumnFamily,
    minLogNumberToKeep,
  };
}

type Family = ReturnType<typeof emptyFamily>;

function emptyFamily(id: number, name: string) {
  return { id, name, logNumber: 0, comparator: '', tables: new Map<string, string>() };
}

function applyTo(family: Family, field: Edit): void {
  const { op, level, fileNumber, fileSize, smallestSeq, largestSeq } = field;
  if (op === 'log-number') family.logNumber = field.logNumber;
  if (op === 'comparator') family.comparator = field.comparator;
  if (op === 'deleted-file') family.tables.delete(`${level} ${fileNumber}`);
  if (op === 'new-file') {
    const table = `${level} ${fileNumber}:${fileSize}[${smallestSeq} .. ${largestSeq}]`;
    family.tables.set(`${level} ${fileNumber}`, table);
  }
}

describePeer('RocksDB, through ldb', () => {
  needs('ldb', ['--version'], 'rocksdb-tools');
  const at = workspace();

  it('leaves a log after each command that is read as ldb reads it', () => {
    const db = `--db=${at.path('db')}`;
    const binary = Buffer.from([0, 255, 254, 34, 92]).toString('hex');
    const large = 'ab'.repeat(40_000);
    const pairs = Array.from({ length: 200 }, (_, i) => [`k${i}`, 'v'.repeat((i * 7) % 900)]);
    const commands = [
      [db, '--create_if_missing', 'put', 'a', '1'],
      [db, 'batchput', ...pairs.flat()],
      [db, '--hex', 'batchput', `0x${binary}`, '0x00ff', '0x6c61726765', `0x${large}`],
      [db, 'delete', 'k7'],
      [db, 'deleterange', 'k10', 'k19'],
      [db, 'create_column_family', 'users'],
      [db, '--column_family=users', 'put', 'u', 'in users'],
      [db, '--column_family=users', 'delete', 'u'],
    ];
    for (const command of commands) {
      ldb(...command);
      const log = logsOf(at.path('db')).at(-1)!;
      expect(dumpWal(log).length, command.join(' ')).toBeGreaterThan(0);
      expectSameLog(log);
      const manifest = manifestOf(at.path('db'));
      expectClean(manifest);
      expect(replayManifest(manifest)).toEqual(dumpManifest(manifest));
    }
    const families = dumpManifest(manifestOf(at.path('db'))).families.map(({ name }) => name);
    expect(families).toEqual(['default', 'users']);
  });

  it('keeps several logs when told not to flush: one sequence through all of them', () => {
    const database = at.path('several');
    ldb(`--db=${database}`, '--create_if_missing', 'put', 'first', '1');
    const [options] = readdirSync(database).filter((name) => name.startsWith('OPTIONS-'));
    const text = readFileSync(join(database, options!), 'utf8');
    const name = 'avoid_flush_during_recovery';
    expect(text).toContain(`${name}=false`);
    writeFileSync(join(database, options!), text.replace(`${name}=false`, `${name}=true`));
    for (let i = 0; i < 5; i++) ldb(`--db=${database}`, 'batchput', `a${i}`, 'x', `b${i}`, 'y');
    const logs = logsOf(database);
    expect(logs.length).toBe(6);
    expectSame(dump(database), logs.flatMap(dumpWal));
    expect(dump(database).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 11 }, (_, i) => i + 1),
    );
    expectClean(database);
  });
});

describePeer('RocksDB, through its library', () => {
  needs('ldb', ['--version'], 'rocksdb-tools');
  needs(python, ['-c', FIND_LIBRARY], 'librocksdb7.8');
  const at = workspace();
  const random = new RandomBytes(3);
  /** Families by turns, so that the last byte of a batch is in a key or a value. */
  const batches = Array.from({ length: 1200 }, () =>
    Array.from({ length: random.below(3) === 0 ? 1 + random.below(10) : 1 }, operation),
  );

  function operation(): [string, number, ...string[]] {
    const family = random.below(3) === 0 ? 1 : 0;
    const kind = random.below(20);
    if (kind < 12) return ['put', family, random.key(), random.hex(random.valueBytes())];
    if (kind < 15) return ['delete', family, random.key()];
    if (kind < 17) return ['single-delete', family, random.key()];
    // Bounds the wrong way round are refused; hex sorts as the bytes do.
    if (kind < 18) return ['delete-range', family, ...[random.key(), random.key()].sort()];
    if (kind < 19) return ['merge', family, random.key(), random.hex(8)];
    return ['log-data', 0, random.hex(random.below(40))];
  }

  beforeAll(() => {
    const input = batches.map((batch) => `${JSON.stringify(batch)}\n`).join('');
    peer(python, [script('rocksdb.py'), at.path('db')], input);
  });

  it('writes a log that is read as ldb reads it, and as it was meant', () => {
    const [log] = logsOf(at.path('db'));
    expectSameLog(log!);
    const told = dump(at.path('db'));
    // Log-data has no column family and only its own bytes.
    const meant = batches
      .flat()
      .map(([op, cf, key, value]) =>
        op === 'log-data' ? { op, value: key } : { op, cf, key, value },
      );
    const shown = told.map(({ op, cf, key, value }) =>
      op === 'log-data'
        ? { op, value: hexOf(value) }
        : { op, cf, key: hexOf(key), value: hexOf(value) },
    );
    expect(shown).toEqual(meant);
    expectClean(at.path('db'));
    const manifest = manifestOf(at.path('db'));
    expectClean(manifest);
    expect(replayManifest(manifest)).toEqual(dumpManifest(manifest));
  });

  it('reads a repaired log to its end: exactly the batches that were not hit', () => {
    const [log] = logsOf(at.path('db'));
    const before = dumpWal(log!);
    const end = (i: number) => before[i + 1]?.offset ?? readFileSync(log!).length;
    const hit = before
      .map(({ offset }, i) => ({ offset, end: end(i) }))
      .filter(({ offset, end }, i) => i % 150 === 75 && end - offset > 40);
    const page = before[600]!.offset + 30;
    const tail = before.at(-1)!.offset;
    const damaged = at.path('damaged.log');
    const flips = hit.flatMap(({ end }) => ['--flip', `${end - 3}`]);
    const more = ['--garbage', `${page}:5000`, '--truncate', `${end(before.length - 1) - 1}`];
    expect(ddia(['mutate', log!, ...flips, ...more, '--out', damaged]).status).toBe(0);
    expect(hit.length).toBeGreaterThan(3);
    expect(() => dumpWal(damaged)).toThrow(/Corruption detected/);

    const repaired = repair(damaged, 'repaired');
    const left = before.filter(
      ({ offset }, i) =>
        !hit.some((one) => one.offset === offset) &&
        (offset >= page + 5000 || end(i) <= page) &&
        offset !== tail,
    );
    expect(withoutPlaces(dumpWal(repaired))).toEqual(withoutPlaces(left));
    expectSame(dump(repaired, '--dialect', 'rocksdb'), dumpWal(repaired));
  });

  it('reads a mended log to its end, with everything', () => {
    const [log] = logsOf(at.path('db'));
    const before = dumpWal(log!);
    // What is mended is a batch in one fragment; one in several is not.
    const hit = before.filter(
      ({ offset, bytes }, i) =>
        i % 100 === 50 && bytes > 40 && (offset % BLOCK_BYTES) + 7 + bytes <= BLOCK_BYTES,
    );
    const flips = hit.flatMap(({ offset, bytes }) => ['--flip', `${offset + bytes}`]);
    const damaged = at.path('flipped.log');
    expect(ddia(['mutate', log!, ...flips, '--out', damaged]).status).toBe(0);
    expect(hit.length).toBeGreaterThan(5);
    expect(withoutPlaces(dumpWal(repair(damaged, 'mended', '--mend')))).toEqual(
      withoutPlaces(before),
    );
  });

  it('reads what was repaired after damage that chance chose', () => {
    const [log] = logsOf(at.path('db'));
    const before = withoutPlaces(dumpWal(log!));
    for (let seed = 1; seed <= 5; seed++) {
      const damaged = at.path(`random-${seed}.log`);
      const chance = ['--random', '8:flip,zero,garbage,insert', '--seed', String(seed)];
      expect(ddia(['mutate', log!, ...chance, '--out', damaged]).status).toBe(0);
      const left = withoutPlaces(dumpWal(repair(damaged, `random-${seed}`)));
      expect(left.length, `seed ${seed}`).toBeGreaterThan(before.length / 2);
      expect(notIn(before, left), `seed ${seed}`).toEqual([]);
    }
  });

  function repair(damaged: string, name: string, ...flags: string[]): string {
    const out = at.path(name);
    const ran = ddia(['wal', 'repair', damaged, '--dialect', 'rocksdb', '--out', out, ...flags]);
    expect([0, 1], ran.stderr).toContain(ran.status);
    return join(out, readdirSync(out)[0]!);
  }

  /** What of `some` is not in `all`, in the same order. */
  function notIn<T>(all: readonly T[], some: readonly T[]): T[] {
    const texts = all.map((one) => JSON.stringify(one));
    let from = 0;
    return some.filter((one) => {
      const found = texts.indexOf(JSON.stringify(one), from);
      if (found >= 0) from = found + 1;
      return found < 0;
    });
  }

  /** Records move together when one between them is dropped. */
  function withoutPlaces(batches: readonly LdbBatch[]) {
    return batches.map(({ offset: _, ...batch }) => batch);
  }
});

describePeer('RocksDB, on a repaired log', () => {
  needs('ldb', ['--version'], 'rocksdb-tools');
  const at = workspace();

  it('opens the database with all but the record that was hit', () => {
    const database = at.path('db');
    const rows = Array.from({ length: 500 }, (_, i) => `k${String(i).padStart(4, '0')} ==> v${i}`);
    peer('ldb', [`--db=${database}`, 'load', '--create_if_missing'], `${rows.join('\n')}\n`);
    const [log] = logsOf(database);
    const batches = dumpWal(log!);
    const hit = batches[123]!;
    const damaged = at.path('damaged.log');
    const flip = ['--flip', `${hit.offset + hit.bytes}:1`];
    expect(ddia(['mutate', log!, ...flip, '--out', damaged]).status).toBe(0);
    const out = at.path('out');
    const ran = ddia(['wal', 'repair', damaged, '--dialect', 'rocksdb', '--out', out]);
    expect(ran.status, ran.stderr).toBe(0); // a missing number is no proof of loss here

    const copy = at.path('copy');
    cpSync(database, copy, { recursive: true });
    renameSync(join(out, 'damaged.log'), log!.replace(database, copy));
    const shown = ldb(`--db=${copy}`, 'scan').trim().split('\n');
    expect(shown.map((line) => line.trim())).toEqual(
      rows.map((row) => row.replace(' ==> ', ' : ')).filter((_, i) => i !== 123),
    );
  });
});
