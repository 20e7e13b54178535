/** A vacuum that takes turns with others, of both B+tree stores: stopped, and written to. */
import { describe, expect, it, vi } from 'vitest';
import { BtreeStore } from '../../src/engines/btree/store.ts';
import { V1Store } from '../../src/engines/btree-v1/store.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';

// A turn is always due.
vi.mock('../../src/shared/clock.ts', () => {
  let now = 0;
  return { milliseconds: () => (now += 1000) };
});

type Store = BtreeStore | V1Store;
const stores: [string, (disk: SimDisk) => Store | Promise<Store>][] = [
  ['v1', (disk) => V1Store.open(disk, '/d')],
  ['v2', (disk) => BtreeStore.open(disk, '/d')],
];
const keyOf = (i: number) => Buffer.from(`key${String(i).padStart(5, '0')}`);

/** With room in its pages. */
async function filled(
  open: (disk: SimDisk) => Store | Promise<Store>,
): Promise<{ disk: SimDisk; store: Store }> {
  const disk = new SimDisk({ root: '/d' });
  const store = await open(disk);
  const value = Buffer.alloc(50, 'v');
  await store.batch(Array.from({ length: 3000 }, (_, i) => ({ key: keyOf(i), value })));
  for (let i = 0; i < 3000; i += 2) await store.delete(keyOf(i));
  return { disk, store };
}

const keys = (store: Store) => [...store.scan()].map(({ key }) => key.toString());

describe.each(stores)('vacuum of %s in turns', (_, open) => {
  it('makes the file smaller, and loses nothing', async () => {
    const { disk, store } = await filled(open);
    const before = keys(store);
    const sizes = await store.vacuum({ waiting: {} });
    expect(sizes.after).toBeLessThan(sizes.before);
    expect(keys(store)).toEqual(before);
    store.close();
    const again = await open(disk);
    expect(keys(again)).toEqual(before);
    again.close();
  });

  it('is stopped, and leaves all as it was', async () => {
    const { disk, store } = await filled(open);
    const [before, names] = [keys(store), disk.list('/d')];
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error('stopped')));
    const running = store.vacuum({ waiting: { signal: stop.signal } });
    await expect(running).rejects.toThrow('stopped');
    expect(keys(store)).toEqual(before);
    expect(disk.list('/d')).toEqual(names);
    await store.put(Buffer.from('more'), Buffer.from('1'));
    store.close();
    const again = await open(disk);
    expect(keys(again)).toEqual([...before, 'more']);
    again.close();
  });

  it('gives way to who writes meanwhile', async () => {
    const { disk, store } = await filled(open);
    const before = keys(store);
    const put = new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        store.put(Buffer.from('more'), Buffer.from('1')).then(() => resolve(), reject);
      });
    });
    await expect(store.vacuum({ waiting: {} })).rejects.toMatchObject({ code: 'busy' });
    await put;
    store.close();
    const again = await open(disk);
    expect(keys(again)).toEqual([...before, 'more']);
    again.close();
  });

  it('leaves nothing where the store is closed meanwhile', async () => {
    const { disk, store } = await filled(open);
    const before = keys(store);
    setImmediate(() => store.close());
    await expect(store.vacuum({ waiting: {} })).rejects.toMatchObject({ code: 'closed' });
    expect(disk.list('/d').filter((name) => name.startsWith('.'))).toEqual([]);
    const again = await open(disk);
    expect(keys(again)).toEqual(before);
    again.close();
  });

  it('is refused beside another one, which costs the store nothing', async () => {
    const { disk, store } = await filled(open);
    const before = keys(store);
    const both = await Promise.allSettled([1, 2].map(() => store.vacuum({ waiting: {} })));
    expect(both.map(({ status }) => status)).toContain('fulfilled');
    await store.put(Buffer.from('more'), Buffer.from('1'));
    expect(keys(store)).toEqual([...before, 'more']);
    store.close();
    expect(disk.list('/d')).toHaveLength(1);
    const again = await open(disk);
    expect(keys(again)).toEqual([...before, 'more']);
    again.close();
  });
});
