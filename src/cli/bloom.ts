/** What the commands of `ddia bloom` have in common: a filter's file, and items. */
import { BloomFilter } from '../engines/bloom/plain.ts';
import { replaceFile } from '../io/durable.ts';
import { readBytesFile } from '../io/file-source.ts';
import { readLines } from '../io/lines.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import { parseBytes } from './bytes-argument.ts';

export function readFilter(path: string): BloomFilter {
  try {
    return BloomFilter.parse(readBytesFile(path));
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'not-a-filter') throw error;
    throw new DdiaError(error.code, `${path}: ${error.message}`);
  }
}

/** Whole or not at all. What is there stays, unless it is to be replaced. */
export function writeFilter(path: string, filter: BloomFilter, replace: boolean): void {
  const disk = new RealDisk();
  if (!replace && disk.stat(path)) {
    throw new DdiaError('exists', `already exists: ${path}`, '--force replaces it');
  }
  replaceFile(disk, path, filter.serialize());
}

/** Items given on the command line, or the lines of standard input where there are none. */
export async function eachItem(
  given: readonly string[],
  signal: AbortSignal,
  visit: (item: Uint8Array, text: string) => void,
): Promise<void> {
  for (const text of given) visit(parseBytes(text), text);
  if (given.length > 0) return;
  await readLines(0, (line) => visit(line, line.toString('utf8')), signal);
}
