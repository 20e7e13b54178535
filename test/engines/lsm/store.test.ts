import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LsmOptions } from '../../../src/engines/lsm/options.ts';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import {
  applyTo,
  type Change,
  contentOf,
  opener,
  ROOT,
  textOf,
  violations,
  write,
} from './invariants.ts';

const quiet = { append() {} };
const bytes = (text: string) => Buffer.from(text);

async function fresh(options: LsmOptions = {}) {
  const disk = new SimDisk({ root: ROOT });
  const open = opener(disk.boot, options);
  return { disk, open, store: await open(disk) };
}

type Step = Change | 'flush' | 'compact' | 'reopen' | 'snapshot' | 'idle';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '\0', '\0\x01x');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(key, fc.string({ maxLength: 40 })) as fc.Arbitrary<Change> },
  { weight: 3, arbitrary: key.map((one): Change => [one, undefined]) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('c', 'd', 'f'))
      .map(([from, to]): Change => [`${from}..${to}`, undefined]),
  },
  { weight: 5, arbitrary: fc.constantFrom<Step>('flush', 'compact', 'reopen', 'snapshot', 'idle') },
);

describe('a store beside a map', () => {
  it.each([
    ['leveled', { autoCompact: true }],
    ['size-tiered', { autoCompact: true, strategy: 'size-tiered' as const }],
    ['deflated', { compression: 'deflate' as const, filterBits: 0 }],
    ['with small memtables', { memtableBytes: 800, autoCompact: true }],
  ])('always holds the same, its snapshots too (%s)', async (_, options: LsmOptions) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { disk, open, ...first } = await fresh(options);
        let { store } = first;
        const state = new Map<string, string>();
        let taken: { snapshot: ReturnType<LsmStore['snapshot']>; text: string }[] = [];
        for (const one of steps) {
          if (one === 'flush') await store.flush();
          else if (one === 'compact') await store.compact();
          else if (one === 'idle') await store.idle();
          else if (one === 'snapshot') {
            taken.push({ snapshot: store.snapshot(), text: textOf(state) });
          } else if (one === 'reopen') {
            await store.close();
            store = await open(disk);
            taken = [];
          } else {
            await write(store, quiet, [one], false);
            applyTo(state, one);
          }
          for (const name of ['a', 'c', '\0', 'absent']) {
            expect(store.get(bytes(name))?.toString()).toBe(state.get(name));
          }
        }
        expect(contentOf(store)).toBe(textOf(state));
        expect(contentOf(store, true)).toBe(textOf(state));
        for (const { snapshot, text } of taken) {
          expect(contentOf(snapshot as never)).toBe(text);
          expect(contentOf(snapshot as never, true)).toBe(text);
        }
        await store.close();
      }),
      { numRuns: 80 },
    );
  });
});

describe('a scan', () => {
  it('sees what was there when it began, while writes, flushes and compactions go on', async () => {
    const { store } = await fresh({ autoCompact: true });
    for (let i = 0; i < 40; i++) await store.put(bytes(`k${i + 10}`), bytes(`${i}`));
    await store.flush();
    const scan = store.scan();
    const [back, first] = [store.scan({ reverse: true }), scan.next()];
    expect(`${first!.key}=${first!.value}`).toBe('k10=0');
    await store.deleteRange(bytes('k'), bytes('l'));
    await store.put(bytes('k11x'), bytes('new'));
    await store.compact();
    expect(contentOf(store)).toBe('k11x=new');
    expect([...scan].map((pair) => `${pair.key}=${pair.value}`)).toHaveLength(39);
    expect([...back].map((pair) => `${pair.key}`).at(-1)).toBe('k10');
    await store.close();
  });

  it('keeps to its bounds, either way', async () => {
    const { store } = await fresh();
    for (const name of ['a', 'b1', 'b2', 'b3', 'c']) await store.put(bytes(name), bytes(name));
    await store.flush();
    const keys = (options: object) => [...store.scan(options)].map((pair) => `${pair.key}`).join();
    for (const reverse of [false, true]) {
      const put = (text: string) => (reverse ? text.split(',').reverse().join() : text);
      expect(keys({ prefix: bytes('b'), reverse })).toBe(put('b1,b2,b3'));
      expect(keys({ from: bytes('b2'), reverse })).toBe(put('b2,b3,c'));
      expect(keys({ to: bytes('b2'), reverse })).toBe(put('a,b1'));
      expect(keys({ from: bytes('b'), to: bytes('b3'), reverse })).toBe(put('b1,b2'));
    }
    expect(keys({ limit: 2, reverse: true })).toBe('c,b3');
    await store.close();
  });
});

describe('compaction', () => {
  it('drops what is replaced and deleted, and tables split where no key is split', async () => {
    const { store } = await fresh();
    for (let i = 0; i < 60; i++) await store.put(bytes(`key${100 + i}`), bytes('x'.repeat(20)));
    await store.flush();
    for (let i = 0; i < 60; i += 2) await store.delete(bytes(`key${100 + i}`));
    const report = (await store.compact())!;
    expect(report).toMatchObject({ read: 90, kept: 30, deletionsDropped: 30 });
    expect(report.outputs.length).toBeGreaterThan(2);
    const { levels } = store.stat();
    expect(levels.map(({ entries }) => entries)).toEqual([30]);
    await store.close();
  });

  it('keeps for a snapshot what it sees', async () => {
    const { store } = await fresh();
    await store.put(bytes('a'), bytes('1'));
    await store.put(bytes('b'), bytes('1'));
    const snapshot = store.snapshot();
    await store.put(bytes('a'), bytes('2'));
    await store.deleteRange(bytes('b'), bytes('c'));
    await store.compact();
    expect(contentOf(store)).toBe('a=2');
    expect(`${snapshot.get(bytes('a'))} ${snapshot.get(bytes('b'))}`).toBe('1 1');
    snapshot.close();
    await store.compact();
    expect(store.stat().levels[0]).toMatchObject({ entries: 1 });
    await store.close();
  });

  it('goes on by itself, level by level, and writes wait where it lags behind', async () => {
    const options = { autoCompact: true, memtableBytes: 1200, levelZeroStop: 2, memtablesMax: 1 };
    const { store } = await fresh(options);
    const value = bytes('v'.repeat(30));
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let i = 0; i < 20; i++)
          await store.put(bytes(`k${(i * 7919 + writer * 31) % 1000}`), value);
      }),
    );
    await store.idle();
    const stat = store.stat();
    expect(stat.stalls).toBeGreaterThan(0);
    expect(stat.levels.filter(({ level }) => level > 0).length).toBeGreaterThan(1);
    expect(stat.levels.find(({ level }) => level === 0)?.tables ?? 0).toBeLessThan(2);
    expect(stat.writeAmplification).toBeGreaterThan(2);
    await store.close();
  });
});

describe('a store', () => {
  it('reads no block for a key that is not there, 99 times of 100', async () => {
    const { store } = await fresh({ blockBytes: 1024, tableBytes: 100_000 });
    for (let i = 0; i < 2000; i += 50) {
      await store.batch(
        Array.from({ length: 50 }, (_, j) => ({
          key: bytes(`k${2 * (i + j)}`),
          value: bytes('v'),
        })),
      );
    }
    await store.flush();
    for (let i = 0; i < 2000; i++) expect(store.get(bytes(`k${2 * i}`))?.toString()).toBe('v');
    const before = store.stat().blockReads;
    for (let i = 0; i < 2000; i++) expect(store.get(bytes(`k${2 * i + 1}`))).toBeNull();
    expect(store.stat().blockReads - before).toBeLessThan(20);
    await store.close();
  });

  it('that is open is refused to others; one that is closed refuses', async () => {
    const { disk, store } = await fresh();
    await expect(opener(disk.boot)(disk)).rejects.toThrow(/in use|locked|process/);
    await store.close();
    expect(() => store.get(bytes('a'))).toThrow(/closed/);
    await expect(store.put(bytes('a'), bytes('b'))).rejects.toThrow(/closed/);
  });

  it('lets go of its log when its table is there', async () => {
    const { disk, store } = await fresh();
    for (let i = 0; i < 5; i++) {
      await store.put(bytes(`k${i}`), bytes('v'.repeat(100)));
      await store.flush();
    }
    const segments = disk.list(`${ROOT}/wal`).filter((name) => /^\d+\.wal2$/.test(name));
    expect(segments).toHaveLength(1);
    await store.close();
  });

  it('says which table is damaged, and where', async () => {
    const { disk, open, store } = await fresh();
    for (let i = 0; i < 30; i++) await store.put(bytes(`k${i}`), bytes('v'.repeat(30)));
    await store.flush();
    await store.close();
    const file = disk.open(`${ROOT}/000001.sst2`, 'write');
    file.write(bytes('X'), 0, 1, 64 + 40);
    file.close();
    const again = await open(disk);
    expect(() => contentOf(again)).toThrow(/000001.sst2 @ 64: data block 0 does not check/);
    await again.close();
  });

  it('refuses the log of another store, and a missing manifest', async () => {
    const { disk, open, store } = await fresh();
    await store.put(bytes('a'), bytes('1'));
    await store.flush();
    await store.close();
    const bare = disk.list(ROOT).filter((name) => name.startsWith('MANIFEST'));
    disk.remove(`${ROOT}/${bare[0]}`);
    await expect(open(disk)).rejects.toThrow(/is there and MANIFEST.lsm2 is not/);
  });

  it('refuses options that make no sense', async () => {
    const disk = new SimDisk({ root: ROOT });
    const wrong = { memtableBytes: 0 };
    await expect(LsmStore.open(disk, ROOT, wrong)).rejects.toThrow(/memtableBytes must be/);
    await expect(LsmStore.open(disk, ROOT, { nothing: 1 } as never)).rejects.toThrow(
      /unknown option/,
    );
  });
});

describe('what was full', () => {
  it('is flushed, whenever the next one becomes full', async () => {
    // The turns of a flush are swept: at one of them it has looked for more, and is not done yet.
    for (let turns = 0; turns < 80; turns++) {
      const { store } = await fresh({ memtableBytes: 1, memtablesMax: 100 });
      await store.put(bytes('a'), bytes('1'));
      for (let i = 0; i < turns; i++) await Promise.resolve();
      await store.put(bytes('b'), bytes('1'));
      await store.idle();
      expect({ turns, entries: store.stat().memtableEntries }).toEqual({ turns, entries: 0 });
      await store.close();
    }
  });

  it('has a number, at whatever size', async () => {
    const { disk, open, store } = await fresh();
    await store.put(bytes('a'), bytes('1'));
    await store.put(bytes('b'), bytes('1'));
    await store.flush();
    await store.put(bytes('c'), bytes('1'));
    await store.close();
    const again = await open(disk, { memtableBytes: 1 });
    const seen: number[] = [];
    for (let turns = 0; turns < 80; turns++) {
      seen.push(again.stat().flushedSeq);
      await Promise.resolve();
    }
    expect(Math.min(...seen)).toBe(2);
    await again.close();
  });

  it('lets go of those who wait for room when it is closed', async () => {
    const told = new Set<string>();
    for (let turns = 0; turns < 150; turns++) {
      const limits = { memtableBytes: 1, memtablesMax: 1, levelZeroTables: 2, levelZeroStop: 2 };
      const { store } = await fresh({ ...limits, autoCompact: true });
      for (const name of ['a', 'b']) await store.put(bytes(name), bytes('1'));
      for (let i = 0; i < turns; i++) await Promise.resolve();
      let outcome = 'waits';
      const write = store.put(bytes('c'), bytes('1')).then(
        () => 'written',
        (error) => error.code,
      );
      void write.then((how) => {
        outcome = how;
      });
      await store.close();
      await new Promise((resolve) => setImmediate(resolve));
      told.add(outcome);
    }
    expect([...told].sort()).toEqual(['closed', 'written']);
  });
});

describe('a range deletion of nothing', () => {
  it('makes no table, and the store is clean', async () => {
    const { disk, open, store } = await fresh();
    for (const to of ['a', 'b']) {
      await store.deleteRange(bytes('b'), bytes(to));
      await store.flush();
    }
    expect(store.stat().tables).toBe(0);
    await store.close();
    expect(await violations(disk, [], open)).toEqual([]);
  });
});

describe('a place', () => {
  it('of another software is left alone', async () => {
    for (const name of ['CURRENT', 'MANIFEST-000002', '000005.ldb', '000012.sst']) {
      const disk = new SimDisk({ root: ROOT });
      disk.open(`${ROOT}/${name}`, 'create').close();
      for (const create of [false, true]) {
        await expect(opener(disk.boot, { create })(disk)).rejects.toThrow(`${name} is a file of`);
      }
      expect(disk.list(ROOT)).toEqual([name]);
    }
  });

  it('without a store gets none unless it is to be created', async () => {
    const disk = new SimDisk({ root: ROOT });
    await expect(opener(disk.boot, { create: false })(disk)).rejects.toThrow(`no store at ${ROOT}`);
    expect(disk.list(ROOT)).toEqual([]);
  });

  it('that is a file is called so', async () => {
    const disk = new SimDisk();
    disk.open('/store', 'create').close();
    await expect(opener(disk.boot)(disk)).rejects.toThrow('/store is a file');
  });
});
