/** How often the store syncs, and what it says when that fails. */
import { describe, expect, it } from 'vitest';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
import type { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { b, codeOf, content, openOn, simDisk } from './stores.ts';

interface Counts {
  syncs: number;
  writes: number;
}

/** A store that has its first file, and the writes and syncs of data files since then. */
async function counted(
  options: BitcaskOptions,
): Promise<{ disk: SimDisk; store: BitcaskStore; counts: Counts }> {
  const counts = { syncs: 0, writes: 0 };
  const disk = simDisk({
    onOperation({ call, path }, when) {
      if (when !== 'after' || !path.endsWith('.bcd')) return;
      if (call === 'sync') counts.syncs++;
      if (call === 'write') counts.writes++;
    },
  });
  const store = await openOn(disk, options);
  await store.put(b('first'), b('1'));
  store.sync();
  counts.syncs = 0;
  counts.writes = 0;
  return { disk, store, counts };
}

describe('writes that are under way together', () => {
  it('share one write and one sync', async () => {
    const { store, counts } = await counted({});
    const caller = async (name: number): Promise<void> => {
      for (let i = 0; i < 20; i++) await store.put(b(`${name} ${i}`), b('v'));
    };
    await Promise.all(Array.from({ length: 16 }, (_, name) => caller(name)));
    expect(store.size).toBe(1 + 16 * 20);
    expect(counts).toEqual({ syncs: 20, writes: 20 });
    await store.close();
  });

  it('are not synced twice', async () => {
    const { store, counts } = await counted({});
    const put = store.put(b('k'), b('v'));
    store.sync();
    await put;
    store.sync();
    await store.batch([]);
    await store.close();
    expect(counts).toEqual({ syncs: 1, writes: 1 });
  });
});

describe('sync modes', () => {
  it('batch: after so many operations, counted from any sync on', async () => {
    const { store, counts } = await counted({ sync: 'batch', batchEvery: 5 });
    const puts = async (count: number) => {
      for (let i = 0; i < count; i++) await store.put(b(`k${i}`), b('v'));
    };
    await puts(4);
    expect(counts.syncs).toBe(0);
    await puts(1);
    expect(counts.syncs).toBe(1);
    await puts(3);
    await store.batch([{ key: b('a'), value: b('1') }]);
    expect(counts.syncs).toBe(2);
    await puts(3);
    store.sync();
    expect(counts.syncs).toBe(3);
    await puts(4);
    expect(counts.syncs).toBe(3);
    await Promise.all([puts(1), puts(1), puts(1)]);
    expect(counts.syncs).toBe(4);
    await store.close();
  });

  it('none: for batches, rotation, merge and close alone', async () => {
    const { store, counts } = await counted({ sync: 'none', fileBytes: 1000 });
    for (let i = 0; i < 5; i++) await store.put(b('k'), b('v'));
    await store.delete(b('k'));
    expect(counts.syncs).toBe(0);
    await store.batch([{ key: b('k'), value: undefined }]);
    expect(counts.syncs).toBe(1);
    await store.put(b('k'), b('v'.repeat(1000)));
    // The end of one file, and the header of the next.
    expect(counts.syncs).toBe(3);
    await store.put(b('l'), b('v'));
    await store.close();
    expect(counts.syncs).toBe(4);
  });

  it('none: what was not synced is lost, what was is not', async () => {
    const { disk, store } = await counted({ sync: 'none' });
    await store.put(b('a'), b('1'));
    await store.batch([{ key: b('b'), value: b('1') }]);
    await store.put(b('c'), b('1'));
    const after = disk.crash({ fates: [], fill: 'zeros', seed: 1 });
    const again = await openOn(after);
    expect(content(again).map(([key]) => key)).toEqual(['a', 'b', 'first']);
    await again.close();
  });
});

describe('a write or sync that fails', () => {
  it.each(['write', 'sync'] as const)('poisons the store (%s)', async (call) => {
    const { disk, store } = await counted({});
    disk.inject(failing(call, 1));
    const put = store.put(b('k'), b('v'));
    const beside = store.put(b('l'), b('v'));
    await expect(put).rejects.toThrow(
      /^a write or sync of the store failed \(EIO: .*\): nothing more is accepted$/,
    );
    await expect(beside).rejects.toThrow(/nothing more/);
    for (const act of [
      () => store.get(b('first')),
      () => store.put(b('k'), b('v')),
      () => store.delete(b('nothing')),
      () => store.batch([]),
      () => store.scan(),
      () => store.merge(),
      () => store.sync(),
      () => store.stat(),
      () => store.close(),
      () => store.close(),
    ]) {
      expect(await codeOf(act)).toBe('poisoned');
    }
    const again = await openOn(disk);
    expect(again.get(b('first'))).toEqual(b('1'));
    await again.put(b('k'), b('w'));
    await again.close();
  });

  it('leaves nothing half written for others to find: a full disk', async () => {
    const { disk, store } = await counted({ fileBytes: 600 });
    disk.capacityBytes = disk.usedBytes + 700;
    let acknowledged = 0;
    const code = await codeOf(async () => {
      for (let i = 0; ; i++) {
        await store.put(b(`k${i}`), b('v'.repeat(50)));
        acknowledged++;
      }
    });
    expect(code).toBe('poisoned');
    expect(await codeOf(() => store.close())).toBe('poisoned');
    disk.capacityBytes = undefined;
    const again = await openOn(disk);
    expect(again.size).toBeGreaterThanOrEqual(acknowledged + 1);
    for (let i = 0; i < acknowledged; i++) expect(again.get(b(`k${i}`))?.length).toBe(50);
    await again.close();
  });
});
