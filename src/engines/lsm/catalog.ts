/**
 * The tables of a store as its manifest names them, level by level. Whatever the manifest does not
 * name is a leftover of a crash, and is removed when the store is opened.
 *
 * The manifest is replaced as a whole, not a log of edits: it is the only write that a crash must
 * not cut, and replacing does that with nothing to replay, to cut or to compact. It grows with the
 * number of tables, 100 bytes each: a store of 80 GB has a manifest of 1 MB, written once for 8 MB
 * of table.
 */
import { join } from 'node:path';
import {
  decodeManifest,
  encodeManifest,
  LEVELS,
  LOG_DIRECTORY,
  type LsmManifest,
  MANIFEST_NAME,
  type ManifestTable,
} from '../../formats/lsm/manifest.ts';
import { isForeignName } from '../../formats/lsm/names.ts';
import { TABLE_NAME } from '../../formats/sstable/v2/layout.ts';
import { type Disk, readFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import { BlockCache } from './block-cache.ts';
import { type FileNumbers, takeFrom } from './merge-runner.ts';
import type { ResolvedOptions } from './options.ts';
import { TableFile } from './table-file.ts';

/** A manifest for so many tables is 256 MiB: more is no store of ours. */
const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;

export { LOG_DIRECTORY };

export interface Edit {
  add?: readonly ManifestTable[];
  remove?: readonly TableFile[];
  flushedSeq?: number;
}

export class Catalog {
  /**
   * Level 0 with the newest first, the others in the order of their keys. Replaced, never changed.
   */
  levels: readonly (readonly TableFile[])[] = [];
  manifest: LsmManifest;
  /** The number of the next table. */
  readonly numbers: FileNumbers = new Uint32Array(new SharedArrayBuffer(4));
  readonly cache: BlockCache;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    manifest: LsmManifest,
    cacheBytes: number,
  ) {
    this.manifest = manifest;
    this.numbers[0] = manifest.nextFile;
    this.cache = new BlockCache(cacheBytes);
    this.levels = this.#sorted(manifest.tables.map((entry) => this.#table(entry)));
  }

  /** The lock is held. Makes the manifest where the directory is empty. */
  static open(disk: Disk, directory: string, options: ResolvedOptions): Catalog {
    const known = readManifest(disk, directory);
    // A process that died may have given it its name and not made that durable.
    if (known) disk.syncDirectory(directory);
    const manifest = known ?? makeManifest(disk, directory, options);
    const catalog = new Catalog(disk, directory, manifest, options.cacheBytes);
    catalog.#checkTables();
    catalog.#removeLeftovers();
    return catalog;
  }

  #table(entry: ManifestTable): TableFile {
    return new TableFile(this.disk, this.directory, entry, this.cache);
  }

  get tables(): TableFile[] {
    return this.levels.flat();
  }

  takeNumber(): number {
    return takeFrom(this.numbers);
  }

  /** Makes the change durable, and then seen: all of it in one turn of the event loop. */
  commit({ add = [], remove = [], flushedSeq = this.manifest.flushedSeq }: Edit): void {
    const gone = new Set(remove);
    const tables = this.tables.filter((table) => !gone.has(table));
    for (const entry of add) {
      // A table that moves to another level stays the file that it is.
      const moved = remove.find((table) => table.entry.file === entry.file);
      if (moved) gone.delete(moved);
      tables.push(this.#table(entry));
    }
    const manifest: LsmManifest = {
      storeId: this.manifest.storeId,
      generation: this.manifest.generation + 1n,
      flushedSeq,
      nextFile: Atomics.load(this.numbers, 0),
      tables: tables.map(({ entry }) => entry),
    };
    replaceFile(this.disk, join(this.directory, MANIFEST_NAME), encodeManifest(manifest));
    this.manifest = manifest;
    this.levels = this.#sorted(tables);
    for (const table of remove) {
      if (gone.has(table)) table.doom();
      else table.close();
    }
  }

  #sorted(tables: readonly TableFile[]): TableFile[][] {
    const levels: TableFile[][] = Array.from({ length: LEVELS }, () => []);
    for (const table of tables) levels[table.entry.level]!.push(table);
    levels[0]!.sort((a, b) => b.entry.seqLast - a.entry.seqLast);
    for (const level of levels.slice(1)) {
      level.sort((a, b) => Buffer.compare(a.entry.firstKey, b.entry.firstKey));
    }
    return levels;
  }

  close(): void {
    for (const table of this.tables) table.close();
  }

  #checkTables(): void {
    for (const table of this.tables) {
      const { bytes, level } = table.entry;
      const size = this.disk.stat(table.path)?.size;
      if (level >= LEVELS) throw table.corrupt(0, `the manifest has it on level ${level}`);
      if (size === undefined) throw table.corrupt(0, 'the manifest names it, and it is not there');
      if (size !== bytes) throw table.corrupt(size, `${size} bytes, the manifest says ${bytes}`);
    }
  }

  #removeLeftovers(): void {
    const named = new Set(this.tables.map(({ entry }) => entry.file));
    for (const name of this.disk.list(this.directory)) {
      const number = TABLE_NAME.exec(name)?.[1];
      const unnamed = number !== undefined && !named.has(Number(number));
      if (unnamed || isTemporaryName(name)) this.disk.remove(join(this.directory, name));
    }
  }
}

function readManifest(disk: Disk, directory: string): LsmManifest | undefined {
  const path = join(directory, MANIFEST_NAME);
  const size = disk.stat(path)?.size;
  if (size === undefined) return undefined;
  if (size > MANIFEST_BYTES_MAX) {
    throw new DdiaError('corrupt', `${path}: ${size} bytes, at most ${MANIFEST_BYTES_MAX}`);
  }
  const file = disk.open(path, 'read');
  try {
    const bytes = new Uint8Array(size);
    const got = readFully(file, bytes, 0, size, 0);
    const manifest = decodeManifest(bytes.subarray(0, got));
    if (typeof manifest !== 'string') return manifest;
    const hint = `look: ddia lsm verify ${directory}; then ddia lsm repair ${directory} --out NEW`;
    throw new DdiaError('corrupt', `${path}: ${manifest}`, hint);
  } finally {
    file.close();
  }
}

/**
 * Whether a store of ours is there, or what is left of one. Nothing is touched. Throws where none
 * may be made: a file, or the directory of another software, whose content would no longer show.
 */
export function isStoreAt(disk: Disk, directory: string): boolean {
  const kind = disk.stat(directory)?.kind;
  if (kind === undefined) return false;
  if (kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${directory} is a file`, 'a store is a directory');
  }
  const names = disk.list(directory);
  if (names.includes(MANIFEST_NAME)) return true;
  const foreign = names.find(isForeignName);
  if (foreign === undefined) return orphanOf(names) !== undefined;
  const what = `${directory}: ${foreign} is a file of LevelDB or RocksDB`;
  throw new DdiaError('foreign-store', `${what}: no store of ours is made there`);
}

function orphanOf(names: readonly string[]): string | undefined {
  return names.find((name) => TABLE_NAME.test(name) || name === LOG_DIRECTORY);
}

function makeManifest(disk: Disk, directory: string, options: ResolvedOptions): LsmManifest {
  const orphan = orphanOf(disk.list(directory));
  if (orphan !== undefined) {
    throw new DdiaError(
      'corrupt',
      `${directory}: ${orphan} is there and ${MANIFEST_NAME} is not: nothing says which tables live`,
      `bring it back: ddia lsm repair ${directory} --out NEW`,
    );
  }
  const storeId = options.storeId();
  const manifest = { storeId, generation: 1n, flushedSeq: 0, nextFile: 1, tables: [] };
  replaceFile(disk, join(directory, MANIFEST_NAME), encodeManifest(manifest));
  return manifest;
}
