/**
 * The files of a store as its manifest names them. Whatever the manifest does not name is a
 * leftover of a crash, and is removed when a writer opens the store.
 */
import { join } from 'node:path';
import { DATA_NAME, HINT_NAME, MANIFEST_NAME } from '../../formats/bitcask/v2/layout.ts';
import {
  decodeManifest,
  encodeManifest,
  type StoreManifest,
} from '../../formats/bitcask/v2/manifest.ts';
import { type Disk, readFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
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

  /** For a writer that holds the lock: makes the manifest where the directory is empty. */
  static open(disk: Disk, directory: string, options: ResolvedOptions): Catalog {
    const manifest = readManifestFile(disk, directory) ?? makeManifest(disk, directory, options);
    const catalog = new Catalog(disk, directory, manifest);
    catalog.#removeLeftovers();
    return catalog;
  }

  /** For a reader. Undefined: there is no manifest. */
  static read(disk: Disk, directory: string): Catalog | undefined {
    const manifest = readManifestFile(disk, directory);
    return manifest && new Catalog(disk, directory, manifest);
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

  #removeLeftovers(): void {
    for (const name of this.disk.list(this.directory)) {
      if (!isTemporaryName(name) && !this.#unnamed(name)) continue;
      this.disk.remove(join(this.directory, name));
    }
  }

  #unnamed(name: string): boolean {
    const data = DATA_NAME.exec(name);
    if (data) return !this.files.has(Number(data[1]));
    const hint = HINT_NAME.exec(name);
    return hint !== null && !this.files.get(Number(hint[1]))?.hintCrc;
  }
}

function readManifestFile(disk: Disk, directory: string): StoreManifest | undefined {
  const path = join(directory, MANIFEST_NAME);
  const size = disk.stat(path)?.size;
  if (size === undefined) return undefined;
  const look = `look: ddia bitcask verify ${directory}; then ddia bitcask repair ${directory} --out NEW`;
  if (size > MANIFEST_BYTES_MAX) {
    throw new DdiaError('corrupt', `${path}: ${size} bytes, at most ${MANIFEST_BYTES_MAX}`, look);
  }
  const file = disk.open(path, 'read');
  try {
    const bytes = new Uint8Array(size);
    const got = readFully(file, bytes, 0, size, 0);
    const manifest = decodeManifest(bytes.subarray(0, got));
    if (typeof manifest !== 'string') return manifest;
    throw new DdiaError('corrupt', `${path}: ${manifest}`, look);
  } finally {
    file.close();
  }
}

function makeManifest(disk: Disk, directory: string, options: ResolvedOptions): StoreManifest {
  const orphan = disk.list(directory).find((name) => DATA_NAME.test(name));
  if (orphan !== undefined) {
    throw new DdiaError(
      'corrupt',
      `${directory}: ${orphan} is there and ${MANIFEST_NAME} is not: nothing says which files live`,
      `ddia bitcask repair ${directory} --out NEW makes a manifest from the files`,
    );
  }
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
