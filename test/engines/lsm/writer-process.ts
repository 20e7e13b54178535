/**
 * A writer in a process of its own, bundled by killed.test.ts: `DIRECTORY MERGE-WORKER FIRST`. Step i
 * sets `key:(i mod 100)` and `last` to i, and takes `key:(i + 50 mod 100)` away, each on its own; a
 * step that is done is printed. It ends when it is killed.
 */
import { writeSync } from 'node:fs';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';

const [directory, compactionWorker, first] = process.argv.slice(2) as [string, string, string];
const b = (value: string | number): Buffer => Buffer.from(String(value));

const store = await LsmStore.open(new RealDisk(), directory, {
  sync: 'none',
  compactionWorker,
  compactionWorkerFromBytes: 0,
  memtableBytes: 6000,
  tableBytes: 2000,
  blockBytes: 256,
  levelZeroTables: 2,
  levelZeroStop: 100,
  levelOneBytes: 5000,
});

for (let i = Number(first); ; i++) {
  await store.put(b(`key:${i % 100}`), b(String(i).padEnd(200)));
  await store.delete(b(`key:${(i + 50) % 100}`));
  await store.put(b('last'), b(i));
  writeSync(1, `${i}\n`);
  // Flushes and compactions have a turn.
  await new Promise((resolve) => setImmediate(resolve));
}
