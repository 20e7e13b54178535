/** wal bench: appends on the real disk, in a directory of its own that is removed again. */

import { join } from 'node:path';
import type { SyncMode } from '../engines/sync-mode.ts';
import { WriteAheadLog } from '../engines/wal/log.ts';
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
  seconds: number;
  perSecond: number;
  megabytesPerSecond: number;
}

export async function benchAppends(
  below: string,
  options: BenchOptions,
  signal: AbortSignal,
): Promise<BenchResult> {
  const disk = new RealDisk();
  if (disk.stat(below)?.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${below} is not a directory`);
  }
  const directory = join(below, `ddia-wal-bench-${process.pid}`);
  if (disk.stat(directory)) throw new DdiaError('exists', `${directory} exists already`);
  const { count, bytes, callers, sync } = options;
  const operation = { op: 'put', key: Buffer.alloc(16, 'k'), value: Buffer.alloc(bytes - 16, 'v') };
  try {
    const log = await WriteAheadLog.open(disk, directory, { sync });
    let left = count;
    const begun = performance.now();
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        await log.append(operation);
        // Promises alone never let a signal through.
        if (left % 4096 === 0) {
          await turn({ signal });
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(callers, count) }, caller));
    } finally {
      await log.close();
    }
    const seconds = (performance.now() - begun) / 1000;
    const perSecond = count / seconds;
    return { ...options, seconds, perSecond, megabytesPerSecond: (perSecond * bytes) / 1e6 };
  } finally {
    removeTree(disk, directory);
  }
}
