/** Small questions about single files: what a text says, whether two names are one file. */
import * as fs from 'node:fs';
import { fromSystemError } from '../shared/errors.ts';

/**
 * All of a small UTF-8 file; undefined if there is none. Throws a DdiaError when it cannot be read.
 */
export function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fromSystemError(error, path);
  }
}

/** True where both names lead to one file: the same name, a link, or a symbolic link. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) =>
    fs.statSync(path, { bigint: true, throwIfNoEntry: false }),
  );
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}
