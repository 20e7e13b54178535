import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BtreeReader } from '../../../src/engines/btree/reader.ts';
import type { BtreeStore } from '../../../src/engines/btree/store.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { entriesOf, pairs } from '../../formats/btree/v2-support.ts';
import { contentOf, fsck, opener, ROOT } from './invariants.ts';

const bytes = (text: string) => Buffer.from(text);
const open = opener(0, { sync: 'none' });
const textOf = (rows: Iterable<{ key: Buffer; value: Buffer }>) =>
  [...rows].map(({ key, value }) => `${key}=${value}`);

describe('a store', () => {
  it('says whether a key was new, or there', async () => {
    const store = open(new SimDisk({ root: ROOT }));
    expect(await store.put(bytes('a'), bytes('1'))).toBe(true);
    expect(await store.put(bytes('a'), bytes('2'))).toBe(false);
    expect(store.get(bytes('a'))?.toString()).toBe('2');
    expect(store.get(bytes('b'))).toBe(null);
    expect(await store.delete(bytes('b'))).toBe(false);
    expect(await store.delete(bytes('a'))).toBe(true);
    expect([store.size, store.stat().height]).toEqual([0, 0]);
    store.close();
    expect(() => store.get(bytes('a'))).toThrow('the store is closed');
  });

  it('has any key and value up to the limits, and names them', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    const values = [0, 1, 83, 84, 85, 479, 480, 481, 960, 5000].map((n) => Buffer.alloc(n, n));
    for (const [i, value] of values.entries()) await store.put(Buffer.alloc(i, 255), value);
    values.forEach((value, i) => {
      expect(store.get(Buffer.alloc(i, 255))).toEqual(value);
    });
    await expect(store.put(Buffer.alloc(103), bytes(''))).rejects.toThrow('it may have 102');
    await store.put(Buffer.alloc(102, 1), bytes('long'));
    expect(store.get(Buffer.alloc(102, 1))?.toString()).toBe('long');
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('is opened by one writer, and only where it is', () => {
    const disk = new SimDisk({ root: ROOT });
    expect(() => open(disk, { create: false })).toThrow('no store at /store');
    const store = open(disk);
    expect(() => open(disk)).toThrow('is in use by process');
    expect(() => open(disk, { pageSize: 1000 })).toThrow('pageSize must be a power of two');
    store.close();
  });

  it('scans half-open ranges both ways', async () => {
    const store = open(new SimDisk({ root: ROOT }));
    const rows = pairs(200);
    await store.batch(rows.map(([key, value]) => ({ key: bytes(key), value: bytes(value) })));
    const bound = fc.option(fc.integer({ min: -1, max: 201 }), { nil: undefined });
    await fc.assert(
      fc.property(
        bound,
        bound,
        fc.boolean(),
        fc.integer({ min: 0, max: 9 }),
        (a, b, reverse, n) => {
          const keyOf = (i: number) => `key${String(i).padStart(5, '0')}`;
          const from = a === undefined ? undefined : a < 0 ? '' : keyOf(a);
          const to = b === undefined ? undefined : b < 0 ? '' : keyOf(b);
          const within = rows.filter(
            ([key]) => (from === undefined || key >= from) && (to === undefined || key < to),
          );
          const expected = (reverse ? within.reverse() : within).slice(0, n);
          const options = {
            from: from === undefined ? undefined : bytes(from),
            to: to === undefined ? undefined : bytes(to),
          };
          const seen = textOf(store.scan({ ...options, reverse, limit: n }));
          expect(seen).toEqual(expected.map((row) => row.join('=')));
          expect(store.count(options)).toBe(within.length);
        },
      ),
    );
    expect(textOf(store.scan({ from: Buffer.alloc(9000, 'z') }))).toEqual([]);
    expect([...store.scan({ to: Buffer.alloc(9000, 'z') })]).toHaveLength(200);
    store.close();
  });
});

describe('snapshots', () => {
  it('see the store as it was, whatever is written, committed or vacuumed', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk, { cacheBytes: 0, sync: 'batch', batchEvery: 7 });
    const random = new Random(5);
    const model = new Map<string, string>();
    const kept: { snapshot: ReturnType<BtreeStore['snapshot']>; content: string[] }[] = [];
    const contentNow = () => [...model].sort().map((row) => row.join('='));
    for (let i = 0; i < 1500; i++) {
      const key = `k${random.below(300)}`;
      if (random.below(3) === 0) {
        model.delete(key);
        await store.delete(bytes(key));
      } else {
        const value = `${i}`.repeat(1 + random.below(60));
        model.set(key, value);
        await store.put(bytes(key), bytes(value));
      }
      if (i % 40 === 0) kept.push({ snapshot: store.snapshot(), content: contentNow() });
      if (i % 90 === 0 && kept.length > 2) {
        const [one] = kept.splice(random.below(kept.length), 1);
        expect(textOf(one!.snapshot.scan())).toEqual(one!.content);
        one!.snapshot.close();
      }
      if (i === 900) await store.vacuum();
    }
    for (const { snapshot, content } of kept) {
      expect(textOf(snapshot.scan())).toEqual(content);
      snapshot.close();
    }
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('of readers without the lock keep their pages', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk, { sync: 'sync' });
    for (let i = 0; i < 50; i++) await store.put(bytes(`k${i}`), bytes(`${i}`));
    const { processes } = { processes: { self: { pid: 7, started: 'x' }, isAlive: () => true } };
    const living = opener(0, { processes });
    store.close();
    const writer = living(disk);
    const reader = BtreeReader.open(disk, ROOT, processes);
    const before = contentOf(reader);
    for (let i = 0; i < 200; i++) await writer.put(bytes(`k${i % 50}`), bytes(`new${i}`));
    const grown = writer.stat().pages;
    expect(contentOf(reader)).toBe(before);
    reader.refresh();
    expect(contentOf(reader)).toBe(contentOf(writer));
    reader.close();
    for (let i = 0; i < 200; i++) await writer.put(bytes(`k${i % 50}`), bytes(`more${i}`));
    expect(writer.stat().pages).toBeLessThan(grown + 20);
    writer.close();
    expect(disk.list(ROOT)).toEqual(['tree.bt2']);
  });
});

/** Any workload of puts, deletions, batches, reopening and vacuum, beside a Map. */
describe('a random workload', () => {
  it('of any keys and values is what a map is', async () => {
    const key = fc.oneof(
      fc.integer({ min: 0, max: 60 }).map((n) => `k${n}`),
      fc.string({ maxLength: 30 }),
      fc.integer({ min: 0, max: 20 }).map((n) => 'x'.repeat(80) + n),
    );
    const value = fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.integer({ min: 90, max: 2000 }).map((n) => 'v'.repeat(n)),
    );
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constant('put' as const), key, value) },
      { weight: 5, arbitrary: fc.tuple(fc.constant('delete' as const), key, fc.constant('')) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('reopen', 'vacuum'), key, value) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 250, size: 'max' }), async (steps) => {
        const disk = new SimDisk({ root: ROOT });
        let store = open(disk);
        const model = new Map<string, string>();
        for (const [what, name, text] of steps) {
          if (what === 'put') {
            expect(await store.put(bytes(name), bytes(text))).toBe(!model.has(name));
            model.set(name, text);
          } else if (what === 'delete') {
            expect(await store.delete(bytes(name))).toBe(model.delete(name));
          } else if (what === 'vacuum') await store.vacuum();
          else {
            store.close();
            expect(await fsck(disk)).toEqual([]);
            store = open(disk);
          }
        }
        const sorted = [...model].sort(([a], [b]) => Buffer.compare(bytes(a), bytes(b)));
        expect(textOf(store.scan())).toEqual(sorted.map((row) => row.join('=')));
        for (const [name, text] of model) expect(store.get(bytes(name))?.toString()).toBe(text);
        store.close();
        expect(await fsck(disk)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('of many operations ends where it began once all is deleted', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk, { sync: 'batch', batchEvery: 500, cacheBytes: 64 * 1024 });
    const start = store.stat();
    const random = new Random(11);
    const model = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      const name = `key${random.below(4000)}`;
      const key = bytes(name);
      // It grows in the first half and shrinks in the second.
      if (random.below(10) < (i < 15_000 ? 7 : 3)) {
        const isNew = await store.put(key, Buffer.alloc(i % 97, i));
        if (isNew === model.has(name)) expect.fail(`put of ${name} said ${isNew}`);
        model.set(name, i);
      } else if ((await store.delete(key)) !== model.delete(name)) expect.fail(`delete of ${name}`);
    }
    expect(store.size).toBe(model.size);
    for (const [name, i] of model) {
      expect(store.get(bytes(name))?.equals(Buffer.alloc(i % 97, i))).toBe(true);
    }
    for (const { key } of [...store.scan()]) await store.delete(key);
    expect([store.size, store.stat().height]).toEqual([0, start.height]);
    await store.vacuum();
    expect(store.stat().pages).toBe(start.pages);
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });
});

describe('space', () => {
  it('of a store that is closed without a key is as it began, whoever looks at it', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    const start = store.stat().pages;
    for (let i = 0; i < 300; i++) await store.put(bytes(`key${i}`), Buffer.alloc(40));
    const seen = store.snapshot();
    for (let i = 0; i < 300; i++) await store.delete(bytes(`key${i}`));
    store.close();
    expect([...seen.scan()]).toHaveLength(300);
    seen.close();
    expect(await fsck(disk)).toEqual([]);
    const again = open(disk);
    expect(again.stat()).toMatchObject({ pages: start, height: 0, freePages: 0 });
    again.close();
  });

  it('is used again: overwriting for ever needs no more of it', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk, { sync: 'sync' });
    const sizes: number[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 120; i++) await store.put(bytes(`k${i}`), Buffer.alloc(40, round));
      sizes.push(store.stat().pages);
    }
    expect(sizes.at(-1)).toBe(sizes[1]);
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('of a long free list costs a commit no more', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    await store.batch(pairs(4000).map(([k, v]) => ({ key: bytes(k), value: bytes(v) })));
    store.sync();
    await store.batch(pairs(3990).map(([k]) => ({ key: bytes(k), value: undefined })));
    store.sync();
    expect(store.stat().freePages).toBeGreaterThan(150);
    const before = store.stat().pagesWritten;
    for (let i = 0; i < 20; i++) {
      await store.put(bytes('one'), bytes(`${i}`));
      store.sync();
    }
    expect((store.stat().pagesWritten - before) / 20).toBeLessThan(9);
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('of a bulk load is a file of full pages; only an empty store is loaded', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    const rows = pairs(2000);
    store.load(entriesOf(rows)());
    expect(textOf(store.scan())).toEqual(rows.map((row) => row.join('=')));
    expect(() => store.load(entriesOf(rows)())).toThrow('only an empty store');
    expect(store.stat().freePages).toBe(0);
    await store.put(bytes('more'), bytes('1'));
    store.close();
    expect(await fsck(disk)).toEqual([]);
    const other = open(new SimDisk({ root: ROOT }));
    expect(() => other.load(entriesOf([...rows].reverse())())).toThrow('keys must ascend');
    await other.put(bytes('a'), bytes('1'));
    expect(contentOf(other)).toBe('a=1');
    other.close();
  });
});

describe('failing calls', () => {
  it('poison the store, which opens again', async () => {
    const disk = new SimDisk({ root: ROOT, faults: [failing('sync', 4)] });
    const store = open(disk, { sync: 'sync' });
    await expect(store.put(bytes('a'), bytes('1'))).rejects.toThrow('nothing more is accepted');
    expect(() => store.get(bytes('a'))).toThrow('nothing more is accepted');
    expect(() => store.close()).toThrow('nothing more is accepted');
    const again = open(disk);
    // Written it was; whether that is durable, nobody had said.
    expect(again.size).toBe(1);
    again.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('of a page that is damaged are told, and nothing is made up', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    await store.put(bytes('a'), bytes('1'));
    store.close();
    const file = disk.open(`${ROOT}/tree.bt2`, 'write');
    file.write(Buffer.from('x'), 0, 1, 2 * 512 + 40);
    file.close();
    expect(() => open(disk)).toThrow('page 2 is damaged');
  });
});
