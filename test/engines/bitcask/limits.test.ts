/** The edges: of what can be written at once, of memory, of time. */
import { describe, expect, it } from 'vitest';
import { KeyDirectory } from '../../../src/formats/bitcask/key-directory.ts';
import { asFilesAre } from './invariants.ts';
import { b, codeOf, content, openOn, simDisk } from './stores.ts';

const MIB = 1024 * 1024;

describe('a batch', () => {
  it('may be larger than a file, and is whole when it is read again', async () => {
    const disk = simDisk();
    let store = await openOn(disk, { fileBytes: 1000 });
    await store.put(b('before'), b('1'));
    const operations = Array.from({ length: 100 }, (_, i) => ({
      key: b(`k${i % 90}`),
      value: i === 50 ? undefined : b(`${i}`.repeat(30)),
    }));
    expect(await store.batch(operations)).toBe(2);
    await store.put(b('after'), b('1'));
    expect(store.stat().files.map(({ records }) => records)).toEqual([101, 1]);
    const expected = content(store);
    expect(expected.length).toBe(91);
    await store.close();
    store = await openOn(disk);
    expect(content(store)).toEqual(expected);
    await store.merge();
    expect(content(store)).toEqual(expected);
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('as large as it may be is read again, and a larger one refused', async () => {
    const disk = simDisk();
    let store = await openOn(disk, { sync: 'none' });
    // Two records: heads of 44 bytes, keys of one.
    const value = Buffer.alloc(32 * MIB - 45, 7);
    const batch = [
      { key: b('a'), value },
      { key: b('b'), value },
    ];
    await store.batch(batch);
    const larger = [...batch, { key: b('c'), value: undefined }];
    await expect(store.batch(larger)).rejects.toThrow(
      'a batch of 67108909 bytes, at most 67108864',
    );
    expect(await codeOf(() => store.batch(larger))).toBe('batch-too-large');
    await store.put(b('c'), b('1'));
    await store.close();
    store = await openOn(disk);
    expect(store.size).toBe(3);
    expect(store.get(b('b'))?.equals(value)).toBe(true);
    await store.close();
  });

  it('that is refused leaves nothing of itself', async () => {
    const disk = simDisk();
    const store = await openOn(disk);
    const wrong = [
      { key: b('a'), value: b('1') },
      { key: b('b'), value: b('1'), ttl: -1 },
    ];
    expect(await codeOf(() => store.batch(wrong))).toBe('bad-ttl');
    expect(await store.put(b('c'), b('1'))).toBe(1);
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });
});

describe('puts of one turn', () => {
  it('go to as many files as they need, none larger than it should be', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { sync: 'none', fileBytes: 10_000 });
    const value = Buffer.alloc(3000);
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.put(b(`k${i}`), value)));
    const sizes = store.stat().files.map(({ bytes }) => bytes);
    expect(sizes.length).toBe(13);
    expect(Math.max(...sizes)).toBeLessThan(10_000 + 3100);
    expect(store.size).toBe(50);
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('do not gather in memory without end', async () => {
    let largest = 0;
    const disk = simDisk({
      onOperation({ call, path, length = 0 }, when) {
        if (when === 'after' && call === 'write' && path.endsWith('.bcd')) {
          largest = Math.max(largest, length);
        }
      },
    });
    const store = await openOn(disk, { sync: 'none', fileBytes: 2 ** 31 - 1 });
    const value = Buffer.alloc(20 * MIB);
    await Promise.all([1, 2, 3, 4].map((i) => store.put(b(`k${i}`), value)));
    expect(largest).toBeGreaterThan(60 * MIB);
    expect(largest).toBeLessThanOrEqual(64 * MIB);
    expect(store.size).toBe(4);
    await store.close();
  });
});

describe('the key directory', () => {
  it('refuses a key too many, before anything is written', async () => {
    const disk = simDisk();
    let store = await openOn(disk, { keysMax: 3 });
    const puts = ['a', 'b', 'a', 'c', 'd', 'b'].map((key) => store.put(b(key), b(key)));
    const settled = await Promise.allSettled(puts);
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      true,
      true,
      false,
      true,
    ]);
    expect(settled[4]).toMatchObject({
      reason: {
        code: 'directory-full',
        message: 'the key directory is full: at most 3 keys',
        hint: expect.stringContaining('LSM tree'),
      },
    });
    const batch = [
      { key: b('a'), value: b('2') },
      { key: b('e'), value: b('2') },
    ];
    expect(await codeOf(() => store.batch(batch))).toBe('directory-full');
    expect(store.get(b('a'))).toEqual(b('a'));
    await store.batch([{ key: b('a'), value: b('2') }]);
    await store.delete(b('b'));
    await store.put(b('e'), b('3'));
    const expected = [
      ['a', '2'],
      ['c', 'c'],
      ['e', '3'],
    ];
    expect(content(store)).toEqual(expected);
    await store.close();
    store = await openOn(disk, { keysMax: 3 });
    expect(content(store)).toEqual(expected);
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('has room for what it has promised room for', () => {
    const keys = new KeyDirectory();
    expect(() => keys.reserve(2 ** 27 + 1, 0)).toThrow(/at most 134217728 keys/);
    expect(() => keys.reserve(1, 2 ** 32)).toThrow(/at most 4 GiB of keys/);
    const before = keys.memory.table;
    keys.reserve(10_000, 100_000);
    const { table } = keys.memory;
    expect(table).toBeGreaterThan(before);
    for (let i = 0; i < 10_000; i++)
      keys.set(keys.put(b(`${i}`), 0, b(`${i}`).length), 1, i, 1, i, 0);
    expect(keys.memory.table).toBe(table);
    keys.reserve(0, 0);
    expect(keys.memory.table).toBe(table);
    expect(keys.position(keys.find(b('77'), 0, 2))).toBe(77);
  });

  it('does not mind a hundred thousand keys with one beginning', async () => {
    const store = await openOn(simDisk(), { sync: 'none' });
    const prefix = 'the/same/long/beginning/of/every/key/';
    const count = 100_000;
    for (let i = 0; i < count; i += 1000) {
      const puts = Array.from({ length: 1000 }, (_, j) =>
        store.put(b(`${prefix}${i + j}`), b('v')),
      );
      await Promise.all(puts);
    }
    expect(store.size).toBe(count);
    expect(store.get(b(`${prefix}99999`))).toEqual(b('v'));
    expect(store.scan({ prefix: b(prefix) }).size).toBe(count);
    expect(store.scan({ prefix: b(`${prefix}999`) }).size).toBe(111);
    expect(store.stat().memory.table / count).toBeLessThan(100);
    await store.close();
  });
});

describe('keys that expire', () => {
  it('are gone for good once a merge has dropped them, whatever the clock says then', async () => {
    let now = 10_000;
    const disk = simDisk();
    const open = () => openOn(disk, { fileBytes: 200, mergeDead: 0.3, now: () => now });
    let store = await open();
    await store.put(b('k'), b('old'.repeat(10)));
    for (let i = 0; i < 5; i++) await store.put(b(`stays${i}`), b('v'.repeat(150)));
    await store.put(b('k'), b('new'.repeat(30)), { ttl: 100 });
    await store.put(b('other'), b('v'.repeat(150)));
    await store.put(b('other'), b('v'.repeat(150)));
    await store.idle();
    now = 10_100;
    const report = await store.merge('worth');
    // The first file is not merged, and holds an older value of the key.
    expect(report).toMatchObject({ expired: 1, inputs: expect.not.arrayContaining([1]) });
    now = 0;
    for (let round = 0; round < 2; round++) {
      expect(store.get(b('k'))).toBeNull();
      expect(store.scan().size).toBe(6);
      await store.close();
      store = await open();
    }
    await store.merge();
    expect(store.get(b('k'))).toBeNull();
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('come back while nothing has dropped them, if the clock runs backwards', async () => {
    let now = 1000;
    const disk = simDisk();
    let store = await openOn(disk, { now: () => now });
    await store.put(b('k'), b('v'), { ttl: 10 });
    now = 1010;
    expect(store.get(b('k'))).toBeNull();
    await store.close();
    now = 1009;
    store = await openOn(disk, { now: () => now });
    expect(store.get(b('k'))).toEqual(b('v'));
    now = 1010;
    expect(store.get(b('k'))).toBeNull();
    await store.put(b('k'), b('w'));
    now = 5000;
    expect(store.get(b('k'))).toEqual(b('w'));
    await store.close();
  });

  it('keep their time through merges and openings', async () => {
    let now = 1000;
    const disk = simDisk();
    const open = () => openOn(disk, { fileBytes: 200, now: () => now });
    let store = await open();
    for (let i = 1; i <= 20; i++) await store.put(b(`k${i}`), b('v'.repeat(20)), { ttl: 100 * i });
    await store.batch([{ key: b('until'), value: b('v'), expires: 1550 }]);
    for (let round = 0; round < 3; round++) {
      now = 1000 + 500 * round;
      await store.merge();
      await store.close();
      store = await open();
      expect(store.scan().size).toBe(20 - 5 * round + (round < 2 ? 1 : 0));
    }
    now = 1e15;
    expect(await store.merge()).toMatchObject({ kept: 0 });
    expect(store.size).toBe(0);
    await store.close();
  });

  it('and deletions have nothing to do with each other', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 300, mergeDead: 0.9 });
    for (let i = 0; i < 12; i++) await store.put(b(`cold${i}`), b('c'.repeat(60)));
    for (let i = 0; i < 6; i++) {
      await store.batch([{ key: b('cold1'), value: undefined, ttl: 5000 }]);
      await store.put(b('k'), b('v'.repeat(200)));
    }
    await store.idle();
    await store.merge('worth');
    expect(store.get(b('cold1'))).toBeNull();
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });
});
