/**
 * Puts repaired files in the place of the originals, one atomic replacement after the other, behind
 * backups that are durable first. A crash between two leaves each file either as it was or as it is
 * to be, or not there yet if it was derived from another one that was changed. With a log all is
 * one step: see below.
 */
import * as path from 'node:path';
import { DdiaError, fromSystemError } from '../shared/errors.ts';
import { type Disk, type DiskFile, readFully, writeFully } from './disk.ts';

const COPY_BYTES = 1024 * 1024;

export interface Replacement {
  /** Names that the new directory has in place of the original's, or that are new. */
  readonly touched: ReadonlySet<string>;
  /** Names that are taken away before anything is put in place; some of them come back new. */
  readonly removed: ReadonlySet<string>;
  /**
   * Name of a log in the new directory that, beside the files as they were or as they are to be,
   * makes them what they are to be: it is put in place first, and removed at the end.
   */
  readonly log?: string | undefined;
  /** Whether NAME.bak is kept of each file that is replaced or removed. */
  readonly backup: boolean;
}

/**
 * `out` is the original (a file, or a directory of files); `result` the directory with the new
 * files, removed at the end. `changing` is called when the next step changes the original: until
 * then a failure leaves no backup either. Returns the backups' paths.
 */
export function replaceInPlace(
  disk: Disk,
  out: string,
  isDirectory: boolean,
  result: string,
  { touched, removed, log, backup }: Replacement,
  changing: () => void = () => {},
): string[] {
  const directory = isDirectory ? out : path.dirname(out);
  const there = (name: string) => disk.stat(path.join(directory, name)) !== undefined;
  const isLog = (name: string) => Number(name === log);
  const names = disk
    .list(result)
    .filter((name) => touched.has(name))
    .sort((a, b) => isLog(b) - isLog(a));
  const gone = [...removed].filter(there);
  const backups: string[] = [];
  if (backup) {
    refuseOldBackups(disk, out, isDirectory, new Set([...touched, ...removed]));
    try {
      for (const name of new Set([...names.filter(there), ...gone])) {
        const to = path.join(directory, `${name}.bak`);
        copy(disk, path.join(directory, name), to);
        backups.push(to);
      }
      if (backups.length > 0) disk.syncDirectory(directory);
    } catch (error) {
      for (const to of backups) disk.remove(to);
      throw error;
    }
  }
  changing();
  try {
    for (const name of gone) disk.remove(path.join(directory, name));
    if (gone.length > 0) disk.syncDirectory(directory);
    for (const name of names) {
      disk.rename(path.join(result, name), path.join(directory, name));
      disk.syncDirectory(directory);
    }
    if (log !== undefined && names.includes(log)) {
      disk.remove(path.join(directory, log));
      disk.syncDirectory(directory);
    }
  } catch (error) {
    const { code, message } = fromSystemError(error, directory);
    throw new DdiaError(
      code,
      message,
      `what is not in its place yet is in ${result}: move it there`,
    );
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

/**
 * A repair without backups that was killed may have its result alone left of a file: what is in the
 * place of it then is not to be repaired as if it were all.
 */
export function refuseUnfinished(disk: Disk, out: string): void {
  const prefix = `${path.basename(out)}.repaired-`;
  const name = disk.list(path.dirname(out)).find((one) => one.startsWith(prefix));
  if (name === undefined) return;
  const left = path.join(path.dirname(out), name);
  const what = `${left} is the result of an earlier repair that did not end`;
  throw new DdiaError(
    'exists',
    what,
    `see what it has: ddia diff ${out} ${left}; then move it away`,
  );
}

function copy(disk: Disk, from: string, to: string): void {
  const source = disk.open(from, 'read');
  let target: DiskFile | undefined;
  try {
    target = disk.open(to, 'create');
    const buffer = new Uint8Array(COPY_BYTES);
    for (let position = 0; ; ) {
      const got = readFully(source, buffer, 0, COPY_BYTES, position);
      if (got === 0) break;
      writeFully(target, buffer, 0, got, position);
      position += got;
    }
    target.sync();
  } catch (error) {
    if (target) disk.remove(to);
    throw fromSystemError(error, to);
  } finally {
    source.close();
    target?.close();
  }
}
