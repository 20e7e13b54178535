/** Which of a set's files are what in a store: data files, hint files, and what names both. */
import type { FileEntry, FileSet } from '../format.ts';
import type { BitcaskDialect, BitcaskOpened } from './model.ts';

export interface DataFile extends FileEntry {
  /** By its name; undefined for one that has no name of the dialect's (standard input). */
  readonly number: number | undefined;
  /** The hint file that goes with it, if there is one. */
  readonly hint: FileEntry | undefined;
}

export interface HintFile extends FileEntry {
  readonly number: number;
}

export interface StoreFiles {
  /** In ascending order of number. */
  readonly data: readonly DataFile[];
  readonly hints: readonly HintFile[];
  /** Hint files without a data file. */
  readonly orphans: readonly HintFile[];
  readonly companions: readonly FileEntry[];
}

/**
 * All that the dialect reads of a set, in order: data files, then hint files, each by number, then
 * the files that name them. Files that the store has disowned are none of it.
 */
export function selectFiles(set: FileSet, dialect: BitcaskDialect): readonly FileEntry[] {
  if (!set.isDirectory) return set.files;
  const live = dialect.liveFiles?.(set);
  const numbered = (numberOf: (name: string) => number | undefined): FileEntry[] =>
    set.files
      .map((file) => ({ file, number: numberOf(file.name) }))
      .filter(({ number }) => number !== undefined && (live?.has(number) ?? true))
      .sort((a, b) => a.number! - b.number! || (a.file.name < b.file.name ? -1 : 1))
      .map(({ file }) => file);
  const data = numbered((name) => dialect.dataFile(name));
  const hints = numbered((name) => dialect.hintFile(name));
  if (data.length + hints.length === 0) return [];
  return [...data, ...hints, ...set.files.filter(({ name }) => isCompanion(dialect, name))];
}

function isCompanion({ companions = [] }: BitcaskDialect, name: string): boolean {
  return companions.includes(name);
}

/** The name that the hint of a numbered data file has, or is to have. */
export function hintNameOf(dialect: BitcaskDialect, { hint, number = 0 }: DataFile): string {
  return hint?.name ?? dialect.hintName(number);
}

/** Tells the files of an opened store apart. */
export function storeFiles(input: BitcaskOpened): StoreFiles {
  const { dialect, files, set } = input;
  const hints: HintFile[] = [];
  const companions: FileEntry[] = [];
  const rest: FileEntry[] = [];
  for (const file of files) {
    const number = dialect.hintFile(file.name);
    if (number !== undefined) hints.push({ ...file, number });
    else if (isCompanion(dialect, file.name)) companions.push(file);
    else rest.push(file);
  }
  // The hint of a data file that is looked at alone lies beside it.
  const beside = set.isDirectory || rest.length === 0 ? files : set.siblings;
  const byNumber = new Map<number, FileEntry>();
  for (const file of beside) {
    const number = dialect.hintFile(file.name);
    if (number !== undefined && !byNumber.has(number)) byNumber.set(number, file);
  }
  const data = rest.map((file) => {
    const number = dialect.dataFile(file.name);
    const hint = number === undefined ? undefined : byNumber.get(number);
    return { ...file, number, hint };
  });
  const known = new Set(data.map(({ number }) => number));
  const orphans = hints.filter(({ number }) => !known.has(number));
  return { data, hints, orphans, companions };
}
