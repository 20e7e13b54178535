/** lsm on stores of ours: what is looked at stays as it is, and what a process has open is refused. */
import { cpSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LockFile } from '../../src/io/lock-file.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { ddia, type ErrorAnswer, hashOf, json, temporaryDirectory } from './run.ts';

const directory = temporaryDirectory();
const at = (name: string): string => join(directory, name);

const READING = [['scan'], ['get', 'k1'], ['stat'], ['levels'], ['verify']] as const;
const read = ([verb, ...args]: readonly string[], path: string) =>
  ddia(['lsm', verb!, path, ...args, '--json']);

beforeAll(() => {
  const store = at('store');
  for (const key of ['k1', 'k2', 'k3']) ddia(['lsm', 'put', store, key, `value of ${key}`]);
  ddia(['lsm', 'flush', store]);
  ddia(['lsm', 'put', store, 'k4', 'in the log']);
});

describe('what reads a store', () => {
  it('leaves it as it is', () => {
    const before = [hashOf(at('store')), readdirSync(at('store'), { recursive: true }).sort()];
    const times = statSync(at('store')).mtimeMs;
    for (const verb of READING) expect(read(verb, at('store')).status).toBe(0);
    const after = [hashOf(at('store')), readdirSync(at('store'), { recursive: true }).sort()];
    expect(after).toEqual(before);
    expect(statSync(at('store')).mtimeMs).toBe(times);
  });

  it('leaves what a crash left', () => {
    const torn = at('torn');
    cpSync(at('store'), torn, { recursive: true });
    const segment = readdirSync(join(torn, 'wal')).find((name) => /^\d/.test(name))!;
    writeFileSync(join(torn, 'wal', segment), Buffer.alloc(8, 7), { flag: 'a' });
    writeFileSync(join(torn, '000009.sst2'), 'half a table');
    writeFileSync(join(torn, 'LOCK'), '999999999 0\n');
    const before = hashOf(torn);
    const ran = read(['verify'], torn);
    expect(ran.status).toBe(4);
    expect(Object.keys(json<Verified>(ran).results[0]!.counts).sort()).toEqual([
      'leftover-file',
      'torn-tail',
    ]);
    expect(read(['scan'], torn).stdout.split('\n')).toHaveLength(5);
    expect(hashOf(torn)).toBe(before);
    rmSync(torn, { recursive: true });
  });

  it('refuses one that a living process writes to', () => {
    const lock = LockFile.acquire(new RealDisk(), join(at('store'), 'LOCK'));
    try {
      for (const verb of [...READING, ['repair', '--dry-run']]) {
        const ran = read(verb, at('store'));
        expect({ verb, status: ran.status }).toEqual({ verb, status: 3 });
        const { error } = json<ErrorAnswer>(ran);
        expect(error.message).toBe(`${at('store')} is in use by process ${process.pid}`);
      }
    } finally {
      lock.release();
    }
  });

  it('takes no flag that does not apply', () => {
    for (const verb of ['scan', 'stat', 'repair']) {
      const ran = ddia(['lsm', verb, at('store'), '--column-family', 'users']);
      expect({ verb, status: ran.status }).toEqual({ verb, status: 2 });
    }
  });
});

interface Verified {
  results: { counts: Record<string, number> }[];
}

describe('repair', () => {
  it('does what its plan says, and refuses a store that has changed', () => {
    const hurt = at('hurt');
    cpSync(at('store'), hurt, { recursive: true });
    rmSync(join(hurt, 'MANIFEST.lsm2'));
    const plan = at('plan.json');
    expect(ddia(['lsm', 'repair', hurt, '--plan', plan]).status).toBe(0);
    const before = hashOf(hurt);
    const applied = ddia(['lsm', 'repair', '--apply', plan, '--out', at('new'), '--json']);
    expect([applied.status, applied.stderr]).toEqual([0, '']);
    expect(hashOf(hurt)).toBe(before);
    expect(ddia(['lsm', 'scan', at('new')]).stdout).toBe(ddia(['lsm', 'scan', at('store')]).stdout);
    writeFileSync(join(hurt, 'wal/MANIFEST.wal2'), 'changed');
    const refused = ddia(['repair', '--apply', plan, '--out', at('other'), '--json']);
    expect(json<ErrorAnswer>(refused).error.code).toBe('input-changed');
  });
});

describe('what is read', () => {
  it('is not replaced by what is made of it', () => {
    const [inner, link] = [at('inner'), at('link')];
    cpSync(at('store'), join(inner, 'store'), { recursive: true });
    cpSync('fixtures/database/leveldb', join(inner, 'leveldb'), { recursive: true });
    symlinkSync(inner, link);
    const before = readdirSync(inner, { recursive: true }).sort();
    for (const name of ['store', 'leveldb']) {
      const path = join(inner, name);
      for (const out of [path, inner, link, join(link, name)]) {
        const more = name === 'leveldb' ? ['--to', 'v2'] : [];
        const ran = ddia(['lsm', 'repair', path, '--out', out, '--force', '--json', ...more]);
        expect([ran.status, json<ErrorAnswer>(ran).error.code]).toEqual([3, 'same-place']);
      }
    }
    expect(readdirSync(inner, { recursive: true }).sort()).toEqual(before);
  });
});

describe('bench', () => {
  it('measures, and leaves nothing behind', () => {
    const before = readdirSync(directory).sort();
    const ran = ddia(['lsm', 'bench', directory, '--count', '500', '--sync', 'none', '--json']);
    expect(json<Record<string, unknown>>(ran)).toMatchObject({ count: 500, bytes: 100 });
    expect(readdirSync(directory).sort()).toEqual(before);
    const text = ddia(['lsm', 'bench', directory, '--count', '500', '--sync', 'none']).stdout;
    expect(text).toMatch(/^500 keys, values of 100 bytes, 1 caller, sync none, leveled: \d+ puts/);
  });
});

describe('the verbs that detect a family', () => {
  it('say that tables are not all of a database', () => {
    const whole = 'fixtures/database/leveldb';
    const { status, stderr } = ddia(['verify', whole]);
    const note = `note: ${whole} is a whole database, of which these are the tables: see ddia lsm\n`;
    expect({ status, stderr }).toEqual({ status: 0, stderr: note });
    expect(ddia(['verify', 'fixtures/sstable/leveldb']).stderr).toBe('');
    expect(ddia(['sstable', 'verify', whole]).stderr).toBe('');
  });
});

describe('lsm import', () => {
  const row = (key: string): string => `{"key":"${key}","value":"1"}\n`;

  it('ends at a bad line, and says how many records before it are in the store', () => {
    const refused = [
      ['{"key":7}', 'line 3: "key" must be a string'],
      ['no JSON', 'line 3: no JSON'],
      [`{"key":"${'k'.repeat(2 ** 20 + 1)}","value":""}`, 'line 3: a key of 1048577 bytes'],
      ['{"op":"delete-range","key":"a"}', 'line 3: a delete-range needs a "value"'],
      ['{"op":"merge","key":"a","value":"1"}', 'line 3: merge cannot be imported'],
    ] as const;
    for (const [index, [line, message]] of refused.entries()) {
      const store = at(`bad-${index}`);
      const input = `${row('a')}${row('b')}${line}\n${row('c')}`;
      const { status, stderr } = ddia(['lsm', 'import', store], { input });
      expect({ line: line.slice(0, 40), status }).toEqual({ line: line.slice(0, 40), status: 3 });
      expect(stderr).toContain(message);
      expect(stderr).toContain('  2 records before it are in the store\n');
      expect(ddia(['lsm', 'scan', store, '--json']).stdout).toBe(`${row('a')}${row('b')}`);
    }
  });

  it('and delete take no range that is none', () => {
    const store = at('range');
    ddia(['lsm', 'put', store, 'b', '1']);
    for (const to of ['a', 'b']) {
      const { status, stderr } = ddia(['lsm', 'delete', store, 'b', '--to', to]);
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: `error: no key lies from b to ${to}\n`,
      });
    }
    expect(ddia(['lsm', 'get', store, 'b']).stdout).toBe('1\n');
    const file = ddia(['lsm', 'scan', join(store, 'wal/MANIFEST.wal2')]);
    expect(file.status).toBe(3);
  });

  it('says nothing of records where there are none', () => {
    const { stderr } = ddia(['lsm', 'import', at('none')], { input: '{"key":7}\n' });
    expect(stderr.split('\n')).toHaveLength(2);
  });
});
