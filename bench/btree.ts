/**
 * A million keys of 16 bytes with values of 100, in our B+tree, in SQLite (better-sqlite3) and in
 * LMDB (lmdb), with equal durability: node bench/run.js btree. One store per process: this file is
 * run as `btree.ts STORE DIR PEERS COUNT`, and prints its figures as one line of JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BtreeStore } from '../src/engines/btree/store.ts';
import { V1Store } from '../src/engines/btree-v1/store.ts';
import { btree } from '../src/formats/btree/index.ts';
import { v1 } from '../src/formats/btree/v1/index.ts';
import { DEFAULT_LIMITS } from '../src/formats/format.ts';
import { diskSet } from '../src/io/disk-set.ts';
import { RealDisk } from '../src/io/real-disk.ts';
import { Random } from '../src/shared/random.ts';

const [what = '', base = '', peers = '', countText = '1000000'] = process.argv.slice(2);
const count = Number(countText);
const directory = mkdtempSync(join(base, 'ddia-bench-'));
const figures: Record<string, number> = {};
const BATCH = 1000;

const seconds = (begun: number): number => (performance.now() - begun) / 1000;

/** Keys in an order without locality: a step that has no divisor in common with the count. */
const STEP = 7919;
const keyOf = (i: number): Buffer => Buffer.from(String((i * STEP) % count).padStart(16, '0'));
const keys = (): Buffer[] => Array.from({ length: count }, (_, i) => keyOf(i));
const value = Buffer.alloc(100, 'value ');

interface Subject {
  /** All of them, in one transaction. */
  fill(keys: readonly Buffer[]): Promise<unknown>;
  get(key: Buffer): Buffer | null | undefined;
  scan(): Iterable<unknown>;
  close(): unknown;
}

async function fillAndGet(subject: Subject): Promise<void> {
  const all = keys();
  let begun = performance.now();
  for (let i = 0; i < count; i += BATCH) await subject.fill(all.slice(i, i + BATCH));
  figures['batch fill, 1,000 a transaction'] = count / seconds(begun);
  let wrong = 0;
  begun = performance.now();
  for (let i = 0; i < count; i++) {
    if (subject.get(all[(i * 7907) % count]!)?.length !== 100) wrong++;
  }
  figures['gets, random'] = count / seconds(begun);
  begun = performance.now();
  let rows = 0;
  for (const _ of subject.scan()) rows++;
  figures['scan'] = rows / seconds(begun);
  if (wrong > 0) throw new Error(`${wrong} gets of ${count} found no value of 100 bytes`);
  if (rows !== count) throw new Error(`the scan found ${rows} rows of ${count}`);
  await subject.close();
}

const load = async (name: string) => {
  const require = createRequire(join(peers, 'package.json'));
  return import(pathToFileURL(require.resolve(name)).href);
};

async function ours(): Promise<void> {
  const store = BtreeStore.open(new RealDisk(), directory, { sync: 'none' });
  await fillAndGet({
    fill: (some) => store.batch(some.map((key) => ({ key, value }))),
    get: (key) => store.get(key),
    scan: () => store.scan(),
    close: () => store.close(),
  });
}

async function sqlite(): Promise<void> {
  const { default: Database } = await load('better-sqlite3');
  const db = new Database(join(directory, 'bench.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -262144');
  db.exec('CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID');
  const insert = db.prepare('INSERT OR REPLACE INTO t VALUES (?, ?)');
  const select = db.prepare('SELECT v FROM t WHERE k = ?').pluck();
  const all = db.prepare('SELECT k, v FROM t ORDER BY k');
  const fill = db.transaction((some: Buffer[]) => {
    for (const key of some) insert.run(key, value);
  });
  await fillAndGet({
    fill: async (some) => fill(some),
    get: (key) => select.get(key),
    scan: () => all.iterate(),
    close: () => db.close(),
  });
}

async function lmdb(): Promise<void> {
  const { open } = await load('lmdb');
  const db = open({ path: directory, noSync: true, encoding: 'binary', keyEncoding: 'binary' });
  await fillAndGet({
    fill: (some) =>
      db.transaction(() => {
        for (const key of some) db.put(key, value);
      }),
    get: (key) => db.get(key),
    scan: () => db.getRange({}),
    close: () => db.close(),
  });
}

/** A commit with its two syncs: alone, and shared by callers that are under way together. */
async function synced(): Promise<void> {
  for (const callers of [1, 16]) {
    const store = BtreeStore.open(new RealDisk(), join(directory, `${callers}`), { sync: 'sync' });
    const each = 1000;
    const begun = performance.now();
    const caller = async (_: unknown, number: number): Promise<void> => {
      for (let i = 0; i < each; i++) await store.put(keyOf(number * each + i), value);
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const name = `synced puts, ${callers === 1 ? 'one caller' : `${callers} callers`}`;
    figures[name] = (each * callers) / seconds(begun);
    store.close();
  }
}

/** A million operations against a model, small pages: the size that the tests scale down. */
async function workload(): Promise<void> {
  const options = { sync: 'batch', batchEvery: 5000, pageSize: 512 } as const;
  const store = BtreeStore.open(new RealDisk(), directory, options);
  const start = store.stat();
  const random = new Random(3);
  const model = new Map<string, number>();
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    const name = `key${random.below(count / 10)}`;
    const grows = random.below(10) < (i < count / 2 ? 7 : 3);
    const said = grows
      ? await store.put(Buffer.from(name), Buffer.alloc(i % 97, i))
      : await store.delete(Buffer.from(name));
    if (said !== (grows ? !model.has(name) : model.has(name))) throw new Error(`wrong: ${name}`);
    if (grows) model.set(name, i);
    else model.delete(name);
  }
  figures['random workload, 512-byte pages'] = count / seconds(begun);
  for (const [name, i] of model) {
    if (!store.get(Buffer.from(name))?.equals(Buffer.alloc(i % 97, i))) throw new Error(name);
  }
  if (store.size !== model.size) throw new Error(`${store.size} keys, ${model.size} expected`);
  for (const name of model.keys()) await store.delete(Buffer.from(name));
  await store.vacuum();
  const { height, pages } = store.stat();
  if (height !== start.height || pages !== start.pages) throw new Error('it is not as it began');
  store.close();
}

/**
 * The same of layout v1, in pages changed in their place: checked by fsck ten times on the way, and
 * at the end as it began without a vacuum.
 */
async function workloadV1(): Promise<void> {
  const options = { sync: 'batch', batchEvery: 5000, pageSize: 512 } as const;
  const store = await V1Store.open(new RealDisk(), directory, options);
  const start = store.stat();
  const random = new Random(3);
  const model = new Map<string, number>();
  let checking = 0;
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    const name = `key${random.below(count / 10)}`;
    const grows = random.below(10) < (i < count / 2 ? 7 : 3);
    const said = grows
      ? await store.put(Buffer.from(name), Buffer.alloc(i % 97, i))
      : await store.delete(Buffer.from(name));
    if (said !== (grows ? !model.has(name) : model.has(name))) throw new Error(`wrong: ${name}`);
    if (grows) model.set(name, i);
    else model.delete(name);
    if (i % (count / 10) !== 0) continue;
    const from = performance.now();
    store.checkpoint();
    await expectClean(directory);
    checking += performance.now() - from;
  }
  figures['v1: random workload, 512-byte pages'] = count / (seconds(begun) - checking / 1000);
  for (const [name, i] of model) {
    if (!store.get(Buffer.from(name))?.equals(Buffer.alloc(i % 97, i))) throw new Error(name);
  }
  if (store.size !== model.size) throw new Error(`${store.size} keys, ${model.size} expected`);
  for (const name of model.keys()) await store.delete(Buffer.from(name));
  const { height, pages } = store.stat();
  if (height !== start.height || pages !== start.pages) throw new Error('it is not as it began');
  store.close();
  await expectClean(directory);
}

async function expectClean(path: string): Promise<void> {
  const set = diskSet(new RealDisk(), path);
  const files = btree.select(set, v1);
  const { findings } = await btree.verify({ set, dialect: v1, files }, { limits: DEFAULT_LIMITS });
  const [first] = findings;
  if (files.length !== 1 || first) throw new Error(`fsck: ${first?.message ?? 'no file'}`);
}

const subjects: Record<string, () => Promise<void>> = {
  ours,
  sqlite,
  lmdb,
  synced,
  workload,
  workloadV1,
};
try {
  await subjects[what]!();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
