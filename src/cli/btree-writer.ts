/** Commands that read take no lock: what a writer has half done may look like damage to them. */
import { dirname, join } from 'node:path';
import { lockOwner } from '../io/lock-file.ts';
import { RealDisk } from '../io/real-disk.ts';

/** Tells on stderr who writes to the stores, if the command has found something wrong. */
export function tellOfWriters(paths: readonly string[]): void {
  if (!process.exitCode) return;
  for (const path of paths) {
    const pid = writerOf(path);
    if (pid === undefined) continue;
    const what = `note: process ${pid} writes to ${path} meanwhile`;
    process.stderr.write(`${what}: what it has half done may look like damage, read again\n`);
  }
}

function writerOf(path: string): number | undefined {
  const disk = new RealDisk();
  try {
    const directory = disk.stat(path)?.kind === 'directory' ? path : dirname(path);
    return lockOwner(disk, join(directory, 'LOCK'));
  } catch {
    // No lock of ours can be read there: then there is nothing to tell.
    return undefined;
  }
}
