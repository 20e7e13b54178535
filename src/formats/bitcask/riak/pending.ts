/**
 * Data files that a merge is done with. Bitcask removes them when nobody reads them any more; until
 * then a bit of the file's mode says that they do not count, and the next writer to open the store
 * removes them (set_pending_delete_bit and purge_setuid_files in src/bitcask.erl). They must not be
 * read: removed one by one, an older one may be left that holds what a newer one deletes.
 */
import type { FileEntry, FileSet, Finding } from '../../format.ts';
import type { BitcaskOpened } from '../model.ts';
import { dataFile } from './layout.ts';

/** Others may execute it; before version 1.7, set user id. */
const PENDING_DELETE_MODE = 0o4001;

interface Marks {
  marked: FileEntry[];
  all: boolean;
}

function marksOf(set: FileSet): Marks {
  const data = set.files.filter(({ name }) => dataFile(name) !== undefined);
  const marked = data.filter(({ mode = 0 }) => (mode & PENDING_DELETE_MODE) !== 0);
  return { marked, all: marked.length === data.length };
}

/** Numbers of the data files that count, where some do not. */
export function liveFiles(set: FileSet): ReadonlySet<number> | undefined {
  const { marked, all } = marksOf(set);
  // A copy on a file system without modes marks them all: better all of it than nothing.
  if (marked.length === 0 || all) return undefined;
  const names = new Set(marked.map(({ name }) => name));
  const live = set.files.filter(({ name }) => !names.has(name));
  return new Set(live.map(({ name }) => dataFile(name) ?? -1));
}

export async function verifyPending({ set }: BitcaskOpened): Promise<Finding[]> {
  if (!set.isDirectory) return [];
  const { marked, all } = marksOf(set);
  const place = { code: 'leftover-file', offset: 0, length: 0 };
  if (all && marked.length > 0) {
    const message =
      'all data files have a mode with which Bitcask marks what a merge is done with (others may ' +
      'execute it); read all the same, since a copy may have lost its modes';
    return [{ ...place, severity: 'info', file: marked[0]!.name, message }];
  }
  return marked.map(({ name, mode }) => ({
    ...place,
    severity: 'warning',
    file: name,
    message:
      `a merge is done with this file: its mode ${(mode! & 0o7777).toString(8).padStart(4, '0')} ` +
      'lets others execute it; Bitcask does not read it',
    repair: 'remove the file and its hint',
  }));
}
