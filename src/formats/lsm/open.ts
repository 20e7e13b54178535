/** Opens a directory: its manifest, and which of the files beside it count. */
import { DdiaError, usageError } from '../../shared/errors.ts';
import { probeOf } from '../detect.ts';
import type { FileSet, Finding, ScanContext } from '../format.ts';
import { leveldb as leveldbTable } from '../sstable/leveldb/index.ts';
import { rocksdb as rocksdbTable } from '../sstable/rocksdb/index.ts';
import { leveldb as leveldbLog } from '../wal/leveldb/index.ts';
import { rocksdb as rocksdbLog } from '../wal/rocksdb/index.ts';
import { emptyVersion, newFamily } from './edits.ts';
import type { ColumnFamily, Database, LogFile, Software, Version } from './model.ts';
import { filesOfKind, type NamedFile, namedFile } from './names.ts';
import { isOwn, openOwn } from './open-own.ts';
import { currentManifest, readVersion } from './version-log.ts';

const DIALECTS = {
  leveldb: { wal: leveldbLog, sstable: leveldbTable },
  rocksdb: { wal: rocksdbLog, sstable: rocksdbTable },
} as const;

export async function openDatabase(
  set: FileSet,
  software: Software | undefined,
  context: ScanContext,
): Promise<Database> {
  const whose = software ?? (await softwareOf(set));
  return whose === 'v2' ? openOwn(set, context) : openForeign(set, whose, context);
}

/** Whose directory it is. Throws a DdiaError where it is nobody's. */
export async function softwareOf(set: FileSet): Promise<Software> {
  if (!set.isDirectory) {
    throw new DdiaError('not-a-directory', `${set.path} is a file`, 'a store is a directory');
  }
  const kinds = new Set(set.files.map((file) => namedFile(file).kind));
  if (kinds.has('own-manifest')) return 'v2';
  if (kinds.has('manifest')) return foreignSoftwareOf(set);
  if (isOwn(set)) return 'v2';
  if (kinds.has('table')) return foreignSoftwareOf(set);
  throw new DdiaError(
    'not-a-database',
    `${set.path} has neither a manifest nor a table: no store of ours, no LevelDB, no RocksDB`,
    'ddia identify tells what it is',
  );
}

async function openForeign(
  set: FileSet,
  software: Exclude<Software, 'v2'>,
  context: ScanContext,
): Promise<Database> {
  const { wal, sstable } = DIALECTS[software];
  const named = await currentManifest(set);
  const findings: Finding[] = named.finding ? [named.finding] : [];
  const { manifest } = named;
  let version = emptyVersion();
  let whole = false;
  if (manifest !== undefined) {
    const read = await readVersion(set, wal, manifest, context);
    findings.push(...read.findings);
    ({ version, whole } = read);
  }
  const present = filesOfKind(set.files, 'table');
  nameTables(version, present);
  const place = { set, logSet: set, logPrefix: '' };
  const database = { ...place, software, wal, sstable, manifest, version, findings };
  if (!whole) findings.push(...(await guess(database, present, context)));
  return { ...database, logs: logsOf(set, version, whole), guessed: !whole };
}

/** By what lies in the directory; where that says nothing, by the end of a table. */
async function foreignSoftwareOf(set: FileSet): Promise<Exclude<Software, 'v2'>> {
  if (set.files.some(({ name }) => name === 'IDENTITY' || /^OPTIONS-\d+$/.test(name))) {
    return 'rocksdb';
  }
  const tables = filesOfKind(set.files, 'table');
  const manifest = filesOfKind(set.files, 'manifest').at(-1);
  if (tables.some(({ name }) => name.endsWith('.ldb'))) return 'leveldb';
  if (tables[0]) {
    const probe = await probeOf(set, tables[0]);
    if (rocksdbTable.detect(probe).confidence === 'certain') return 'rocksdb';
  }
  if (!manifest) return tables.length > 0 ? 'rocksdb' : 'leveldb';
  const probe = await probeOf(set, manifest);
  return rocksdbLog.detect(probe).confidence === 'certain' ? 'rocksdb' : 'leveldb';
}

function nameTables(version: Version, present: readonly NamedFile[]): void {
  const names = new Map(present.map(({ number, name }) => [number, name]));
  for (const { tables } of version.families.values()) {
    for (const table of tables.values()) table.name = names.get(table.number);
  }
}

/**
 * Without the whole MANIFEST, every table of the directory counts that it does not name: each
 * stands in level 0, where any may hold any key, and the sequence numbers say what is newest.
 */
async function guess(
  database: Omit<Database, 'logs' | 'guessed'>,
  present: readonly NamedFile[],
  context: ScanContext,
): Promise<Finding[]> {
  const { version, set, software, sstable, manifest } = database;
  const known = liveNumbers(version);
  let added = 0;
  for (const { number, name, size } of present) {
    if (known.has(number)) continue;
    let family: ColumnFamily = version.families.get(0)!;
    if (software === 'rocksdb') {
      const source = set.open(name);
      try {
        family = familyOf(version, await sstable.describe(source, context));
      } finally {
        source.close?.();
      }
    }
    const unknown = { smallest: undefined, largest: undefined };
    const seqs = { smallestSeq: undefined, largestSeq: undefined };
    const place = { offset: 0, length: 0 };
    family.tables.set(number, { number, level: 0, size, name, ...unknown, ...seqs, ...place });
    added++;
  }
  if (added === 0) return [];
  const message =
    `${added} of the directory's tables are named by no edit that can be read: ` +
    'they are read too, and what a compaction had dropped of them shows again';
  const file = manifest ?? 'CURRENT';
  const code = 'guessed-tables';
  return [{ code, severity: 'warning', file, offset: 0, length: 0, message }];
}

/** The column family that a table's properties name. */
function familyOf(version: Version, described: Record<string, unknown>): ColumnFamily {
  const properties = (described['properties'] ?? {}) as Record<string, unknown>;
  const id = Number(properties['rocksdb.column.family.id'] ?? 0);
  const name = String(properties['rocksdb.column.family.name'] ?? '');
  // An id that no column family has (2^32 - 1: unknown) counts as the default one's.
  if (!Number.isSafeInteger(id) || id < 0 || id >= 0xffff_ffff) return version.families.get(0)!;
  let family = version.families.get(id);
  if (!family) {
    family = newFamily(id, name || `family-${id}`);
    version.families.set(id, family);
  }
  return family;
}

export function liveNumbers(version: Version): Set<number> {
  const numbers = new Set<number>();
  for (const { tables } of version.families.values()) {
    for (const number of tables.keys()) numbers.add(number);
  }
  return numbers;
}

/**
 * The logs that recovery reads: those from the lowest number that a column family still needs, and
 * the one before a switch that LevelDB had not finished.
 */
function logsOf(set: FileSet, version: Version, whole: boolean): LogFile[] {
  const first = firstLog(version, whole);
  return filesOfKind(set.files, 'log').filter(
    ({ number }) => number >= first || (number === version.prevLogNumber && number > 0),
  );
}

export function firstLog(version: Version, whole: boolean): number {
  if (!whole) return 0;
  const least = Math.min(...[...version.families.values()].map(({ logNumber }) => logNumber));
  return version.minLogNumberToKeep > 0 ? Math.min(least, version.minLogNumberToKeep) : least;
}

/** The column family of that name. */
export function familyByName(database: Database, name: string): ColumnFamily {
  const families = [...database.version.families.values()];
  const family = families.find((one) => one.name === name);
  if (family) return family;
  const known = families.map((one) => one.name).join(', ');
  throw usageError('no-column-family', `no column family ${name}`, `known: ${known}`);
}
