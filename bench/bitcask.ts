/**
 * A million keys of 16 bytes with values of 100, in our hash-index store, in LevelDB (classic-level)
 * and in LMDB (lmdb), with equal durability: node bench/run.js bitcask. One store per process, so
 * that none suffers from another's memory: this file is run as `bitcask.ts STORE DIR COUNT`, and
 * prints its figures as one line of JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BitcaskStore } from '../src/engines/bitcask/store.ts';
import { RealDisk } from '../src/io/real-disk.ts';

const [what = '', base = '', peers = '', countText = '1000000'] = process.argv.slice(2);
const count = Number(countText);
const directory = mkdtempSync(join(base, 'ddia-bench-'));
const figures: Record<string, number> = {};

const seconds = (begun: number): number => (performance.now() - begun) / 1000;

/** Keys in an order without locality: a step that has no divisor in common with the count. */
const STEP = 7919;
const keys: Buffer[] = [];
for (let i = 0; i < count; i++) {
  keys.push(Buffer.from(String((i * STEP) % count).padStart(16, '0')));
}
const value = (round: number): Buffer => Buffer.alloc(100, `value ${round} `);

interface Subject {
  put(key: Buffer, value: Buffer): Promise<unknown>;
  get(key: Buffer): Buffer | null | undefined;
  close(): Promise<unknown>;
}

async function putAndGet(subject: Subject): Promise<void> {
  const first = value(1);
  let begun = performance.now();
  // Writes are under way in groups: what each of the three is good at.
  for (let i = 0; i < count; i += 1000) {
    const group: Promise<unknown>[] = [];
    for (let j = i; j < Math.min(count, i + 1000); j++) group.push(subject.put(keys[j]!, first));
    await Promise.all(group);
  }
  figures['puts, 1,000 under way'] = count / seconds(begun);
  const some = Math.min(count, 100_000);
  begun = performance.now();
  for (let i = 0; i < some; i++) await subject.put(keys[(i * 31) % count]!, first);
  figures['puts, one after the other'] = some / seconds(begun);
  let wrong = 0;
  begun = performance.now();
  for (let i = 0; i < count; i++) {
    if (subject.get(keys[(i * 7907) % count]!)?.length !== 100) wrong++;
  }
  figures['gets, random'] = count / seconds(begun);
  if (wrong > 0) throw new Error(`${wrong} gets of ${count} found no value of 100 bytes`);
}

const load = async (name: string) => {
  const require = createRequire(join(peers, 'package.json'));
  return import(pathToFileURL(require.resolve(name)).href);
};

const open = (sync: 'sync' | 'none') => BitcaskStore.open(new RealDisk(), directory, { sync });

async function ours(): Promise<void> {
  let store = await open('none');
  await putAndGet(store);
  await store.close();
  store = await open('none');
  const again = value(2);
  for (let i = 0; i < count; i += 1000) {
    await Promise.all(keys.slice(i, i + 1000).map((key) => store.put(key, again)));
  }
  await store.idle();
  let begun = performance.now();
  const report = await store.merge();
  figures['merge, MB/s read'] = report.bytesRead / 1e6 / seconds(begun);
  await store.close();
  if (report.kept !== count) throw new Error(`the merge kept ${report.kept} records of ${count}`);

  globalThis.gc?.();
  const before = process.memoryUsage();
  begun = performance.now();
  store = await open('none');
  figures['open from hints, s'] = seconds(begun);
  globalThis.gc?.();
  const after = process.memoryUsage();
  const bytes = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed;
  figures['memory a key beyond the key, bytes'] = bytes / count - 16;
  if (store.size !== count) throw new Error(`${store.size} keys are there, expected ${count}`);
  await store.close();
}

async function synced(): Promise<void> {
  for (const callers of [1, 16]) {
    const store = await open('sync');
    const each = 3000;
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        for (let i = 0; i < each; i++) {
          await store.put(keys[(caller * each + i) % count]!, value(3));
        }
      }),
    );
    figures[`synced puts, ${callers === 1 ? 'one caller' : `${callers} callers`}`] =
      (each * callers) / seconds(begun);
    await store.close();
  }
}

async function level(): Promise<void> {
  const { ClassicLevel } = await load('classic-level');
  const db = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await db.open();
  const get = (key: Buffer) => db.getSync(key);
  await putAndGet({ put: (key, bytes) => db.put(key, bytes), get, close: () => db.close() });
  await db.close();
}

async function lmdb(): Promise<void> {
  const { open } = await load('lmdb');
  const db = open({ path: directory, noSync: true, encoding: 'binary', keyEncoding: 'binary' });
  const get = (key: Buffer) => db.get(key);
  await putAndGet({ put: (key, bytes) => db.put(key, bytes), get, close: () => db.close() });
  await db.close();
}

const subjects: Record<string, () => Promise<void>> = { ours, synced, level, lmdb };
try {
  await subjects[what]!();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
