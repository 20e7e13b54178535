/**
 * The files of a store as its manifest names them. Whatever the manifest does not name is a
 * leftover of a crash, and is removed when a writer has opened the store.
 */
import { join } from 'node:path';
import { decodeDataHeader } from '../../formats/bitcask/v2/headers.ts';
import {
  dataFile,
  dataName,
  HEADER_BYTES,
  hintFile,
  hintName,
  MANIFEST_NAME,
  MERGED,
} from '../../formats/bitcask/v2/layout.ts';
import {
  decodeManifest,
  encodeManifest,
  type StoreManifest,
} from '../../formats/bitcask/v2/manifest.ts';
import { type Disk, type DiskFile, readFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import { corrupt, whatToDo } from './corrupt.ts';
import { DataFile } from './data-file.ts';
import type { ResolvedOptions } from './options.ts';

/** A manifest for so many files is 64 MiB: more is no store of ours. */
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

export class Catalog {
  /** By number. */
  readonly files = new Map<number, DataFile>();
  /** As of the manifest that was read or written last. */
  manifest: StoreManifest;
  nextFile: number;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    manifest: StoreManifest,
  ) {
    this.manifest = manifest;
    this.nextFile = manifest.nextFile;
    for (const entry of manifest.files) {
      this.files.set(entry.file, DataFile.of(disk, directory, entry));
    }
  }

  /** For a writer that holds the lock: makes the manifest where there is no store yet. */
  static open(disk: Disk, directory: string, options: ResolvedOptions): Catalog {
    const known = readManifestFile(disk, directory);
    if (!known && !options.create) throw noStore(directory);
    // A process that died may have given it its name and not made that durable.
    if (known) disk.syncDirectory(directory);
    return new Catalog(disk, directory, known ?? makeManifest(disk, directory, options));
  }

  /** For a reader. */
  static read(disk: Disk, directory: string): Catalog {
    return new Catalog(disk, directory, readManifest(disk, directory));
  }

  /**
   * Makes the files as they are in memory the store's, at once. What they have must be durable
   * already. `without`: files that are to be left out.
   */
  commit(nextSeq: number, closed: boolean, without: ReadonlySet<number> = new Set()): void {
    const { storeId, generation } = this.manifest;
    const files = [...this.files.values()]
      .filter(({ number }) => !without.has(number))
      .sort((a, b) => a.number - b.number)
      .map((file) => file.entry());
    const manifest: StoreManifest = {
      storeId,
      generation: generation + 1n,
      nextSeq,
      nextFile: this.nextFile,
      closed,
      files,
    };
    replaceFile(this.disk, join(this.directory, MANIFEST_NAME), encodeManifest(manifest));
    this.manifest = manifest;
  }

  /** A number that no file has had. */
  takeNumber(): number {
    return this.nextFile++;
  }

  closeFiles(): void {
    for (const file of this.files.values()) file.close();
  }

  /**
   * Throws `corrupt` if there are files of a later time than the manifest, which then is not the
   * last one that was written. What a crash can leave that no manifest has named yet is a file
   * without a record, since its name comes first, and what a merge made, which holds copies.
   */
  refuseOlderManifest(): void {
    for (const name of this.disk.list(this.directory)) {
      const number = dataFile(name);
      if (number === undefined || number < this.manifest.nextFile) continue;
      if (!holdsRecords(this.disk, join(this.directory, name))) continue;
      const { generation } = this.manifest;
      const why = `generation ${generation} does not know of ${name}, which holds records`;
      throw corrupt(
        { path: join(this.directory, MANIFEST_NAME), directory: this.directory },
        0,
        why,
      );
    }
  }

  /** Whether files are there with numbers that were not given out: those are not used again. */
  skipNumbersInUse(): boolean {
    const before = this.nextFile;
    for (const name of this.disk.list(this.directory)) {
      const number = dataFile(name) ?? hintFile(name) ?? 0;
      if (number >= this.nextFile) this.nextFile = number + 1;
    }
    return this.nextFile > before;
  }

  /** To be called when all that the manifest names is read: until then nothing is removed. */
  removeLeftovers(): void {
    const named = new Set<string>();
    for (const { file, hint } of this.manifest.files) {
      named.add(dataName(file));
      if (hint) named.add(hintName(file));
    }
    for (const name of this.disk.list(this.directory)) {
      const ours = dataFile(name) !== undefined || hintFile(name) !== undefined;
      if (!isTemporaryName(name) && (!ours || named.has(name))) continue;
      this.disk.remove(join(this.directory, name));
    }
  }
}

function holdsRecords(disk: Disk, path: string): boolean {
  const file = openIfThere(disk, path);
  if (!file) return false;
  try {
    const header = new Uint8Array(HEADER_BYTES);
    readFully(file, header, 0, HEADER_BYTES, 0);
    const { kind, intact } = decodeDataHeader(header) ?? {};
    return file.size() > HEADER_BYTES && !(intact && kind === MERGED);
  } finally {
    file.close();
  }
}

/** Undefined where there is none: a writer may remove files while a reader looks. */
function openIfThere(disk: Disk, path: string): DiskFile | undefined {
  try {
    return disk.open(path, 'read');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function readManifestFile(disk: Disk, directory: string): StoreManifest | undefined {
  const path = join(directory, MANIFEST_NAME);
  // Its size is that of the file that was opened: a writer may replace it at any moment.
  const file = openIfThere(disk, path);
  if (!file) return undefined;
  try {
    const size = file.size();
    if (size > MANIFEST_BYTES_MAX) {
      throw corrupt({ path, directory }, 0, `${size} bytes, at most ${MANIFEST_BYTES_MAX}`);
    }
    const bytes = new Uint8Array(size);
    const got = readFully(file, bytes, 0, size, 0);
    const manifest = decodeManifest(bytes.subarray(0, got));
    if (typeof manifest !== 'string') return manifest;
    throw new DdiaError('corrupt', `${path}: ${manifest}`, whatToDo(directory));
  } finally {
    file.close();
  }
}

/** Throws `not-found` where there is no store, and `corrupt` where there was one. */
export function readManifest(disk: Disk, directory: string): StoreManifest {
  const manifest = readManifestFile(disk, directory);
  if (manifest) return manifest;
  if (disk.stat(directory)?.kind === 'directory') refuseOrphans(disk, directory);
  throw noStore(directory);
}

function noStore(directory: string): DdiaError {
  return new DdiaError('not-found', `no store at ${directory}`);
}

function refuseOrphans(disk: Disk, directory: string): void {
  const orphan = disk.list(directory).find((name) => dataFile(name) !== undefined);
  if (orphan === undefined) return;
  throw new DdiaError(
    'corrupt',
    `${directory}: ${orphan} is there and ${MANIFEST_NAME} is not: nothing says which files live`,
    `ddia bitcask repair ${directory} --out NEW makes a manifest from the files`,
  );
}

function makeManifest(disk: Disk, directory: string, options: ResolvedOptions): StoreManifest {
  refuseOrphans(disk, directory);
  const manifest: StoreManifest = {
    storeId: options.storeId(),
    generation: 1n,
    nextSeq: 1,
    nextFile: 1,
    closed: true,
    files: [],
  };
  replaceFile(disk, join(directory, MANIFEST_NAME), encodeManifest(manifest));
  return manifest;
}
