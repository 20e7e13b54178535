/** Merges beside everything else that a store does, and merges that fail. */
import { describe, expect, it } from 'vitest';
import { worthMerging } from '../../../src/engines/bitcask/background.ts';
import { DataFile } from '../../../src/engines/bitcask/data-file.ts';
import { resolveOptions } from '../../../src/engines/bitcask/options.ts';
import type { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { asFilesAre } from './invariants.ts';
import { b, codeOf, content, filesOf, openOn, ROOT, simDisk, turn } from './stores.ts';

const dataFiles = (disk: SimDisk): string[] =>
  disk.list(ROOT).filter((name) => name.endsWith('.bcd'));

/** Keys k0 to k49, each written `rounds` times in files of about 1000 bytes. */
async function fill(store: BitcaskStore, rounds = 3, keys = 50): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < keys; i++) await store.put(b(`k${i}`), b(`${round}`.repeat(20)));
  }
  await store.idle();
}

function expectContent(store: BitcaskStore, model: ReadonlyMap<string, string>): void {
  expect(content(store)).toEqual([...model].sort(([x], [y]) => (x < y ? -1 : 1)));
  const { files } = store.stat();
  expect(files.reduce((sum, { liveRecords }) => sum + liveRecords, 0)).toBe(model.size);
}

describe('a merge beside everything else', () => {
  it.each([1, 2, 3, 4, 5, 6])('loses nothing and brings nothing back (%i)', async (seed) => {
    const random = new Random(seed);
    const disk = simDisk();
    const options = {
      sync: random.pick(['sync', 'none'] as const),
      fileBytes: random.pick([300, 2000]),
      autoMerge: random.below(2) === 0,
      mergeBytesPerSecond: random.pick([0, 200_000]),
    };
    let store = await openOn(disk, options);
    const model = new Map<string, string>();
    const underWay: Promise<unknown>[] = [];
    for (let i = 0; i < 600; i++) {
      const key = `k${random.below(40)}`;
      const what = random.below(100);
      if (what < 60) {
        const value = `${i}`.padEnd(random.below(80), '.');
        model.set(key, value);
        underWay.push(store.put(b(key), b(value)));
      } else if (what < 80) {
        model.delete(key);
        underWay.push(store.delete(b(key)));
      } else if (what < 90) {
        model.set(key, `${i}`);
        model.delete(`${key}'`);
        underWay.push(
          store.batch([
            { key: b(key), value: b(`${i}`) },
            { key: b(`${key}'`), value: undefined },
          ]),
        );
      } else if (what < 94) underWay.push(store.merge(random.pick(['all', 'worth'])));
      else if (what < 98) await turn();
      else if (what < 99) {
        await Promise.all(underWay.splice(0));
        expectContent(store, model);
      } else {
        // Whatever is under way is ended by it: writes are done, merges come to nothing.
        const settled = Promise.allSettled(underWay.splice(0));
        await store.close();
        for (const result of await settled) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'closed' });
        }
        expect(await asFilesAre(disk)).toEqual([]);
        store = await openOn(disk, options);
        expectContent(store, model);
      }
    }
    await Promise.all(underWay);
    await store.idle();
    expectContent(store, model);
    expect(store.stat().backgroundFailure).toBeUndefined();
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('is ended by closing, at once even where a rate holds it up', async () => {
    const disk = simDisk();
    const store = await openOn(disk, {
      fileBytes: 2000,
      autoMerge: true,
      mergeDead: 0.1,
      mergeBytesPerSecond: 1,
    });
    for (let i = 0; i < 100; i++) await store.put(b('k'), b('v'.repeat(100)));
    for (let i = 0; i < 20; i++) await turn();
    const byHand = store.merge();
    const begun = performance.now();
    await Promise.all([store.close(), store.close()]);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(await codeOf(() => byHand)).toBe('closed');
    expect(await asFilesAre(disk)).toEqual([]);
    const again = await openOn(disk);
    expect(again.size).toBe(1);
    await again.close();
  });

  it('leaves a hint job that comes too late nothing to complain of', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 1000 });
    await fill(store);
    const merges = [store.merge(), store.merge()];
    // Sealed while the first merge runs, merged by the second, and only then is a hint due.
    for (let i = 0; i < 50; i++) await store.put(b(`k${i}`), b('w'.repeat(20)));
    await Promise.all(merges);
    await store.idle();
    expect(store.stat().backgroundFailure).toBeUndefined();
    await store.close();
  });

  it('keeps deletions apart, and hints that are right', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 500, mergeDead: 0.4 });
    // The first files stay, and may hold what the deletions hide.
    for (let i = 0; i < 80; i++) await store.put(b(`cold${i}`), b('c'.repeat(40)));
    for (let i = 0; i < 20; i++) {
      await store.put(b('k'), b('v'.repeat(60)));
      await store.delete(b('k'));
    }
    await store.idle();
    const report = await store.merge('worth');
    expect(report.inputs).not.toContain(1);
    expect(report.deletionsKept).toBeGreaterThan(1);
    expect(report.outputs.length).toBe(1 + Math.floor((report.deletionsKept * 45) / 500));
    expect(store.get(b('k'))).toBeNull();
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
    const again = await openOn(disk);
    expect(again.get(b('k'))).toBeNull();
    expect(again.size).toBe(80);
    await again.close();
  });

  it('gives nearly everything back when all is deleted', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { sync: 'none', fileBytes: 50_000 });
    for (let i = 0; i < 5000; i++) await store.put(b(`key${i}`), b('v'.repeat(50)));
    for (let i = 0; i < 5000; i++) await store.delete(b(`key${i}`));
    const before = disk.usedBytes;
    const report = await store.merge();
    expect(before).toBeGreaterThan(500_000);
    expect(disk.usedBytes).toBeLessThan(1000);
    expect(report).toMatchObject({ outputs: [], kept: 0, deletionsDropped: 5000 });
    expect(report.bytesReclaimed).toBe(report.bytesRead);
    expect(store.size).toBe(0);
    await store.close();
    const again = await openOn(disk);
    expect(again.size).toBe(0);
    await again.close();
  });
});

describe('snapshots', () => {
  it('outlive merges, the store, and the next writer', async () => {
    const disk = simDisk();
    let store = await openOn(disk, { fileBytes: 300 });
    await fill(store, 1, 20);
    const expected = content(store);
    await store.close();
    store = await openOn(disk, { fileBytes: 300 });
    const snapshot = store.scan();
    const named = dataFiles(disk).filter((_, i) => store.stat().files[i]!.liveBytes > 0);
    for (let i = 0; i < 20; i++) await store.delete(b(`k${i}`));
    await store.merge();
    expect(dataFiles(disk)).toEqual(expect.arrayContaining(named));
    await store.close();
    store = await openOn(disk, { fileBytes: 300 });
    expect(dataFiles(disk).filter((name) => named.includes(name))).toEqual([]);
    expect([...snapshot].map(({ key, value }) => [`${key}`, `${value}`])).toEqual(expected);
    expect(store.size).toBe(0);
    await store.close();
  });

  it('say so once they are closed', async () => {
    const disk = simDisk();
    const store = await openOn(disk);
    await fill(store, 1, 3);
    const snapshot = store.scan();
    expect(snapshot.at(1).key).toEqual(b('k1'));
    snapshot.close();
    expect(await codeOf(() => snapshot.at(1))).toBe('closed');
    expect(await codeOf(() => [...snapshot])).toBe('closed');
    await store.close();
  });
});

describe('a merge that fails', () => {
  const CALLS = ['write', 'sync', 'create', 'rename', 'syncDirectory', 'read', 'remove'] as const;

  it.each(CALLS)('leaves the store usable or poisoned, never wrong (%s)', async (call) => {
    let [failed, poisoned] = [0, 0];
    for (const nth of [1, 2, 3, 4, 6, 9, 14, 21, 30]) {
      const disk = simDisk();
      let store = await openOn(disk, { fileBytes: 1000 });
      await fill(store);
      await store.delete(b('k7'));
      const expected = content(store);
      disk.inject(failing(call, nth));
      const code = await codeOf(() => store.merge());
      disk.clearFaults();
      if (code !== 'no error') failed++;
      if (code === 'poisoned') {
        poisoned++;
        expect(await codeOf(() => store.close())).toBe('poisoned');
        store = await openOn(disk, { fileBytes: 1000 });
      } else expect(code, `${call} ${nth}`).toMatch(/no error|EIO/);
      expect(content(store), `${call} ${nth}`).toEqual(expected);
      await store.merge();
      expect(content(store)).toEqual(expected);
      await store.close();
      // A file that could not be removed is a leftover for the next who opens the store.
      const again = await openOn(disk);
      expect(content(again)).toEqual(expected);
      await again.close();
      expect(await asFilesAre(disk), `${call} ${nth}`).toEqual([]);
    }
    expect(failed > 0).toBe(call !== 'remove');
    expect(poisoned > 0).toBe(!['remove', 'read'].includes(call));
  });

  it('on a full disk gives back what it took', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 1000 });
    for (let i = 0; i < 100; i++) await store.put(b(`k${i}`), b('v'.repeat(50)));
    await store.idle();
    const expected = content(store);
    const before = filesOf(disk.list(ROOT));
    // The one that is written is sealed before, and the next begun.
    disk.capacityBytes = disk.usedBytes + 3000;
    expect(await codeOf(() => store.merge())).toBe('ENOSPC');
    expect(filesOf(disk.list(ROOT)).length).toBeLessThanOrEqual(before.length + 2);
    expect(content(store)).toEqual(expected);
    disk.capacityBytes = undefined;
    await store.put(b('k0'), b('more'));
    await store.merge();
    expect(store.get(b('k0'))).toEqual(b('more'));
    expect(store.size).toBe(100);
    await store.close();
    expect(await asFilesAre(disk)).toEqual([]);
  });

  it('in the background is told of until one succeeds', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 500 });
    for (let i = 0; i < 8; i++) await store.put(b(`k${i}`), b('v'.repeat(40)));
    await store.idle();
    disk.inject(failing('read', 1));
    for (let i = 0; i < 8; i++) await store.put(b(`k${i}`), b('w'.repeat(40)));
    await store.idle();
    expect(store.stat().backgroundFailure).toMatch(/^EIO/);
    expect(store.stat().files.filter(({ sealed, hint }) => sealed && !hint).length).toBe(1);
    for (let i = 0; i < 8; i++) await store.put(b(`k${i}`), b('x'.repeat(40)));
    await store.idle();
    expect(store.stat().backgroundFailure).toBeUndefined();
    expect(store.stat().files.filter(({ sealed, hint }) => sealed && !hint)).toEqual([]);
    await store.close();
  });

  it('of a damaged file leaves all as it was, and says where', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 1000 });
    await fill(store);
    const files = filesOf(disk.list(ROOT));
    disk.flipBit(`${ROOT}/000002.bcd`, 300, 3);
    await expect(store.merge()).rejects.toThrow(/000002\.bcd @ \d+: crc-mismatch/);
    expect(filesOf(disk.list(ROOT))).toEqual(expect.arrayContaining(files));
    await store.put(b('more'), b('1'));
    await store.close();
  });

  it('of a file that was cut meanwhile does not forget what is gone', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { fileBytes: 1000 });
    await fill(store, 1);
    const file = disk.open(`${ROOT}/000001.bcd`, 'write');
    // At the end of a record: each has 44 bytes, two or three of a key, and 20.
    file.truncate(64 + 5 * 66);
    file.close();
    await expect(store.merge()).rejects.toThrow(/000001\.bcd @ 394: it ends here/);
    await store.close();
  });
});

describe('numbers of files', () => {
  it('are never given twice, whatever became of the file', async () => {
    const disk = simDisk();
    const made = new Set<string>();
    const again: string[] = [];
    disk.onOperation = ({ call, path, to }, when) => {
      const name = (to ?? path).slice(ROOT.length + 1);
      if (when === 'before' || !/^\d+\.bcd$/.test(name)) return;
      if (call !== 'create' && call !== 'rename') return;
      if (made.has(name)) again.push(name);
      made.add(name);
    };
    const open = (): Promise<BitcaskStore> => openOn(disk, { fileBytes: 500 });
    let store = await open();
    await fill(store, 2, 20);
    await store.close();
    for (let nth = 1; nth < 40; nth++) {
      store = await open();
      disk.inject(failing('sync', nth));
      await store.merge().catch(() => {});
      await store.close().catch(() => {});
      disk.clearFaults();
    }
    const left = disk.open(`${ROOT}/000500.bcd`, 'create');
    left.close();
    store = await open();
    await store.close();
    store = await open();
    await store.merge();
    expect(dataFiles(disk).every((name) => name > '000500.bcd')).toBe(true);
    expect(made.size).toBeGreaterThan(100);
    expect(again).toEqual([]);
    expect(store.size).toBe(20);
    await store.close();
  });
});

describe('what is worth a merge', () => {
  const options = resolveOptions({ fileBytes: 1000, mergeDead: 0.5, mergeFiles: 3 });

  function file(number: number, sizes: Partial<DataFile>): DataFile {
    const made = new DataFile(simDisk(), ROOT, number, 0, false);
    return Object.assign(made, { size: 1064, sealed: true, liveBytes: 1000, records: 10 }, sizes);
  }

  const picked = (...files: DataFile[]): number[] =>
    worthMerging(files, options).map(({ number }) => number);

  it('files of which half is dead or has expired, once they are sealed', () => {
    const whole = [1, 2, 3, 4].map((number) => file(number, {}));
    expect(picked(...whole)).toEqual([]);
    expect(picked(...whole, file(5, { liveBytes: 400 }))).toEqual([5]);
    expect(picked(...whole, file(5, { expiredBytes: 600 }))).toEqual([5]);
    expect(picked(...whole, file(5, { liveBytes: 400, sealed: false }))).toEqual([]);
    expect(picked(...whole, file(5, { liveBytes: 400, deletionBytes: 500 }))).toEqual([]);
  });

  it('small files, when there are so many', () => {
    const small = [1, 2, 3].map((number) => file(number, { size: 164, liveBytes: 100 }));
    const large = [4, 5].map((number) => file(number, {}));
    expect(picked(...large, ...small.slice(1))).toEqual([]);
    expect(picked(...large, ...small)).toEqual([1, 2, 3]);
  });

  it('all of them, when half is deletions and what they hide', () => {
    const deletions = [1, 2].map((number) => file(number, { liveBytes: 0, deletionBytes: 1000 }));
    const large = [4, 5, 6].map((number) => file(number, { liveBytes: 700 }));
    expect(picked(deletions[0]!, ...large)).toEqual([]);
    expect(picked(...deletions, ...large)).toEqual([1, 2, 4, 5, 6]);
  });

  it('is found and done in the background, deletions and expired values included', async () => {
    let now = 1000;
    const disk = simDisk();
    const store = await openOn(disk, {
      sync: 'none',
      fileBytes: 5000,
      autoMerge: true,
      now: () => now,
    });
    for (let i = 0; i < 1500; i++) {
      now++;
      const ttl = i % 2 === 0 ? 100 : undefined;
      await store.put(b(`key${i}`), b('v'.repeat(20)), { ttl });
      if (i >= 50 && i % 2 === 1) await store.delete(b(`key${i - 50}`));
      if (i % 50 === 0) await store.idle();
    }
    await store.idle();
    expect(store.stat().bytes).toBeLessThan(30_000);
    expect(store.size).toBeLessThan(300);
    await store.close();
  });
});
