/**
 * Puts repaired files in the place of the originals, one atomic replacement after the other, behind
 * backups that are durable first. A crash between two leaves each file either as it was or as it is
 * to be.
 */
import * as path from 'node:path';
import { DdiaError } from '../shared/errors.ts';
import { type Disk, readFully, writeFully } from './disk.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * `out` is the original (a file, or a directory of files); `result` the directory with the new
 * files, removed at the end. Only `touched` names are replaced. Returns the backups' paths.
 */
export function replaceInPlace(
  disk: Disk,
  out: string,
  isDirectory: boolean,
  result: string,
  touched: ReadonlySet<string>,
  backup: boolean,
): string[] {
  const directory = isDirectory ? out : path.dirname(out);
  const names = disk.list(result).filter((name) => touched.has(name));
  const backups: string[] = [];
  if (backup) {
    refuseOldBackups(disk, out, isDirectory, touched);
    for (const name of names) {
      const to = path.join(directory, `${name}.bak`);
      copy(disk, path.join(directory, name), to);
      backups.push(to);
    }
    if (names.length > 0) disk.syncDirectory(directory);
  }
  for (const name of names) {
    disk.rename(path.join(result, name), path.join(directory, name));
    disk.syncDirectory(directory);
  }
  for (const name of disk.list(result)) disk.remove(path.join(result, name));
  disk.removeDirectory(result);
  return backups;
}

/** An earlier backup is never overwritten. */
export function refuseOldBackups(
  disk: Disk,
  out: string,
  isDirectory: boolean,
  touched: ReadonlySet<string>,
): void {
  const directory = isDirectory ? out : path.dirname(out);
  for (const name of touched) {
    const to = path.join(directory, `${name}.bak`);
    if (!disk.stat(to)) continue;
    throw new DdiaError('exists', `${to} exists already`, 'move the earlier backup away');
  }
}

function copy(disk: Disk, from: string, to: string): void {
  const source = disk.open(from, 'read');
  const target = disk.open(to, 'create');
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let position = 0; ; ) {
      const got = readFully(source, buffer, 0, COPY_BYTES, position);
      if (got === 0) break;
      writeFully(target, buffer, 0, got, position);
      position += got;
    }
    target.sync();
  } finally {
    source.close();
    target.close();
  }
}
