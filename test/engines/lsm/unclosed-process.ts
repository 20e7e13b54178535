/**
 * A process that compacts in a thread and never closes its store, bundled by killed.test.ts:
 * `DIRECTORY MERGE-WORKER`. Prints how many tables the merge has left.
 */
import { writeSync } from 'node:fs';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';

const [directory, compactionWorker] = process.argv.slice(2) as [string, string];
const store = await LsmStore.open(new RealDisk(), directory, {
  sync: 'none',
  compactionWorker,
  compactionWorkerFromBytes: 0,
});
for (const value of ['1', '2']) {
  await store.put(Buffer.from('key'), Buffer.from(value));
  await store.flush();
}
const report = await store.compact();
writeSync(1, `${report?.outputs.length}\n`);
