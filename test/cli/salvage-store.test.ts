/** Rows of SQLite, LMDB and bbolt, put into a store of ours: btree repair --to v2. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { salvageIntoStore } from '../../src/cli/salvage-store.ts';
import { BtreeStore } from '../../src/engines/btree/store.ts';
import type { Identified } from '../../src/formats/detect.ts';
import { DEFAULT_LIMITS } from '../../src/formats/format.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { ddia, type ErrorAnswer, json, lines, root, temporaryDirectory } from './run.ts';

interface Row {
  tree: string;
  key: unknown;
  value: unknown;
}
type Report = Record<'rows' | 'orphans', number> & { damaged: boolean };

const bytesOf = (shown: unknown): Buffer =>
  typeof shown === 'string'
    ? Buffer.from(shown)
    : Buffer.from((shown as { hex: string }).hex, 'hex');

/** Key and value as the store should have them, the key without its number. */
function expected({ tree, key, value }: Row, sqlite: boolean): string {
  const of = (shown: unknown) => (sqlite ? Buffer.from(JSON.stringify(shown)) : bytesOf(shown));
  return `${Buffer.concat([Buffer.from(`${tree}\0`), of(key)]).toString('hex')} ${of(value).toString('hex')}`;
}

function stored(dir: string): string[] {
  return lines<Row>(ddia(['btree', 'scan', dir, '--json'])).map(({ key, value }) => {
    const own = bytesOf(key)
      .toString('latin1')
      .replace(/(\0.*)\0#\d+$/s, '$1');
    return `${Buffer.from(own, 'latin1').toString('hex')} ${bytesOf(value).toString('hex')}`;
  });
}

/** The rows as lines of JSON, and what is in the store made of the same file. */
function bothWays(path: string): { rows: Row[]; dir: string; report: Report } {
  const [file, dir] = [join(temporaryDirectory(), 'rows'), join(temporaryDirectory(), 'store')];
  const told = json<Report>(ddia(['btree', 'repair', path, '--out', file, '--json']));
  const ran = ddia(['btree', 'repair', path, '--out', dir, '--to', 'v2', '--json']);
  const report = json<Report>(ran);
  expect(ran.status).toBe(report.damaged ? 1 : 0);
  expect([report.rows, report.orphans]).toEqual([told.rows, told.orphans]);
  expect(ddia(['btree', 'fsck', dir, '--deep'])).toMatchObject({ status: 0 });
  expect(readdirSync(dir)).toEqual(['tree.bt2']);
  const text = readFileSync(file, 'utf8');
  return { rows: lines<Row>({ status: 0, stdout: text, stderr: '' }), dir, report };
}

describe('the store has every row that the lines have', () => {
  const files = ['lmdb/data.mdb', 'bbolt/users.db', 'sqlite/features.db', 'sqlite/rowid-order.db'];
  it.each(files)('of %s', (name) => {
    const { rows, dir } = bothWays(join(root, 'fixtures/btree', name));
    expect(rows.length).toBeGreaterThan(10);
    const sqlite = name.startsWith('sqlite');
    expect(stored(dir).sort()).toEqual(rows.map((row) => expected(row, sqlite)).sort());
  });

  it('of a file whose root is gone: lost and found', () => {
    const bytes = readFileSync(join(root, 'fixtures/btree/lmdb/data.mdb'));
    // Page 4, the root of the main database: no longer a branch.
    bytes.writeUInt16LE(0xffff, 4 * 4096 + 10);
    const path = join(temporaryDirectory(), 'data.mdb');
    writeFileSync(path, bytes);
    const { rows, dir, report } = bothWays(path);
    expect(report.orphans).toBeGreaterThan(100);
    expect(report.damaged).toBe(true);
    expect(stored(dir).sort()).toEqual(rows.map((row) => expected(row, false)).sort());
  });
});

describe('where the store goes', () => {
  const source = join(root, 'fixtures/btree/bbolt/users.db');
  const repair = (out: string, ...more: string[]) =>
    ddia(['btree', 'repair', source, '--out', out, '--to', 'v2', '--json', ...more]);

  it('is not taken from anything, but with --force', () => {
    const parent = temporaryDirectory();
    const out = join(parent, 'store');
    expect(repair(out).status).toBe(0);
    expect(ddia(['btree', 'put', out, 'mine', '1']).status).toBe(0);
    expect(json<ErrorAnswer>(repair(out)).error.code).toBe('exists');
    expect(ddia(['btree', 'get', out, 'mine']).status).toBe(0);
    expect(repair(out, '--force').status).toBe(0);
    expect(ddia(['btree', 'get', out, 'mine']).status).toBe(1);
    expect(readdirSync(parent)).toEqual(['store']);
  });

  it('is a directory for v2, a file for the others', () => {
    const parent = temporaryDirectory();
    const [file, directory] = [join(parent, 'file'), join(parent, 'directory')];
    writeFileSync(file, 'mine');
    expect(json<ErrorAnswer>(repair(file, '--force')).error.code).toBe('not-a-directory');
    expect(repair(directory).status).toBe(0);
    const lines = ddia(['btree', 'repair', source, '--out', directory, '--force']);
    expect(lines.stderr).toContain(`is a directory: ${directory}\n`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(parent).sort()).toEqual(['directory', 'file']);
  });
});

/** A file whose rows are these. */
function fileOf(pairs: () => Iterable<[string, string]>): Identified {
  const salvage: Identified['family']['salvage'] = async (_input, context, target) => {
    if (target.to !== 'v2') throw new Error(`rows for a store, not for ${target.to}`);
    for (const [key, value] of pairs()) {
      context.signal?.throwIfAborted();
      target.pair(Buffer.from(key), Buffer.from(value));
    }
    return { rows: 0, trees: 1, orphans: 0, parts: 0, counts: {} };
  };
  return { family: { salvage } } as unknown as Identified;
}

function read(dir: string): [string, string][] {
  const store = BtreeStore.open(new RealDisk(), dir);
  try {
    return [...store.scan()].map(({ key, value }) => [key.toString(), value.toString()]);
  } finally {
    store.close();
  }
}

describe('salvageIntoStore', () => {
  const context = { limits: DEFAULT_LIMITS };
  const made = async (pairs: () => Iterable<[string, string]>) => {
    const dir = join(temporaryDirectory(), 'store');
    await salvageIntoStore(fileOf(pairs), dir, false, context);
    return read(dir);
  };

  it('numbers keys that come again, among those that look numbered', async () => {
    const pairs: [string, string][] = [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['a\0#3', 'a row of its own'],
      ['b', '2'],
      ['a', '3'],
      ['a\0#3', 'again'],
    ];
    expect(await made(() => pairs)).toEqual([
      ['a', '1'],
      ['a\0#2', '2'],
      ['a\0#3', 'a row of its own'],
      ['a\0#3\0#2', 'again'],
      ['a\0#4', '3'],
      ['b', '1'],
      ['b\0#2', '2'],
    ]);
  });

  it('is not slowed down by one key that comes again and again', async () => {
    const pairs = function* (): Iterable<[string, string]> {
      for (let i = 0; i < 40_000; i++) yield [i % 2 === 0 ? 'a' : 'b', `${i}`];
    };
    const found = await made(pairs);
    expect(new Set(found.map(([key]) => key)).size).toBe(40_000);
    const values = found.map(([, value]) => Number(value)).sort((a, b) => a - b);
    expect(values).toEqual(Array.from({ length: 40_000 }, (_, i) => i));
  });

  it('takes larger pages for keys that the usual ones have no room for', async () => {
    const pairs: [string, string][] = [
      ['short', '1'],
      ['long'.repeat(1500), '2'],
    ];
    expect(await made(() => pairs)).toEqual([...pairs].reverse());
  });

  it('cuts keys that no page has room for, whose values then begin with them', async () => {
    const [one, other] = ['long'.repeat(20_000), `${'long'.repeat(19_999)}last`];
    const edge = 'e'.repeat(8166);
    const pairs: [string, string][] = [
      [one, '1'],
      [other, '2'],
      [one, '3'],
      [edge, '4'],
      [edge, '5'],
    ];
    const found = await made(() => pairs);
    const [beginning, end] = ['long'.repeat(2034).slice(0, 8134), '\0+80000'];
    expect(found).toEqual([
      [`${'e'.repeat(8134)}\0+8166`, `${edge}5`],
      [edge, '4'],
      [`${beginning}${end}`, `${one}1`],
      [`${beginning}${end}\0#2`, `${other}2`],
      [`${beginning}${end}\0#3`, `${one}3`],
    ]);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const parent = temporaryDirectory();
    const out = join(parent, 'store');
    const stop = new AbortController();
    const stopped = fileOf(function* () {
      for (let i = 0; i < 1000; i++) {
        if (i === 900) stop.abort(new Error('stopped'));
        yield [`${i}`, 'x'.repeat(20_000)];
      }
    });
    const signal = stop.signal;
    await expect(salvageIntoStore(stopped, out, false, { ...context, signal })).rejects.toThrow(
      'stopped',
    );
    expect(readdirSync(parent)).toEqual([]);
  });
});
