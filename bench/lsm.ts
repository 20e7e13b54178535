/**
 * A million keys of 16 bytes with values of 100, in our LSM store and in LevelDB (classic-level),
 * unsynced: node bench/run.js lsm. One store per process, so that none suffers from another's
 * memory: this file is run as `lsm.ts STORE DIR PEERS COUNT MERGE-WORKER`, and prints its figures as
 * one line of JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LsmStore } from '../src/engines/lsm/store.ts';
import { RealDisk } from '../src/io/real-disk.ts';

const [what = '', base = '', peers = '', countText = '1000000', compactionWorker] =
  process.argv.slice(2);
const count = Number(countText);
const directory = mkdtempSync(join(base, 'ddia-bench-'));
const figures: Record<string, number> = {};

const seconds = (begun: number): number => (performance.now() - begun) / 1000;

/** Keys in an order without locality: a step that has no divisor in common with the count. */
const STEP = 7919;
const keyOf = (i: number): Buffer => Buffer.from(String(i).padStart(16, '0'));
/** Even numbers are there, odd ones are not, and lie between those that are. */
const keys: Buffer[] = [];
for (let i = 0; i < count; i++) keys.push(keyOf(2 * ((i * STEP) % count)));
const value = Buffer.alloc(100, 'value ');

interface Subject {
  put(key: Buffer, value: Buffer): Promise<unknown>;
  get(key: Buffer): Buffer | null | undefined;
  /** Until what was put is where it stays. */
  settle(): Promise<unknown>;
  /** How many pairs there are. */
  scan(): Promise<number>;
}

async function measure(subject: Subject): Promise<void> {
  let begun = performance.now();
  for (let i = 0; i < count; i += 1000) {
    const group: Promise<unknown>[] = [];
    for (let j = i; j < Math.min(count, i + 1000); j++) group.push(subject.put(keys[j]!, value));
    await Promise.all(group);
  }
  figures['fill, 1,000 under way'] = count / seconds(begun);
  await subject.settle();
  figures['fill, compactions included'] = count / seconds(begun);
  let wrong = 0;
  begun = performance.now();
  for (let i = 0; i < count; i++) {
    if (subject.get(keys[(i * 7907) % count]!)?.length !== 100) wrong++;
  }
  figures['gets, random'] = count / seconds(begun);
  const missing: Buffer[] = [];
  for (let i = 0; i < count; i++) missing.push(keyOf(2 * ((i * 7907) % count) + 1));
  begun = performance.now();
  for (const key of missing) if (subject.get(key)) wrong++;
  figures['gets of what is not there'] = count / seconds(begun);
  begun = performance.now();
  if ((await subject.scan()) !== count) wrong++;
  figures['scan, pairs'] = count / seconds(begun);
  if (wrong > 0) throw new Error(`${wrong} answers of ${2 * count + 1} were wrong`);
}

async function ours(): Promise<void> {
  const options = { sync: 'none' as const, compactionWorker };
  const store = await LsmStore.open(new RealDisk(), directory, options);
  let before = 0;
  await measure({
    put: (key, bytes) => store.put(key, bytes),
    get: (key) => store.get(key),
    async settle() {
      await store.flush();
      await store.idle();
    },
    async scan() {
      let pairs = 0;
      for (const { key, value: bytes } of store.scan())
        if (key.length + bytes.length === 116) pairs++;
      return pairs;
    },
  });
  before = store.stat().blockReads;
  for (let i = 0; i < count; i++) store.get(keyOf(2 * i + 1));
  figures['blocks read, of 100 gets of what is not there'] =
    (100 * (store.stat().blockReads - before)) / count;
  const { writeAmplification = 0 } = store.stat();
  figures['write amplification'] = writeAmplification;
  await store.close();
}

async function level(): Promise<void> {
  const require = createRequire(join(peers, 'package.json'));
  const { ClassicLevel } = await import(pathToFileURL(require.resolve('classic-level')).href);
  const db = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await db.open();
  await measure({
    put: (key, bytes) => db.put(key, bytes),
    get: (key) => db.getSync(key),
    settle: () => Promise.resolve(),
    async scan() {
      const iterator = db.iterator();
      let pairs = 0;
      // As its documentation says that it is fastest.
      for (;;) {
        const entries: [Buffer, Buffer][] = await iterator.nextv(1000);
        if (entries.length === 0) break;
        for (const [key, bytes] of entries) if (key.length + bytes.length === 116) pairs++;
      }
      await iterator.close();
      return pairs;
    },
  });
  await db.close();
}

const subjects: Record<string, () => Promise<void>> = { ours, level };
try {
  await subjects[what]!();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
