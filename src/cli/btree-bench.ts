/** btree bench: puts, gets and a scan on the disk of a directory. */

import { join } from 'node:path';
import type { SyncMode } from '../engines/sync-mode.ts';
import { removeTree } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import { turn } from '../shared/turns.ts';
import { withBtree } from './btree-engine.ts';

export interface BenchResult {
  dialect: 'v1' | 'v2';
  count: number;
  bytes: number;
  batch: number;
  sync: SyncMode;
  putsPerSecond: number;
  getsPerSecond: number;
  scannedPerSecond: number;
  pagesWrittenPerPut: number;
  height: number;
  fileBytes: number;
}

export async function benchBtree(
  below: string,
  options: Pick<BenchResult, 'dialect' | 'count' | 'bytes' | 'batch' | 'sync'>,
  signal: AbortSignal,
): Promise<BenchResult> {
  const disk = new RealDisk();
  if (disk.stat(below)?.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${below} is not a directory`);
  }
  const directory = join(below, `ddia-btree-bench-${process.pid}`);
  if (disk.stat(directory)) throw new DdiaError('exists', `${directory} exists already`);
  const { dialect, count, bytes, batch, sync } = options;
  const keyOf = (i: number) => Buffer.from(String((i * 7919) % count).padStart(16, '0'));
  const perSecond = (begun: number) => (1000 * count) / (performance.now() - begun);
  try {
    return await withBtree(directory, { dialect, sync }, async (store) => {
      const value = Buffer.alloc(bytes, 'v');
      let begun = performance.now();
      for (let i = 0; i < count; i += batch) {
        const length = Math.min(batch, count - i);
        await store.batch(Array.from({ length }, (_, j) => ({ key: keyOf(i + j), value })));
        await turn({ signal });
      }
      store.sync();
      const putsPerSecond = perSecond(begun);
      const { pagesWritten, height, bytes: fileBytes } = store.stat();
      begun = performance.now();
      for (let i = 0; i < count; i++) store.get(keyOf(i));
      const getsPerSecond = perSecond(begun);
      begun = performance.now();
      const rows = store.count({ from: new Uint8Array(0) });
      const scannedPerSecond = (perSecond(begun) * rows) / count;
      const pagesWrittenPerPut = pagesWritten / count;
      const rates = { putsPerSecond, getsPerSecond, scannedPerSecond, pagesWrittenPerPut };
      return { ...options, ...rates, height, fileBytes };
    });
  } finally {
    removeTree(disk, directory);
  }
}
