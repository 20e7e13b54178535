/** The commands that write to a textbook B+tree, as a user runs them. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ddia, json, lines, temporaryDirectory } from './run.ts';

const fresh = () => join(temporaryDirectory(), 'store');
const golden = 'fixtures/btree/v1/clean';
const V1 = ['--dialect', 'v1'];
const SHAPE = ['--page-size', '1024', '--max-keys', '16', '--free-pages', '4'];
const scanned = () => ddia(['btree', 'scan', golden, '--json']).stdout;
const rows = (dir: string) => lines(ddia(['btree', 'scan', dir, '--json']));
const bytesOf = (dir: string) => readFileSync(join(dir, 'btree.db'));

describe('btree put, get, delete with --dialect v1', () => {
  it('tell what was there, and leave one file', () => {
    const dir = fresh();
    const put = ddia(['btree', 'put', dir, 'a', '1', ...V1]);
    expect(put.stdout).toBe(`${dir}: put, new\n`);
    expect(readdirSync(dir)).toEqual(['btree.db']);
    expect(statSync(join(dir, 'btree.db')).size).toBe(2 * 4096);
    // From here on by what is there, by the directory or by the file.
    const file = join(dir, 'btree.db');
    expect(json(ddia(['btree', 'put', file, 'a', 'hex:00ff', '--json']))).toMatchObject({
      new: false,
    });
    expect(ddia(['btree', 'get', dir, 'a']).stdout).toContain('hex:00ff');
    expect(ddia(['btree', 'delete', dir, 'a']).stdout).toBe(`${dir}: deleted\n`);
    expect(ddia(['btree', 'delete', dir, 'a', ...V1])).toMatchObject({ status: 1 });
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
    expect(json(ddia(['btree', 'stat', dir, '--json']))).toMatchObject({
      dialect: 'v1',
      root: 1,
      height: 1,
      totalKeys: 0,
      nextFree: 2,
    });
  });

  it('refuse what cannot be', () => {
    const dir = fresh();
    const long = ddia(['btree', 'put', dir, 'k', 'v'.repeat(600), ...V1, '--page-size', '512']);
    expect(long.status).toBe(3);
    expect(long.stderr).toContain('there may be 501');
    const size = ddia(['btree', 'put', dir, 'k', 'v', '--page-size', '1024']);
    expect(size).toMatchObject({ status: 2 });
    expect(size.stderr).toContain('has pages of 512 bytes, not 1024');
    const other = ddia(['btree', 'put', dir, 'k', 'v', '--dialect', 'v2']);
    expect(other).toMatchObject({ status: 2 });
    expect(other.stderr).toContain('is a store of layout v1, not v2');
    const second = fresh();
    ddia(['btree', 'put', second, 'k', 'v']);
    expect(ddia(['btree', 'delete', second, 'k', ...V1]).stderr).toContain('of layout v2, not v1');
    expect(ddia(['btree', 'vacuum', fresh(), ...V1]).stderr).toContain('no store at');
    writeFileSync(join(second, 'some.file'), 'text');
    const text = ddia(['btree', 'put', join(second, 'some.file'), 'k', 'v', ...V1]);
    expect(text.stderr).toContain('is a file: a store is a directory');
  });

  it('apply the log that another program left, and say so', () => {
    const dir = fresh();
    mkdirSync(dir);
    for (const name of ['btree.db', 'btree.wal']) {
      writeFileSync(join(dir, name), readFileSync(join('fixtures/btree/v1/with-redo-log', name)));
    }
    const put = ddia(['btree', 'put', dir, 'b', '2']);
    expect(put.stderr).toContain('recovered: btree.wal is applied: 2 pages');
    expect(readdirSync(dir)).toEqual(['btree.db']);
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
    expect(rows(dir)).toHaveLength(301);
  });

  it('write to no file whose length does not bear out its pages', () => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1', ...V1]);
    appendFileSync(join(dir, 'btree.db'), Buffer.alloc(4096));
    const put = ddia(['btree', 'put', dir, 'b', '2']);
    expect(put.stderr).toContain(
      'has 12288 bytes, its pages 4096, and its metadata says next_free',
    );
    expect(put.status).toBe(3);
  });
});

describe('btree import with --dialect v1', () => {
  it('gives the file that another program wrote, byte for byte, sorted or not', () => {
    const text = scanned();
    const sorted = fresh();
    const done = json(
      ddia(['btree', 'import', sorted, ...V1, ...SHAPE, '--json'], { input: text }),
    );
    expect(done).toEqual({ dir: sorted, puts: 300, deletions: 0, keys: 300 });
    expect(bytesOf(sorted).equals(bytesOf(golden))).toBe(true);
    expect(readdirSync(sorted)).toEqual(['btree.db']);

    const all = text.trimEnd().split('\n');
    // Ascending for a while, then back: with keys twice, and one that goes again.
    const mixed = [
      ...all.slice(0, 100),
      '{"key":"k00500","value":"old"}',
      ...all.slice(100).reverse(),
      '{"key":"zzz","value":"1"}',
      '{"key":"zzz","deleted":true}',
      '{"key":"k00500","deleted":true}',
    ];
    const unsorted = fresh();
    ddia(['btree', 'import', unsorted, ...V1, ...SHAPE], { input: mixed.join('\n') });
    expect(bytesOf(unsorted).equals(bytesOf(golden))).toBe(true);
  });

  it('writes to a tree that is there key by key, and deletes', () => {
    const dir = fresh();
    ddia(['btree', 'import', dir, ...V1, '--page-size', '512'], { input: scanned() });
    const first = scanned().trimEnd().split('\n');
    const gone = first.map((line) => JSON.stringify({ ...JSON.parse(line), deleted: true }));
    ddia(['btree', 'import', dir], { input: gone.slice(3).join('\n') });
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
    const size = statSync(join(dir, 'btree.db')).size;
    const vacuum = json<{ before: number; after: number }>(
      ddia(['btree', 'vacuum', dir, '--json']),
    );
    expect(vacuum).toMatchObject({ before: size, after: 1024 });
    expect(statSync(join(dir, 'btree.db')).size).toBe(1024);
    expect(rows(dir)).toHaveLength(3);
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
    const shaped = ddia(['btree', 'import', dir, '--free-pages', '3'], { input: '' });
    expect(shaped).toMatchObject({ status: 2 });
  });

  it('of a bad line writes nothing, and says which it is', () => {
    const dir = fresh();
    const input = `{"key":"a","value":"1"}\n{"key":"b","value":"${'x'.repeat(5000)}"}\n`;
    const bad = ddia(['btree', 'import', dir, ...V1], { input });
    expect(bad.stderr).toContain('line 2: key and value have 5001 bytes');
    expect(rows(dir)).toEqual([]);
    expect(readdirSync(dir)).toEqual(['btree.db']);
  });
});

describe('btree bench with --dialect v1', () => {
  it('measures, and leaves nothing', () => {
    const dir = temporaryDirectory();
    const args = ['btree', 'bench', dir, '--count', '500', '--sync', 'none', '--json', ...V1];
    expect(json(ddia(args))).toMatchObject({ dialect: 'v1', count: 500, height: 2 });
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a plan', () => {
  it('of a tree with a redo log is refused when the log has changed', () => {
    const dir = temporaryDirectory();
    const plan = join(temporaryDirectory(), 'plan.json');
    cpSync('fixtures/btree/v1/with-redo-log', dir, { recursive: true });
    const log = join(dir, 'btree.wal');
    const there = readFileSync(log);
    ddia(['btree', 'repair', dir, '--plan', plan]);
    const apply = () => ddia(['repair', '--apply', plan, '--out', join(fresh(), 'out')]);
    for (const other of [there.subarray(0, 0), Buffer.from(there).fill(7, 100, 101)]) {
      writeFileSync(log, other);
      const { status, stderr } = apply();
      expect(status).toBe(3);
      expect(stderr).toContain('changed since the plan was made');
    }
    writeFileSync(log, there);
    expect(apply().status).toBe(0);
  });

  it('is not carried out where the result of a killed repair may be all that is left', () => {
    const dir = join(temporaryDirectory(), 'store');
    const left = `${dir}.repaired-1`;
    cpSync('fixtures/btree/v1/page-type', dir, { recursive: true });
    mkdirSync(left);
    const repair = () => ddia(['btree', 'repair', dir, '--in-place', '--no-backup']);
    const { status, stderr } = repair();
    expect(status).toBe(3);
    expect(stderr).toContain(`${left} is the result of an earlier repair that did not end`);
    rmdirSync(left);
    expect(repair().status).toBe(0);
  });

  it('is carried out by the page size that it was made by', () => {
    const dir = fresh();
    const plan = join(temporaryDirectory(), 'plan.json');
    ddia(['btree', 'import', dir, ...V1, ...SHAPE], { input: scanned() });
    const tree = join(dir, 'btree.db');
    writeFileSync(tree, readFileSync(tree).fill(0x64, 0, 20));
    const [applied, direct] = [fresh(), fresh()];
    ddia(['btree', 'repair', dir, '--page-size', '512', '--plan', plan]);
    ddia(['btree', 'repair', dir, '--page-size', '512', '--out', direct]);
    expect(ddia(['repair', '--apply', plan, '--out', applied]).status).toBe(0);
    expect(bytesOf(applied).equals(bytesOf(direct))).toBe(true);
  });
});
