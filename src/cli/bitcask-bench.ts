/** bitcask bench: puts and gets on the real disk, in a directory of its own, removed again. */

import { join } from 'node:path';
import { BitcaskStore } from '../engines/bitcask/store.ts';
import type { SyncMode } from '../engines/sync-mode.ts';
import { removeTree } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import { turn } from '../shared/turns.ts';

export interface BenchOptions {
  count: number;
  bytes: number;
  callers: number;
  sync: SyncMode;
}

export interface BenchResult extends BenchOptions {
  putsPerSecond: number;
  getsPerSecond: number;
  openSeconds: number;
  /** Of the key directory, beyond the keys. */
  memoryPerKey: number;
}

export async function benchStore(
  below: string,
  options: BenchOptions,
  signal: AbortSignal,
): Promise<BenchResult> {
  const disk = new RealDisk();
  if (disk.stat(below)?.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${below} is not a directory`);
  }
  const directory = join(below, `ddia-bitcask-bench-${process.pid}`);
  if (disk.stat(directory)) throw new DdiaError('exists', `${directory} exists already`);
  const { count, bytes, callers, sync } = options;
  const keyOf = (i: number) => Buffer.from(String((i * 7919) % count).padStart(16, '0'));
  try {
    let store = await BitcaskStore.open(disk, directory, { sync });
    const value = Buffer.alloc(bytes, 'v');
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < count) {
        const i = next++;
        await store.put(keyOf(i), value);
        if (i % 4096 === 0) await turn({ signal });
      }
    };
    let begun = performance.now();
    await Promise.all(Array.from({ length: Math.min(callers, count) }, caller));
    const putsPerSecond = perSecond(count, begun);
    begun = performance.now();
    for (let i = 0; i < count; i++) {
      store.get(keyOf(i));
      if (i % 4096 === 0) await turn({ signal });
    }
    const getsPerSecond = perSecond(count, begun);
    await store.merge();
    await store.close();
    begun = performance.now();
    store = await BitcaskStore.open(disk, directory, { sync });
    const openSeconds = (performance.now() - begun) / 1000;
    const memoryPerKey = store.stat().memory.table / store.size;
    await store.close();
    return { ...options, putsPerSecond, getsPerSecond, openSeconds, memoryPerKey };
  } finally {
    removeTree(disk, directory);
  }
}

const perSecond = (count: number, begun: number) => (1000 * count) / (performance.now() - begun);
