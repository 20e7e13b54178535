/**
 * Files that appear whole or not at all, whatever happens meanwhile: written under a temporary name
 * in the same directory, synced, renamed, and the directory synced. Each step needs the one before
 * it: a rename can be durable before the data of the file is (ext4's delayed allocation, LWN 2009,
 * "Delayed allocation and the zero-length file problem"), and without the last one a crash can undo
 * the name.
 */
import { basename, dirname, join } from 'node:path';
import { DdiaError } from '../shared/errors.ts';
import { type Disk, type DiskFile, writeFully } from './disk.ts';

/** Small appends are gathered up to so many bytes; larger ones go straight to the file. */
const BUFFER_BYTES = 128 * 1024;

/** Names that an earlier process with the same id can have left behind. */
const TEMPORARY_NAME_TRIES = 1000;

const TEMPORARY_NAME = /^\..+\.tmp-\d+-\d+$/s;

/**
 * Whether a name is one that only a crash leaves: safe to remove once no writer of its directory
 * runs.
 */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/**
 * Puts `bytes` at `path`, replacing what is there. Returns once they are durable; if it throws, the
 * old file is there or, when only the last sync failed, the new one. Errors are the disk's.
 */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const writer = DurableWriter.create(disk, path, { overwrite: true });
  writer.append(bytes, 0, bytes.length);
  writer.finish();
}

/** Writes a file front to back. Nothing is at its path before `finish` has returned. */
export class DurableWriter {
  readonly #disk: Disk;
  readonly #file: DiskFile;
  readonly #overwrite: boolean;
  #buffer = new Uint8Array(0);
  #buffered = 0;
  #written = 0;
  #state: 'open' | 'finished' | 'aborted' = 'open';
  #closed = false;

  private constructor(
    disk: Disk,
    readonly path: string,
    file: DiskFile,
    overwrite: boolean,
  ) {
    this.#disk = disk;
    this.#file = file;
    this.#overwrite = overwrite;
  }

  /**
   * Throws a DdiaError `exists` if there is something at `path` and it is not to be overwritten,
   * `is-directory` if it cannot be.
   */
  static create(
    disk: Disk,
    path: string,
    options: { readonly overwrite?: boolean } = {},
  ): DurableWriter {
    const overwrite = options.overwrite ?? false;
    if (overwrite) refuseDirectory(disk, path);
    else refuseExisting(disk, path);
    return new DurableWriter(disk, path, createTemporary(disk, path), overwrite);
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#written + this.#buffered;
  }

  /**
   * Appends bytes[start, end). After an error the temporary file is gone and the writer is of no
   * more use.
   */
  append(bytes: Uint8Array, start: number, end: number): void {
    this.#assertOpen();
    if (this.#buffered + end - start > BUFFER_BYTES) this.#orAbort(() => this.#flush());
    if (end - start >= BUFFER_BYTES) {
      this.#orAbort(() => this.#write(bytes, start, end));
      return;
    }
    this.#reserve(this.#buffered + end - start);
    this.#buffer.set(bytes.subarray(start, end), this.#buffered);
    this.#buffered += end - start;
  }

  /** Puts bytes in place of some that were appended before. */
  patch(position: number, bytes: Uint8Array): void {
    this.#assertOpen();
    this.#orAbort(() => {
      this.#flush();
      writeFully(this.#file, bytes, 0, bytes.length, position);
    });
  }

  /**
   * Makes the file durable under its name. Refuses, as `create` does, a file that came to be there
   * meanwhile; who creates files without a lock of their own can still lose one in between.
   */
  finish(): void {
    this.#assertOpen();
    this.#orAbort(() => {
      this.#flush();
      this.#file.sync();
      // Windows renames no file that is open.
      this.#close();
      if (!this.#overwrite) refuseExisting(this.#disk, this.path);
      this.#disk.rename(this.#file.path, this.path);
    });
    this.#state = 'finished';
    this.#disk.syncDirectory(dirname(this.path));
  }

  /** Removes what was written. Does nothing after `finish` or `abort`. */
  abort(): void {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    try {
      this.#close();
    } finally {
      this.#disk.remove(this.#file.path);
    }
  }

  #orAbort(step: () => void): void {
    try {
      step();
    } catch (error) {
      try {
        this.abort();
      } catch {
        // Of the two errors the first is the cause; the name says that the file is a leftover.
      }
      throw error;
    }
  }

  #flush(): void {
    const buffered = this.#buffered;
    this.#buffered = 0;
    this.#write(this.#buffer, 0, buffered);
  }

  /** A file of a few bytes should not cost a large buffer. */
  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.min(BUFFER_BYTES, Math.max(4096, 2 * bytes)));
    larger.set(this.#buffer.subarray(0, this.#buffered));
    this.#buffer = larger;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  #write(bytes: Uint8Array, start: number, end: number): void {
    writeFully(this.#file, bytes, start, end, this.#written);
    this.#written += end - start;
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new Error(`the writer is ${this.#state}: ${this.path}`);
  }
}

/**
 * Makes a directory with its parents, each durable before the next is made in it. One that is there
 * already may have been made by a process that died before it was durable, so its name is synced as
 * well.
 */
export function makeDurableDirectory(disk: Disk, path: string): void {
  const missing: string[] = [];
  let existing = path;
  while (disk.stat(existing) === undefined && dirname(existing) !== existing) {
    missing.unshift(existing);
    existing = dirname(existing);
  }
  if (disk.stat(existing)?.kind === 'directory') syncNameOf(disk, existing);
  for (const directory of missing) {
    disk.makeDirectory(directory);
    disk.syncDirectory(dirname(directory));
  }
  // Says so where a file has the name.
  if (missing.length === 0) disk.makeDirectory(path);
}

/** A parent that we may not open is not one in which we made anything. */
function syncNameOf(disk: Disk, directory: string): void {
  const parent = dirname(directory);
  if (parent === directory) return;
  try {
    disk.syncDirectory(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
}

function refuseExisting(disk: Disk, path: string): void {
  if (disk.stat(path) === undefined) return;
  throw new DdiaError('exists', `already exists: ${path}`, 'choose another name, or --force');
}

/** Before anything is written: the rename at the end would fail, and speak of another name. */
function refuseDirectory(disk: Disk, path: string): void {
  if (disk.stat(path)?.kind !== 'directory') return;
  throw new DdiaError('is-directory', `is a directory: ${path}`, 'choose another name');
}

/** Numbers count from 0 for each disk, so that a run on a simulated one is the same every time. */
const temporaryCounts = new WeakMap<Disk, number>();

function createTemporary(disk: Disk, path: string): DiskFile {
  for (let attempt = 1; ; attempt++) {
    const count = temporaryCounts.get(disk) ?? 0;
    temporaryCounts.set(disk, count + 1);
    const name = `.${basename(path)}.tmp-${process.pid}-${count}`;
    try {
      return disk.open(join(dirname(path), name), 'create');
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
      if (!taken || attempt === TEMPORARY_NAME_TRIES) throw error;
    }
  }
}
