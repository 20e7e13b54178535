/**
 * Writing a textbook layout as its book does: one record after the other at the end of the highest
 * numbered file, and a new file when that has reached its size. No key directory and no merge; what
 * the layout cannot hold is refused. A file that does not end with a whole record is not written
 * behind: a new one is begun, as a store does that was killed.
 */
import { join } from 'node:path';
import type { BitcaskDialect, BitcaskWriter } from '../../formats/bitcask/model.ts';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import { type Disk, type DiskFile, writeFully } from '../../io/disk.ts';
import { DiskSource, diskSet } from '../../io/disk-set.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { poisoned } from '../group-commit.ts';

export interface TextbookOptions {
  /** A file at or over this size is not written to any more. */
  fileBytes?: number | undefined;
  /** Milliseconds since the epoch. */
  now?: () => number;
  processes?: Processes;
}

export class TextbookStore {
  readonly #writer: BitcaskWriter;
  readonly #fileBytes: number;
  readonly #now: () => number;
  #file: DiskFile | undefined;
  #number = 0;
  #size = 0;
  /** Why nothing more is written. */
  #failure: Error | undefined;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly dialect: BitcaskDialect,
    readonly lock: LockFile,
    options: TextbookOptions,
  ) {
    const encoder = dialect.encoder!;
    this.#writer = encoder.open(0n);
    this.#fileBytes = options.fileBytes ?? encoder.fileBytesDefault;
    this.#now = options.now ?? Date.now;
  }

  /** Throws a DdiaError: `locked`, `not-writable`. */
  static async open(
    disk: Disk,
    directory: string,
    dialect: BitcaskDialect,
    options: TextbookOptions = {},
  ): Promise<TextbookStore> {
    if (!dialect.encoder) {
      throw new DdiaError('not-writable', `dialect ${dialect.id} is read, not written`);
    }
    makeDurableDirectory(disk, directory);
    const path = join(directory, 'LOCK');
    const lock = LockFile.acquire(disk, path, options.processes ?? systemProcesses());
    try {
      const store = new TextbookStore(disk, directory, dialect, lock, options);
      await store.#findEnd();
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Appends a record and syncs it; `value` undefined: a deletion. Returns where it stands. What the
   * layout cannot hold is refused; after a failed write nothing more is taken.
   */
  write(
    key: Uint8Array,
    value: Uint8Array | undefined,
    more: { ttl?: number | undefined; timestamp?: number | undefined } = {},
  ): { file: string; offset: number; length: number } {
    if (this.#failure) throw this.#failure;
    const now = this.#now();
    const put = {
      key,
      value,
      timestamp: more.timestamp ?? now / 1000,
      seq: -1,
      expires: more.ttl === undefined ? 0 : Math.ceil(now + more.ttl),
      continued: false,
      unsynced: 0,
    };
    // A file that is new yet may not come to be, if the record is refused.
    const begin = !this.#file || this.#size >= this.#fileBytes;
    const offset = begin ? 0 : this.#size;
    const bytes = this.#writer.record(put, offset).slice();
    try {
      if (begin) this.#begin();
      writeFully(this.#file!, bytes, 0, bytes.length, this.#size);
      this.#file!.dataSync();
      this.#size += bytes.length;
    } catch (error) {
      this.#failure = poisoned('store', error as Error);
      throw this.#failure;
    }
    return { file: this.dialect.dataName(this.#number), offset, length: bytes.length };
  }

  close(): void {
    this.#failure ??= new DdiaError('closed', 'the store is closed');
    try {
      this.#closeFile();
    } finally {
      this.lock.release();
    }
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  #begin(): void {
    this.#closeFile();
    this.#number++;
    const head = this.#writer.data(this.#number, false).slice();
    const path = join(this.directory, this.dialect.dataName(this.#number));
    this.#file = this.disk.open(path, 'create');
    writeFully(this.#file, head, 0, head.length, 0);
    this.#file.sync();
    this.disk.syncDirectory(this.directory);
    this.#size = head.length;
  }

  /** The highest numbered file, if it ends with a whole record and has no hint that would lag. */
  async #findEnd(): Promise<void> {
    const { disk, directory, dialect } = this;
    const names = disk.list(directory);
    for (const name of names) {
      const number = dialect.dataFile(name) ?? dialect.hintFile(name);
      if (number !== undefined) this.#number = Math.max(this.#number, number);
    }
    const name = names.find((one) => dialect.dataFile(one) === this.#number);
    if (name === undefined || names.some((one) => dialect.hintFile(one) === this.#number)) return;
    const source = new DiskSource(disk, join(directory, name));
    let end = 0;
    let damaged = false;
    try {
      const set = diskSet(disk, directory);
      await dialect.scan(
        source,
        { limits: DEFAULT_LIMITS, set },
        {
          record: ({ offset, length }) => {
            end = offset + length;
          },
          damage: () => {
            damaged = true;
          },
        },
      );
    } finally {
      source.close();
    }
    if (damaged || end !== source.size) return;
    this.#file = disk.open(join(directory, name), 'write');
    this.#size = end;
  }
}
