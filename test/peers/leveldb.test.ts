/** LevelDB itself, through plyvel: what it writes is read, and what a repair leaves it opens. */
import { cpSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ddia } from '../cli/run.ts';
import {
  describePeer,
  dump,
  expectClean,
  type Line,
  logsOf,
  needs,
  type Operation,
  operationOf,
  peer,
  pythonFor,
  RandomBytes,
  script,
  workspace,
} from './peers.ts';

const PLYVEL = 'import plyvel';
const python = pythonFor(PLYVEL);
const MIB = 1024 * 1024;
const BLOCK_BYTES = 32_768;

interface TableEdit {
  fileNumber: number;
  fileSize: number;
}

function randomBatches(seed: number, count: number): Operation[][] {
  const random = new RandomBytes(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: random.below(3) === 0 ? 1 + random.below(12) : 1 }, () =>
      random.below(5) === 0
        ? { op: 'delete', key: random.key() }
        : { op: 'put', key: random.key(), value: random.hex(random.valueBytes()) },
    ),
  );
}

function write(path: string, batches: readonly Operation[][], bufferBytes: number): void {
  const input = batches.map((batch) => {
    const operations = batch.map(({ op, key, value }) =>
      op === 'put' ? [op, key, value] : [op, key],
    );
    return `${JSON.stringify(operations)}\n`;
  });
  peer(python, [script('leveldb.py'), 'write', path, String(bufferBytes)], input.join(''));
}

/** What LevelDB holds: pairs in the order of their keys. */
function contentOf(path: string): [string, string][] {
  const text = peer(python, [script('leveldb.py'), 'read', path]);
  const rows = text.split('\n').filter((line) => line !== '');
  return rows.map((line) => JSON.parse(line) as [string, string]);
}

function stateOf(operations: readonly Operation[]): [string, string][] {
  const state = new Map<string, string>();
  for (const { op, key, value } of operations) {
    if (op === 'put') state.set(key!, value!);
    else state.delete(key!);
  }
  // Hex sorts as the bytes do.
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1));
}

function manifestOf(database: string): string {
  return join(database, readdirSync(database).find((name) => name.startsWith('MANIFEST-'))!);
}

describePeer('LevelDB', () => {
  needs(python, ['-c', PLYVEL], 'python3-plyvel');
  const at = workspace();
  const batches = randomBatches(1, 1500);
  const operations = batches.flat();

  beforeAll(() => write(at.path('db'), batches, 64 * MIB));

  it('writes a log that is read operation by operation', () => {
    const database = at.path('db');
    const told = dump(database);
    expect(told.map(operationOf)).toEqual(operations);
    expect(told.map(({ seq }) => seq)).toEqual(operations.map((_, i) => i + 1));
    expect(operations.some(({ value }) => value !== undefined && value.length / 2 > 65_536)).toBe(
      true,
    );
    expectClean(database);
    expectClean(manifestOf(database));
  });

  it('writes batches that are told as batches', () => {
    const ran = ddia(['wal', 'dump', at.path('db'), '--json', '--batches']);
    const told = ran.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { ops: Line[] }).ops.map(operationOf));
    expect(told).toEqual(batches);
  });

  it('flushes to tables: the log that is left holds the end, the MANIFEST all the tables', () => {
    const database = at.path('flushed');
    const many = randomBatches(2, 3000);
    write(database, many, MIB);
    const told = dump(database).map(operationOf);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(many.flat().length);
    expect(told).toEqual(many.flat().slice(-told.length));
    expectClean(database);

    expectClean(manifestOf(database));
    const live = new Map<number, number>();
    for (const edit of dump(manifestOf(database)) as (Line & TableEdit)[]) {
      if (edit.op === 'new-file') live.set(edit.fileNumber, edit.fileSize);
      if (edit.op === 'deleted-file') live.delete(edit.fileNumber);
    }
    expect(live.size).toBeGreaterThan(1);
    // A compaction that closing cut short may leave one more table, so it is asked from this side
    // only.
    for (const [number, size] of live) {
      const name = `${String(number).padStart(6, '0')}.ldb`;
      expect([name, statSync(join(database, name)).size]).toEqual([name, size]);
    }
  });

  it('opens a database whose log was repaired, with all but what was hit', () => {
    const told = dump(at.path('db'));
    const [log] = logsOf(at.path('db'));
    // Inside values of one batch each, far apart; a page of zeros; and the end cut inside a record.
    const hit = told.filter(({ length }, i) => i % 400 === 200 && length > 60);
    const page = told[900]!.offset + 40;
    const cut = told.at(-1)!;
    const flips = hit.flatMap(({ offset, length }) => ['--flip', `${offset + length - 4}:5`]);
    const zeros = ['--zero', `${page}:4096`, '--truncate', `${cut.offset + cut.length - 1}`];
    const damaged = at.path('damaged.log');
    expect(ddia(['mutate', log!, ...flips, ...zeros, '--out', damaged]).status).toBe(0);

    const touched = (line: Line) =>
      hit.some(({ offset }) => offset === line.offset) ||
      (line.offset < page + 4096 && line.offset + line.length > page) ||
      line.offset === cut.offset;
    const left = told.filter((line) => !touched(line));
    expect(hit.length).toBeGreaterThan(2);

    const database = repaired(damaged, 'repaired');
    expect(dump(database, '--dialect', 'leveldb').map(operationOf)).toEqual(left.map(operationOf));
    expect(contentOf(database)).toEqual(stateOf(left.map(operationOf)));
  });

  it('opens a database whose log was mended, with everything', () => {
    const told = dump(at.path('db'));
    const [log] = logsOf(at.path('db'));
    // What is mended is a batch in one fragment; one in several is not.
    const hit = told.filter(
      ({ offset, length }, i) =>
        i % 300 === 100 && length > 60 && (offset % BLOCK_BYTES) + length <= BLOCK_BYTES,
    );
    const flips = hit.flatMap(({ offset, length }) => ['--flip', `${offset + length - 9}`]);
    const damaged = at.path('flipped.log');
    expect(ddia(['mutate', log!, ...flips, '--out', damaged]).status).toBe(0);
    expect(hit.length).toBeGreaterThan(2);

    const database = repaired(damaged, 'mended', '--mend');
    expectClean(database);
    expect(contentOf(database)).toEqual(stateOf(operations));
  });

  it('opens what was repaired after damage that chance chose', () => {
    const [log] = logsOf(at.path('db'));
    for (let seed = 1; seed <= 5; seed++) {
      const damaged = at.path(`random-${seed}.log`);
      const random = ['--random', '6:flip,zero,garbage,insert', '--seed', String(seed)];
      expect(ddia(['mutate', log!, ...random, '--out', damaged]).status).toBe(0);
      const database = repaired(damaged, `random-${seed}`);
      const left = dump(database).map(operationOf);
      expect(left.length, `seed ${seed}`).toBeGreaterThan(operations.length / 2);
      expect(contentOf(database), `seed ${seed}`).toEqual(stateOf(left));
    }
  });

  /** A copy of the database in which the repaired log stands in the place of the log. */
  function repaired(damaged: string, name: string, ...flags: string[]): string {
    const [log] = logsOf(at.path('db'));
    const out = at.path(`${name}-out`);
    const ran = ddia(['wal', 'repair', damaged, '--dialect', 'leveldb', '--out', out, ...flags]);
    expect([0, 1], ran.stderr).toContain(ran.status);
    const database = at.path(name);
    cpSync(at.path('db'), database, { recursive: true });
    renameSync(join(out, readdirSync(out)[0]!), log!.replace(at.path('db'), database));
    return database;
  }
});
