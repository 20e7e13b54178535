/** lsm bench: puts, gets and a scan on the real disk, in a directory of its own, removed again. */

import { join } from 'node:path';
import type { CompactionStrategy } from '../engines/lsm/pick.ts';
import type { LsmStore } from '../engines/lsm/store.ts';
import type { SyncMode } from '../engines/sync-mode.ts';
import { removeTree } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import { turn } from '../shared/turns.ts';
import { withLsm } from './lsm-store.ts';

/** Keys between two looks at signals. */
const TURN_KEYS = 4096;

export interface BenchOptions {
  count: number;
  bytes: number;
  callers: number;
  sync: SyncMode;
  strategy: CompactionStrategy;
}

export interface BenchResult extends BenchOptions {
  putsPerSecond: number;
  getsPerSecond: number;
  missesPerSecond: number;
  scannedPerSecond: number;
  openSeconds: number;
  tables: number;
  tableBytes: number;
  /** Bytes written to log and tables for each that was given. */
  writeAmplification: number;
  /** Blocks that were read for a get. */
  blocksPerGet: number;
}

export async function benchLsm(
  below: string,
  options: BenchOptions,
  signal: AbortSignal,
): Promise<BenchResult> {
  const disk = new RealDisk();
  if (disk.stat(below)?.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${below} is not a directory`);
  }
  const directory = join(below, `ddia-lsm-bench-${process.pid}`);
  if (disk.stat(directory)) throw new DdiaError('exists', `${directory} exists already`);
  const { sync, strategy } = options;
  try {
    const filled = await withLsm(directory, { sync, strategy }, (store) =>
      fill(store, options, signal),
    );
    const begun = performance.now();
    return await withLsm(directory, { autoCompact: false }, async (store) => {
      const openSeconds = (performance.now() - begun) / 1000;
      return { ...options, ...filled, ...(await read(store, options, signal)), openSeconds };
    });
  } finally {
    removeTree(disk, directory);
  }
}

/** 16 bytes, in an order without locality. */
const keyOf = (i: number, count: number): Buffer =>
  Buffer.from(String((i * 7919) % count).padStart(16, '0'));

async function fill(
  store: LsmStore,
  { count, bytes, callers }: BenchOptions,
  signal: AbortSignal,
): Promise<Pick<BenchResult, 'putsPerSecond' | 'writeAmplification'>> {
  const value = Buffer.alloc(bytes, 'v');
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      await store.put(keyOf(i, count), value);
      if (i % TURN_KEYS === 0) await turn({ signal });
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.min(callers, count) }, caller));
  await store.flush();
  await store.idle();
  const putsPerSecond = perSecond(count, begun);
  return { putsPerSecond, writeAmplification: store.stat().writeAmplification ?? 0 };
}

async function read(
  store: LsmStore,
  { count }: BenchOptions,
  signal: AbortSignal,
): Promise<
  Omit<BenchResult, keyof BenchOptions | 'putsPerSecond' | 'writeAmplification' | 'openSeconds'>
> {
  const get = async (keyAt: (i: number) => Buffer): Promise<number> => {
    const begun = performance.now();
    for (let i = 0; i < count; i++) {
      store.get(keyAt(i));
      if (i % TURN_KEYS === 0) await turn({ signal });
    }
    return perSecond(count, begun);
  };
  const getsPerSecond = await get((i) => keyOf(i, count));
  const { readAmplification: blocksPerGet = 0, tables, tableBytes } = store.stat();
  // Between keys that are there.
  const missesPerSecond = await get((i) => Buffer.concat([keyOf(i, count), Buffer.from('-')]));
  const begun = performance.now();
  const scan = store.scan();
  let scanned = 0;
  try {
    while (scan.next()) if (++scanned % TURN_KEYS === 0) await turn({ signal });
  } finally {
    scan.close();
  }
  const scannedPerSecond = perSecond(scanned, begun);
  return { getsPerSecond, missesPerSecond, scannedPerSecond, tables, tableBytes, blocksPerGet };
}

const perSecond = (count: number, begun: number) => (1000 * count) / (performance.now() - begun);
