import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import { b, codeOf, content } from './stores.ts';

const disk = new RealDisk();
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-bitcask-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (options = {}) => BitcaskStore.open(disk, dir, { sync: 'none', ...options });

describe('a store', () => {
  it('gives back what was put, and null for what was not', async () => {
    const store = await open();
    await store.put(b('k'), b('v'));
    expect(store.get(b('k'))).toEqual(b('v'));
    expect(store.get(b('x'))).toBeNull();
    await store.put(b('k'), b('w'));
    expect(store.get(b('k'))).toEqual(b('w'));
    expect(await store.delete(b('k'))).toBe(3);
    expect(store.get(b('k'))).toBeNull();
    expect(await store.delete(b('k'))).toBe(0);
    await store.close();
  });

  it('holds empty keys, empty values, any bytes, and what other layouts reserve', async () => {
    const odd: [Buffer, Buffer][] = [
      [b(''), b('empty key')],
      [b('empty value'), b('')],
      [Buffer.from([0xff, 0, 0xfe]), Buffer.from([0, 0xff])],
      [b('tombstone'), b('__BITCASK_TOMBSTONE__')],
      [b('riak'), b('bitcask_tombstone2')],
      [b('k'.repeat(1024 * 1024)), b('v'.repeat(3_000_000))],
    ];
    let store = await open();
    for (const [key, value] of odd) await store.put(key, value);
    for (const again of [false, true]) {
      if (again) {
        await store.close();
        store = await open();
      }
      for (const [key, value] of odd) expect(store.get(key)?.equals(value)).toBe(true);
      expect(store.size).toBe(odd.length);
      if (again) await store.merge();
    }
    for (const [key, value] of odd) expect(store.get(key)?.equals(value)).toBe(true);
    await store.close();
  });

  it('refuses keys and records beyond the limits, and says what they are', async () => {
    const store = await open();
    const long = Buffer.alloc(1024 * 1024 + 1);
    await expect(store.put(long, b(''))).rejects.toThrow(/1048577 bytes, at most 1048576/);
    const big = Buffer.alloc(64 * 1024 * 1024);
    await expect(store.put(b('k'), big)).rejects.toThrow(/a record of 67108909 bytes, at most/);
    await expect(store.put(b('k'), b('v'), { ttl: 0 })).rejects.toThrow(/time to live of 0 ms/);
    await store.put(b('k'), b('v'));
    await store.close();
  });

  it('keeps a caller from changing what is under way', async () => {
    const store = await open();
    const key = b('key');
    const value = b('value');
    const done = store.put(key, value);
    key.fill(0);
    value.fill(0);
    await done;
    expect(content(store)).toEqual([['key', 'value']]);
    await store.close();
  });

  it('deletes a key whose put is still under way', async () => {
    const store = await open();
    const [put, deleted] = await Promise.all([store.put(b('k'), b('v')), store.delete(b('k'))]);
    expect([put, deleted]).toEqual([1, 2]);
    expect(store.get(b('k'))).toBeNull();
    await store.close();
  });

  it('shows all of a batch or nothing', async () => {
    const store = await open();
    const done = store.batch([
      { key: b('a'), value: b('1') },
      { key: b('b'), value: b('2') },
      { key: b('a'), value: undefined },
    ]);
    expect(store.size).toBe(0);
    expect(await done).toBe(1);
    expect(content(store)).toEqual([['b', '2']]);
    expect(await store.batch([])).toBe(4);
    await store.close();
  });

  it('lets keys expire, for readers and for merges', async () => {
    let now = 1000;
    let store = await open({ now: () => now });
    await store.put(b('short'), b('1'), { ttl: 50 });
    await store.put(b('long'), b('2'), { ttl: 5000 });
    await store.put(b('ever'), b('3'));
    now = 1049;
    expect(store.get(b('short'))).toEqual(b('1'));
    now = 1050;
    expect(store.get(b('short'))).toBeNull();
    expect(content(store).map(([key]) => key)).toEqual(['ever', 'long']);
    await store.close();
    store = await open({ now: () => now });
    expect(content(store).map(([key]) => key)).toEqual(['ever', 'long']);
    expect((await store.merge()).expired).toBe(1);
    now = 500;
    expect(store.get(b('short'))).toBeNull();
    expect(store.get(b('long'))).toEqual(b('2'));
    await store.close();
  });

  it('scans by prefix and range, both ways, in byte order', async () => {
    const store = await open();
    for (const key of ['b1', 'a', 'b', 'b2', 'c', 'B']) await store.put(b(key), b('v'));
    const keys = (options: Parameters<typeof store.scan>[0]) =>
      [...store.scan(options)].map(({ key }) => key.toString()).join(' ');
    expect(keys({})).toBe('B a b b1 b2 c');
    expect(keys({ prefix: b('b') })).toBe('b b1 b2');
    expect(keys({ from: b('b'), to: b('b2') })).toBe('b b1');
    expect(keys({ reverse: true, limit: 2 })).toBe('c b2');
    expect(keys({ prefix: b('zz') })).toBe('');
    await store.close();
  });

  it('is refused to a second writer, and open to readers', async () => {
    const store = await open();
    await store.put(b('k'), b('1'));
    expect(await codeOf(() => open())).toBe('locked');
    const reader = await BitcaskReader.open(disk, dir);
    expect(content(reader)).toEqual([['k', '1']]);
    await store.put(b('k'), b('2'));
    await store.put(b('l'), b('1'));
    await store.delete(b('l'));
    expect(content(reader)).toEqual([['k', '1']]);
    await reader.refresh();
    expect(content(reader)).toEqual([['k', '2']]);
    await store.merge();
    expect(reader.get(b('k'))).toEqual(b('2'));
    await store.put(b('m'), b('3'));
    await store.merge();
    await reader.refresh();
    expect(content(reader)).toEqual([
      ['k', '2'],
      ['m', '3'],
    ]);
    reader.close();
    await store.close();
    expect(await codeOf(() => BitcaskReader.open(disk, join(dir, 'nowhere')))).toBe('not-found');
  });

  it('says what it is opened with wrongly', async () => {
    for (const options of [{ sync: 'often' }, { fileBytes: 1 }, { mergeDead: 0 }, { typo: 1 }]) {
      expect(await codeOf(() => BitcaskStore.open(disk, dir, options as never))).toBe('bad-option');
    }
    expect(await codeOf(() => BitcaskStore.open(disk, join(dir, 'x'), { create: false }))).toBe(
      'not-found',
    );
  });

  it('does nothing more once it is closed', async () => {
    const store = await open();
    await store.close();
    await store.close();
    for (const act of [
      () => store.put(b('k'), b('v')),
      () => store.get(b('k')),
      () => store.delete(b('k')),
      () => store.merge(),
    ]) {
      expect(await codeOf(act)).toBe('closed');
    }
  });
});

describe('a merge', () => {
  it('keeps what counts, in files of the size that was asked for', async () => {
    const store = await open({ fileBytes: 4096 });
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 100; i++) await store.put(b(`key${i}`), b(`${round}`.repeat(50)));
    }
    for (let i = 50; i < 100; i++) await store.delete(b(`key${i}`));
    await store.idle();
    const before = content(store);
    const report = await store.merge();
    expect(content(store)).toEqual(before);
    expect(report).toMatchObject({
      kept: 50,
      deletionsKept: 0,
      deletionsDropped: 50,
      replaced: 450,
    });
    const { files } = store.stat();
    for (const { bytes, fragmentation, hint, merged } of files.filter(({ sealed }) => sealed)) {
      expect(bytes).toBeLessThan(4096 + 200);
      expect([fragmentation, hint, merged]).toEqual([0, true, true]);
    }
    expect(files.reduce((sum, { liveRecords }) => sum + liveRecords, 0)).toBe(50);
    await store.close();
    const again = await open({ fileBytes: 4096 });
    expect(content(again)).toEqual(before);
    expect(again.recovered).toEqual([]);
    await again.close();
  });

  it('lets those who are reading finish, and removes the files then', async () => {
    const store = await open();
    for (let i = 0; i < 10; i++) await store.put(b(`key${i}`), b('old'));
    const snapshot = store.scan();
    const iterator = snapshot[Symbol.iterator]();
    expect(iterator.next().value?.value).toEqual(b('old'));
    for (let i = 0; i < 10; i++) await store.put(b(`key${i}`), b('new'));
    await store.merge();
    expect(readdirSync(dir)).toContain('000001.bcd');
    for (let i = 1; i < 10; i++) expect(iterator.next().value?.value).toEqual(b('old'));
    expect(iterator.next().done).toBe(true);
    expect(readdirSync(dir)).not.toContain('000001.bcd');
    expect(content(store).every(([, value]) => value === 'new')).toBe(true);
    await store.close();
  });

  it('takes in what is written and deleted while it runs', async () => {
    const store = await open({ fileBytes: 64 * 1024 });
    for (let i = 0; i < 5000; i++) await store.put(b(`key${i}`), b('old'.repeat(30)));
    const merging = store.merge();
    for (let i = 0; i < 200; i++) {
      await store.put(b(`key${i}`), b('new'));
      await store.delete(b(`key${i + 1000}`));
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await merging;
    expect(store.size).toBe(4800);
    expect(store.get(b('key5'))).toEqual(b('new'));
    expect(store.get(b('key1005'))).toBeNull();
    await store.close();
    const again = await open();
    expect(again.size).toBe(4800);
    expect(again.get(b('key1005'))).toBeNull();
    await again.close();
  });

  it('keeps a deletion while a file outside may hold what it deletes', async () => {
    const store = await open({ fileBytes: 200, mergeDead: 0.4 });
    await store.put(b('k'), b('x'.repeat(200)));
    await store.put(b('a'), b('1'));
    await store.delete(b('k'));
    await store.put(b('a'), b('2'));
    await store.put(b('a'), b('3'.repeat(200)));
    await store.idle();
    const all = await store.merge('worth');
    await store.close();
    const again = await open();
    expect(again.get(b('k'))).toBeNull();
    expect(all.inputs.length).toBeGreaterThan(0);
    await again.close();
  });

  it('runs by itself when enough is dead, and leaves nothing behind', async () => {
    const store = await open({ fileBytes: 8192, autoMerge: true });
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 20; i++) await store.put(b(`key${i}`), b(`${round}`.repeat(30)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await store.idle();
    const stat = store.stat();
    expect(stat.backgroundFailure).toBeUndefined();
    expect(stat.bytes).toBeLessThan(5 * 8192);
    const named = stat.files.length + stat.files.filter(({ hint }) => hint).length;
    expect(readdirSync(dir).length).toBe(named + 2);
    await store.close();
  });
});

describe('against a map', () => {
  it('any sequence of operations, merges and reopenings', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', '');
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('put' as const), key, size: fc.nat(300) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('batch' as const),
          keys: fc.array(fc.record({ key, gone: fc.boolean() }), { maxLength: 4 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constantFrom('merge', 'worth', 'reopen', 'idle') }),
      },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const place = join(dir, String(run++));
        const options = { sync: 'none' as const, fileBytes: 500 };
        let store = await BitcaskStore.open(disk, place, options);
        const model = new Map<string, string>();
        let count = 0;
        for (const one of steps) {
          const value = `${count++}`;
          if (one.do === 'put') {
            await store.put(b(one.key), b(value.padEnd(one.size, '.')));
            model.set(one.key, value.padEnd(one.size, '.'));
          } else if (one.do === 'delete') {
            await store.delete(b(one.key));
            model.delete(one.key);
          } else if (one.do === 'batch') {
            await store.batch(
              one.keys.map(({ key, gone }) => ({
                key: b(key),
                value: gone ? undefined : b(value),
              })),
            );
            for (const { key, gone } of one.keys) {
              if (gone) model.delete(key);
              else model.set(key, value);
            }
          } else if (one.do === 'reopen') {
            await store.close();
            store = await BitcaskStore.open(disk, place, options);
          } else if (one.do === 'idle') await store.idle();
          else await store.merge(one.do === 'merge' ? 'all' : 'worth');
        }
        expect(content(store)).toEqual([...model].sort(([x], [y]) => (x < y ? -1 : 1)));
        expect(store.size).toBe(model.size);
        const live = store.stat().files.reduce((sum, { liveRecords }) => sum + liveRecords, 0);
        expect(live).toBe(model.size);
        await store.close();
        const again = await BitcaskStore.open(disk, place, options);
        expect(content(again)).toEqual([...model].sort(([x], [y]) => (x < y ? -1 : 1)));
        expect(again.recovered).toEqual([]);
        await again.close();
      }),
      { numRuns: 60 },
    );
  });
});
