/** The commands that write to a B+tree of our own, as a user runs them. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { LockFile } from '../../src/io/lock-file.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { ddia, json, lines, root, temporaryDirectory } from './run.ts';

const fresh = () => join(temporaryDirectory(), 'store');
interface Line {
  key: string;
  value: unknown;
}

describe('btree put, get, delete', () => {
  it('tell what was there', () => {
    const dir = fresh();
    expect(ddia(['btree', 'put', dir, 'a', '1']).stdout).toBe(`${dir}: put, new\n`);
    expect(json(ddia(['btree', 'put', dir, 'a', 'hex:00ff', '--json']))).toEqual({
      dir,
      new: false,
    });
    expect(ddia(['btree', 'get', dir, 'a']).stdout).toContain('hex:00ff');
    expect(ddia(['btree', 'delete', dir, 'a']).stdout).toBe(`${dir}: deleted\n`);
    expect(ddia(['btree', 'delete', dir, 'a'])).toMatchObject({ status: 1 });
    expect(ddia(['btree', 'get', dir, 'a']).status).toBe(1);
    expect(ddia(['btree', 'fsck', dir, '--deep']).status).toBe(0);
    expect(readdirSync(dir)).toEqual(['tree.bt2']);
  });

  it('refuse what cannot be, with the limit', () => {
    const dir = fresh();
    const long = ddia(['btree', 'put', dir, 'k'.repeat(200), '1', '--page-size', '512']);
    expect(long.status).not.toBe(0);
    expect(long.stderr).toContain('it may have 102');
    const page = ddia(['btree', 'put', fresh(), 'a', '1', '--page-size', '1000']);
    expect(page.stderr).toContain('a power of two from 512 to 32768');
    const none = ddia(['btree', 'vacuum', fresh()]);
    expect(none.stderr).toContain('no store at');
  });

  it('tell of damage that somebody writes to the store meanwhile', () => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1']);
    writeFileSync(join(dir, 'tree.bt2'), readFileSync(join(dir, 'tree.bt2')).fill(7, 8200, 8300));
    const note = `note: process ${process.pid} writes to ${dir} meanwhile`;
    for (const verb of ['scan', 'fsck']) {
      expect(ddia(['btree', verb, dir]).stderr).not.toContain('note: ');
    }
    const lock = LockFile.acquire(new RealDisk(), join(dir, 'LOCK'));
    for (const verb of ['scan', 'fsck']) {
      const { status, stderr } = ddia(['btree', verb, dir]);
      expect(status).toBe(1);
      expect(stderr).toContain(note);
    }
    lock.release();
  });

  it('keep a repair in place away, be it of the directory or of the file', () => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1']);
    const file = join(dir, 'tree.bt2');
    writeFileSync(file, readFileSync(file).fill(7, 8200, 8300));
    const lock = LockFile.acquire(new RealDisk(), join(dir, 'LOCK'));
    for (const path of [dir, file]) {
      const { status, stderr } = ddia(['btree', 'repair', path, '--in-place']);
      expect(status).toBe(3);
      expect(stderr).toContain(`in use by process ${process.pid}`);
    }
    lock.release();
    expect(ddia(['btree', 'repair', file, '--in-place']).status).toBe(0);
    expect(readdirSync(dir)).toEqual(['tree.bt2', 'tree.bt2.bak', 'tree.bt2.quarantine']);
  });

  it('say in words where the system refuses', () => {
    const dir = fresh();
    mkdirSync(join(dir, 'tree.bt2'), { recursive: true });
    const { status, stderr } = ddia(['btree', 'put', dir, 'a', '1']);
    expect([status, stderr]).toEqual([3, `error: is a directory: ${join(dir, 'tree.bt2')}\n`]);
    expect(readdirSync(dir)).toEqual(['tree.bt2']);
  });

  it('are done where the file really is, under the one lock', () => {
    const dir = fresh();
    const link = temporaryDirectory();
    ddia(['btree', 'put', dir, 'a', '1', '--page-size', '1024']);
    symlinkSync(join(dir, 'tree.bt2'), join(link, 'tree.bt2'));
    expect(ddia(['btree', 'put', link, 'b', '2']).status).toBe(0);
    expect(ddia(['btree', 'vacuum', join(link, 'tree.bt2')]).status).toBe(0);
    expect(lstatSync(join(link, 'tree.bt2')).isSymbolicLink()).toBe(true);
    expect(ddia(['btree', 'get', dir, 'b']).status).toBe(0);
    const named = temporaryDirectory();
    renameSync(join(dir, 'tree.bt2'), join(dir, 'other'));
    symlinkSync(join(dir, 'other'), join(named, 'tree.bt2'));
    const refused = ddia(['btree', 'put', named, 'c', '3']);
    expect(refused).toMatchObject({ status: 3 });
    expect(refused.stderr).toMatch(/tree.bt2 leads to .*other: a store is written to where/);
  });

  it('mend what a crash left, and say so', () => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1']);
    appendFileSync(join(dir, 'tree.bt2'), Buffer.alloc(5000));
    const put = ddia(['btree', 'put', dir, 'b', '2']);
    expect(put.stderr).toContain('recovered: 5000 bytes behind the last page cut off');
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
  });
});

describe('btree import, vacuum, repair', () => {
  it('name the line that does not fit, also in a store with something in it', () => {
    for (const [dialect, limit] of [
      ['v1', 'there may be 120'],
      ['v2', 'it may have 102'],
    ] as const) {
      const dir = fresh();
      const input = `{"key":"b","value":"2"}\n{"key":"${'k'.repeat(200)}","value":"1"}\n`;
      ddia(['btree', 'put', dir, 'a', '1', '--dialect', dialect, '--page-size', '512']);
      const { status, stderr } = ddia(['btree', 'import', dir], { input });
      expect(status).toBe(3);
      expect(stderr).toMatch(/^error: line 2: a key /);
      expect(stderr).toContain(limit);
      expect(ddia(['btree', 'get', dir, 'b']).status).toBe(1);
    }
  });

  const ends: [NodeJS.Signals, number][] = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ];
  it.each(ends)('are ended by %s while nothing comes through the pipe', async (signal, code) => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1']);
    const run = spawn(process.execPath, [join(root, 'bin/run.js'), 'btree', 'import', dir], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = new Promise((resolve) => run.on('exit', resolve));
    run.stdin.write('{"key":"b","value":"2"}\n');
    // The store is opened once Ctrl-C is listened to. The pipe stays open.
    await vi.waitFor(() => expect(readdirSync(dir)).toContain('LOCK'), { timeout: 20_000 });
    run.kill(signal);
    expect(await ended).toBe(code);
    expect(readdirSync(dir)).toEqual(['tree.bt2']);
    expect(ddia(['btree', 'fsck', dir]).status).toBe(0);
  });

  it('take what scan prints, and give it back', () => {
    const dir = fresh();
    const from = ddia(['btree', 'scan', 'fixtures/btree/v1/clean', '--json']).stdout;
    const done = json(ddia(['btree', 'import', dir, '--json'], { input: from }));
    expect(done).toEqual({ dir, puts: 300, deletions: 0, keys: 300 });
    const pairs = (text: Line[]) => text.map(({ key, value }) => [key, value]);
    const there = lines<Line>(ddia(['btree', 'scan', dir, '--json']));
    const first = from.trimEnd().split('\n');
    expect(pairs(there)).toEqual(pairs(first.map((line) => JSON.parse(line) as Line)));
    const gone = first.map((line) => JSON.stringify({ ...JSON.parse(line), deleted: true }));
    ddia(['btree', 'import', dir], { input: gone.slice(3).join('\n') });
    const size = statSync(join(dir, 'tree.bt2')).size;
    const vacuum = json<{ after: number }>(ddia(['btree', 'vacuum', dir, '--json']));
    expect(vacuum.after).toBeLessThan(size);
    expect(lines<Line>(ddia(['btree', 'scan', dir, '--json']))).toHaveLength(3);
  });

  it('load a new store front to back, sorted or for as long as it is', () => {
    const rows = Array.from({ length: 900 }, (_, i) => {
      const key = `k${String(i).padStart(4, '0')}`;
      return { key, value: i % 50 === 0 ? 'long'.repeat(900) : `v${i}` };
    });
    const text = (some: unknown[]) => some.map((row) => JSON.stringify(row)).join('\n');
    const sorted = fresh();
    ddia(['btree', 'import', sorted], { input: text(rows) });
    const size = statSync(join(sorted, 'tree.bt2')).size;
    expect(json(ddia(['btree', 'vacuum', sorted, '--json']))).toMatchObject({ after: size });
    const mixed = fresh();
    const again = [...rows.slice(0, 500), { key: 'k0007', value: 'old' }, ...rows.slice(500)];
    ddia(['btree', 'import', mixed], { input: text([...again, ...rows.slice(0, 20)]) });
    for (const dir of [sorted, mixed]) {
      expect(ddia(['btree', 'fsck', dir, '--deep']).status).toBe(0);
      expect(lines(ddia(['btree', 'scan', dir, '--json']))).toEqual(rows);
      expect(readdirSync(dir)).toEqual(['tree.bt2']);
    }
    const bad = fresh();
    const refused = ddia(['btree', 'import', bad], {
      input: text([...rows, { key: 'x'.repeat(2000), value: '' }]),
    });
    expect(refused.stderr).toContain('line 901: a key of 2000 bytes');
    expect(lines(ddia(['btree', 'scan', bad, '--json']))).toEqual([]);
  });

  it('say which line is bad', () => {
    const dir = fresh();
    const bad = ddia(['btree', 'import', dir], { input: '{"key":"a","value":"1"}\n{"key":7}\n' });
    expect(bad.stderr).toContain('line 2: it has no "key"');
    expect(bad.status).toBe(3);
    expect(lines(ddia(['btree', 'scan', dir, '--json']))).toEqual([]);
  });

  it('take what scan prints, with its summary, and deletions by either name', () => {
    const dir = fresh();
    ddia(['btree', 'import', dir], { input: '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n' });
    const { stdout } = ddia(['btree', 'scan', dir, '--json', '--summary']);
    expect(stdout).toContain('"summary"');
    const copy = fresh();
    const input = `${stdout}{"key":"a","deleted":true}\n{"op":"delete","key":"b"}\n`;
    const { status, stderr } = ddia(['btree', 'import', copy], { input });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines(ddia(['btree', 'scan', copy, '--json']))).toEqual([]);
  });

  it('say how many records are there when they fail', () => {
    const dir = fresh();
    ddia(['btree', 'put', dir, 'a', '1']);
    // Lines that come together are one transaction: here are more than come at once.
    const many = Array.from({ length: 40_000 }, (_, n) => `{"key":"k${n}","value":"0123456789"}\n`);
    const { stderr } = ddia(['btree', 'import', dir], { input: `${many.join('')}{"key":7}\n` });
    const kept = /^ {2}(\d+) records before it are in the store$/m.exec(stderr);
    expect(Number(kept?.[1])).toBeGreaterThan(1000);
    const rows = lines(ddia(['btree', 'scan', dir, '--json']));
    expect(rows).toHaveLength(Number(kept![1]) + 1);
  });

  it('build a damaged file anew', () => {
    const dir = fresh();
    for (const key of ['a', 'b']) ddia(['btree', 'put', dir, key, key]);
    appendFileSync(join(dir, 'tree.bt2'), 'tail');
    expect(ddia(['btree', 'fsck', dir]).status).toBe(1);
    const out = fresh();
    expect(ddia(['btree', 'repair', dir, '--out', out]).stdout).toContain(
      'the result: clean, 2 records',
    );
    expect(ddia(['btree', 'get', out, 'b']).stdout).toContain('"b"');
  });
});

describe('btree bench', () => {
  it('measures, and leaves nothing', () => {
    const dir = temporaryDirectory();
    const args = ['btree', 'bench', dir, '--count', '500', '--sync', 'none', '--json'];
    expect(json(ddia(args))).toMatchObject({ count: 500, height: 2 });
    expect(readdirSync(dir)).toEqual([]);
  });
});
