/**
 * Readers in other processes, who take no lock: each puts up a file named after the transaction
 * that it looks at and after itself, and takes it away when it is done. The writer looks at their
 * names before it uses pages again that a transaction has freed.
 *
 * A reader that puts up its name and finds the same transaction still live cannot be missed: pages
 * of that one are used again at the earliest two transactions later, and the writer looks at the
 * names in between.
 */
import { join } from 'node:path';
import type { Disk } from '../../io/disk.ts';
import type { Processes } from '../../io/processes.ts';

const NAME = /^\.reader-(\d+)-(\d+)-(\d+)-(.*)$/s;

export function putUpPin(disk: Disk, directory: string, txn: number, processes: Processes): string {
  const { pid, started } = processes.self;
  for (let count = 0; ; count++) {
    const path = join(directory, `.reader-${txn}-${count}-${pid}-${started}`);
    try {
      disk.open(path, 'create').close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** The earliest transaction that a living reader looks at; names of the dead are taken away. */
export function earliestPin(disk: Disk, directory: string, processes: Processes): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const name of disk.list(directory)) {
    const match = NAME.exec(name);
    if (!match) continue;
    if (processes.isAlive({ pid: Number(match[3]), started: match[4]! })) {
      earliest = Math.min(earliest, Number(match[1]));
    } else takeDown(disk, join(directory, name));
  }
  return earliest;
}

export function takeDown(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch (error) {
    // Whoever finds a dead reader's name may be quicker.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
