/** Names in a directory of ours, and of LevelDB or RocksDB (db/filename.cc, file/filename.cc). */
import type { FileEntry } from '../format.ts';
import { TABLE_NAME } from '../sstable/v2/layout.ts';
import { MANIFEST_NAME } from './manifest.ts';

export const CURRENT = 'CURRENT';
const MANIFEST = /^MANIFEST-(\d{1,15})$/;
const LOG = /^(\d{1,15})\.log$/;
const TABLE = /^(\d{1,15})\.(?:ldb|sst)$/;
const BLOB = /^(\d{1,15})\.blob$/;
const OPTIONS = /^OPTIONS-(\d{1,15})$/;
/** Ours: `.000001.sst2.tmp-4711-0`. */
const TEMPORARY = /\.dbtmp$|^\..+\.tmp-\d+-\d+$/s;
/** Of no number: the lock and claims to it, messages to people, and the database's id. */
const OTHERS = /^(?:LOCK|\.LOCK\.claim-.*|LOG|LOG\.old(?:\.\d+)?|IDENTITY|CURRENT|.*_dbname)$/;

export type FileKind =
  | 'own-manifest'
  | 'manifest'
  | 'log'
  | 'table'
  | 'blob'
  | 'options'
  | 'temporary'
  | 'other'
  | 'foreign';

const NUMBERED: readonly (readonly [RegExp, FileKind])[] = [
  [MANIFEST, 'manifest'],
  [LOG, 'log'],
  [TABLE, 'table'],
  [TABLE_NAME, 'table'],
  [BLOB, 'blob'],
  [OPTIONS, 'options'],
];

export interface NamedFile {
  readonly name: string;
  readonly kind: FileKind;
  /** -1: the name has none. */
  readonly number: number;
  readonly size: number;
}

export function namedFile({ name, size = 0 }: FileEntry): NamedFile {
  if (name === MANIFEST_NAME) return { name, kind: 'own-manifest', number: -1, size };
  for (const [pattern, kind] of NUMBERED) {
    const digits = pattern.exec(name)?.[1];
    if (digits !== undefined) return { name, kind, number: Number(digits), size };
  }
  const rest = TEMPORARY.test(name) ? 'temporary' : OTHERS.test(name) ? 'other' : 'foreign';
  return { name, kind: rest, number: -1, size };
}

/** Whether only LevelDB and RocksDB have files of that name. */
export function isForeignName(name: string): boolean {
  return name === CURRENT || MANIFEST.test(name) || TABLE.test(name);
}

/** The files of a kind by number, ascending. */
export function filesOfKind(files: readonly FileEntry[], kind: FileKind): NamedFile[] {
  return files
    .map(namedFile)
    .filter((file) => file.kind === kind)
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
}
