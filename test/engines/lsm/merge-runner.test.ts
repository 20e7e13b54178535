/** Compactions in a thread of their own, on the real disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompactionReport } from '../../../src/engines/lsm/compaction.ts';
import type { LsmOptions } from '../../../src/engines/lsm/options.ts';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import { decodeManifest, MANIFEST_NAME } from '../../../src/formats/lsm/manifest.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { contentOf } from './invariants.ts';

/** As it is built; the tests build first. */
const WORKER = join(import.meta.dirname, '../../../dist/merge-worker.js');
const disk = new RealDisk();
const b = (text: string): Buffer => Buffer.from(text);
let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'ddia-merge-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const SMALL: LsmOptions = {
  sync: 'none',
  storeId: () => 42n,
  tableBytes: 4000,
  blockBytes: 256,
  levelOneBytes: 10_000,
  autoCompact: false,
  compactionWorkerFromBytes: 0,
};

const open = (name: string, options: LsmOptions = {}): Promise<LsmStore> =>
  LsmStore.open(disk, join(base, name), { ...SMALL, ...options });

const tablesOf = (name: string): Record<string, string> => {
  const names = readdirSync(join(base, name)).filter((one) => one.endsWith('.sst2'));
  return Object.fromEntries(
    names.map((one) => [one, readFileSync(join(base, name, one)).toString('base64')]),
  );
};

const strays = (name: string): string[] => {
  const manifest = decodeManifest(readFileSync(join(base, name, MANIFEST_NAME)));
  if (typeof manifest === 'string') throw new Error(manifest);
  const named = manifest.tables.map(({ file }) => `${String(file).padStart(6, '0')}.sst2`);
  const other = [MANIFEST_NAME, 'wal', 'LOCK'];
  return readdirSync(join(base, name)).filter((one) => ![...named, ...other].includes(one));
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** The same writes for the same seed: puts, deletions, ranges, a batch of them in each table. */
async function fill(store: LsmStore, seed: number, tables: number): Promise<void> {
  const random = new Random(seed);
  for (let table = 0; table < tables; table++) {
    for (let i = 0; i < 90; i++) {
      const key = `key${random.below(400)}`;
      const what = random.below(20);
      if (what === 0) await store.deleteRange(b(key), b(`${key}5`));
      else if (what < 4) await store.delete(b(key));
      else await store.put(b(key), b(`${seed} ${table} ${i} `.repeat(1 + random.below(5))));
    }
    await store.flush();
  }
}

describe('a compaction in a thread of its own', () => {
  it.each<LsmOptions>([{}, { strategy: 'size-tiered' }, { compression: 'deflate', filterBits: 0 }])(
    'writes the tables that one in this thread does, snapshots and all (%o)',
    async (more) => {
      const outcomes: {
        reports: (CompactionReport | undefined)[];
        content: string;
        tables: object;
      }[] = [];
      for (const options of [more, { ...more, compactionWorker: WORKER }]) {
        const name = `store${outcomes.length}`;
        const store = await open(name, options);
        await fill(store, 1, 3);
        const snapshot = store.snapshot();
        await fill(store, 2, 2);
        const reports = [await store.compact()];
        const before = contentOf(snapshot as never);
        await fill(store, 3, 2);
        reports.push(await store.compact());
        expect(contentOf(snapshot as never)).toBe(before);
        snapshot.close();
        await fill(store, 4, 1);
        reports.push(await store.compact());
        const content = contentOf(store);
        await store.close();
        outcomes.push({ reports, content, tables: tablesOf(name) });
      }
      expect(outcomes[1]).toEqual(outcomes[0]);
      expect(outcomes[0]!.reports[1]!.replaced).toBeGreaterThan(0);
      const least = more.strategy ? 1 : 2;
      expect(Object.keys(outcomes[0]!.tables).length).toBeGreaterThanOrEqual(least);
    },
  );

  it('goes on beside writes, flushes and reads', async () => {
    const store = await open('store', {
      compactionWorker: WORKER,
      autoCompact: true,
      memtableBytes: 8000,
      levelZeroTables: 2,
    });
    const expected = new Map<string, string>();
    const random = new Random(5);
    for (let i = 0; i < 1500; i++) {
      const key = `k${random.below(500)}`;
      expected.set(key, `value ${i}`);
      await store.put(b(key), b(`value ${i}`));
      const asked = `k${random.below(500)}`;
      expect(store.get(b(asked))?.toString()).toBe(expected.get(asked));
    }
    await store.idle();
    expect(store.stat().compactions).toBeGreaterThan(3);
    expect(contentOf(store).split(' k')).toHaveLength(expected.size);
    await store.close();
    expect(strays('store')).toEqual([]);
  });

  it('keeps to its rate', async () => {
    const rate = 100_000;
    const store = await open('store', {
      compactionWorker: WORKER,
      autoCompact: true,
      levelZeroTables: 3,
      compactBytesPerSecond: rate,
    });
    const begun = performance.now();
    for (let table = 0; table < 3; table++) {
      for (let i = 0; i < 300; i++) await store.put(b(`${table} ${i}`), Buffer.alloc(50, `${i}`));
      await store.flush();
    }
    await store.idle();
    const { compactionReadBytes } = store.stat();
    expect(compactionReadBytes).toBeGreaterThan(50_000);
    const least = (1000 * compactionReadBytes) / rate;
    expect(performance.now() - begun).toBeGreaterThan(least);
    await store.close();
  });
});

describe('a store that is closed while a thread compacts', () => {
  it('does not wait for the end, and leaves nothing behind', async () => {
    const store = await open('store', {
      compactionWorker: WORKER,
      autoCompact: true,
      levelZeroTables: 4,
      // It would take an hour.
      compactBytesPerSecond: 20,
    });
    await fill(store, 1, 4);
    const content = contentOf(store);
    await until(() => strays('store').length > 0);
    const begun = performance.now();
    await store.close();
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(strays('store')).toEqual([]);
    const again = await open('store');
    expect(contentOf(again)).toBe(content);
    expect(again.stat().levels[0]!.tables).toBe(4);
    await again.close();
  });

  it('at any moment holds what it held', async () => {
    let content: string | undefined;
    const outcomes = new Set<string | undefined>();
    for (let wait = 0; wait < 8; wait++) {
      const store = await open('store', { compactionWorker: WORKER, tableBytes: 500 });
      if (wait === 0) await fill(store, 1, 4);
      content ??= contentOf(store);
      let compacting = true;
      const compacted = store
        .compact()
        .then(
          () => 'done',
          (error: { code?: string }) => error.code,
        )
        .finally(() => {
          compacting = false;
        });
      await until(() => compacting === false || strays('store').length >= wait);
      await store.close();
      outcomes.add(await compacted);
      expect(strays('store')).toEqual([]);
      const again = await open('store');
      expect(contentOf(again)).toBe(content);
      await again.close();
    }
    outcomes.delete('done');
    expect([...outcomes]).toEqual(['closed']);
  });
});

describe('a thread that fails', () => {
  const scripts: [string, string, RegExp][] = [
    ['throws', `throw new Error('out of order');`, /has died: out of order/],
    ['ends', `process.exit(3);`, /has died: exit code 3/],
    [
      'throws when it is asked',
      `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', () => { throw new Error('no such thing'); });`,
      /has died: no such thing/,
    ],
  ];
  it.each(scripts)('%s: the compaction is told, and the store goes on', async (_, code, words) => {
    const script = join(base, 'worker.mjs');
    writeFileSync(script, code);
    const store = await open('store', { compactionWorker: script });
    await fill(store, 1, 3);
    const content = contentOf(store);
    await expect(store.compact()).rejects.toThrow(words);
    await expect(store.compact()).rejects.toThrow(words);
    await store.put(b('zz'), b('1'));
    expect(contentOf(store)).toBe(`${content} zz=1`);
    await store.close();
    const again = await open('store', { compactionWorker: WORKER });
    await again.compact();
    expect(contentOf(again)).toBe(`${content} zz=1`);
    await again.close();
    expect(strays('store')).toEqual([]);
  });

  it('is told to who waits for room', async () => {
    const script = join(base, 'worker.mjs');
    writeFileSync(script, `throw new Error('out of order');`);
    const store = await open('store', {
      compactionWorker: script,
      autoCompact: true,
      memtableBytes: 2000,
      levelZeroTables: 2,
      levelZeroStop: 3,
    });
    const writes = async (): Promise<void> => {
      for (let i = 0; i < 1000; i++) await store.put(b(`k${i}`), Buffer.alloc(100));
    };
    await expect(writes()).rejects.toThrow(/compaction failed: .*out of order/);
    await store.close();
  });

  it('because an input is damaged: that is told', async () => {
    const store = await open('store', { compactionWorker: WORKER });
    await fill(store, 1, 3);
    const name: string = Object.keys(tablesOf('store'))[0]!;
    const path = join(base, 'store', name);
    const bytes = readFileSync(path);
    bytes[200]! ^= 1;
    writeFileSync(path, bytes);
    const told = await store.compact().catch((error: unknown) => error);
    expect(told).toMatchObject({ name: 'DdiaError', code: 'corrupt' });
    expect((told as Error).message).toContain(`${name} @ 64`);
    expect((told as { hint: string }).hint).toMatch(/^look: ddia .* verify/);
    await store.close();
    expect(strays('store')).toEqual([]);
  });
});
