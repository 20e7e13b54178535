/**
 * The hash-index store: every key in memory with the place of its newest record, every record in a
 * file that is only appended to. Layout: formats/bitcask/v2. What the caller must know:
 *
 * - A put or delete is visible, and as durable as the mode says, when its promise resolves; writes
 *   that are under way together share one write and one sync.
 * - A get costs one read of the file, checks the record, and never sees half a batch.
 * - A failed write or sync poisons the store: close it and open it again.
 * - One writer: a lock file with the process id. Readers (reader.ts) need no lock.
 * - Keys live in memory, about 60 bytes each beyond the key itself (formats/bitcask/key-directory).
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Background } from './background.ts';
import { Catalog } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { type MergeReport, Merger } from './merge.ts';
import { openFiles } from './opening.ts';
import type { Operation } from './operation.ts';
import { type BitcaskOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { PageCache } from './page-cache.ts';
import { RecordReader } from './record-reader.ts';
import { type ScanOptions, Snapshot } from './snapshot.ts';
import { type StoreStat, statOf } from './stat.ts';
import { Writer } from './writer.ts';

export interface PutOptions {
  /** Milliseconds after which the key counts as deleted. */
  ttl?: number | undefined;
  /** Seconds since the epoch; now unless told. */
  timestamp?: number | undefined;
}

export class BitcaskStore {
  readonly #options: ResolvedOptions;
  readonly #lock: LockFile;
  readonly #catalog: Catalog;
  readonly #keys: KeyDirectory;
  readonly #writer: Writer;
  readonly #records: RecordReader;
  readonly #background: Background;
  #closing: Promise<void> | undefined;

  private constructor(
    disk: Disk,
    readonly directory: string,
    options: ResolvedOptions,
    lock: LockFile,
    catalog: Catalog,
    keys: KeyDirectory,
    nextSeq: number,
    /** What opening had to mend, in words. */
    readonly recovered: readonly string[],
  ) {
    this.#options = options;
    this.#lock = lock;
    this.#catalog = catalog;
    this.#keys = keys;
    const cache = new PageCache(options.cacheBytes);
    this.#records = new RecordReader(keys, catalog.files, options.now, cache);
    const writer = new Writer(disk, directory, options, catalog, keys, nextSeq, () =>
      this.#background.tend(),
    );
    this.#writer = writer;
    const merger = new Merger({
      disk,
      directory,
      keys,
      catalog,
      options,
      settled: () => writer.sync(),
      nextSeq: () => writer.durableEnd,
      closed: () => !writer.writing,
      checkUsable: () => writer.commit.checkUsable(),
      poison: (error) => writer.commit.poison(error),
    });
    this.#background = new Background(options, {
      hint: (file, pace) => merger.hint(file, pace),
      merge: (files, pace) => merger.run(files, pace),
      files: () => this.#files(),
    });
  }

  /**
   * Opens or creates the store in `directory`. Throws a DdiaError: `locked`, `corrupt` where
   * something that was synced cannot be read, `bad-option`, `not-found`, `directory-full`.
   */
  static async open(
    disk: Disk,
    directory: string,
    options: BitcaskOptions = {},
  ): Promise<BitcaskStore> {
    const resolved = resolveOptions(options);
    if (!resolved.create && !disk.stat(directory)) {
      throw new DdiaError('not-found', `no store at ${directory}`);
    }
    makeDurableDirectory(disk, directory);
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    let catalog: Catalog | undefined;
    try {
      catalog = Catalog.open(disk, directory, resolved);
      const keys = new KeyDirectory(randomBytes(4).readUInt32LE());
      const notes: string[] = [];
      const nextSeq = await openFiles(disk, catalog, keys, resolved, notes);
      return new BitcaskStore(disk, directory, resolved, lock, catalog, keys, nextSeq, notes);
    } catch (error) {
      catalog?.closeFiles();
      lock.release();
      throw error;
    }
  }

  /** As they are now, with what has expired in them. */
  #files(): DataFile[] {
    const { files } = this.#catalog;
    const now = this.#options.now();
    const keys = this.#keys;
    for (const file of files.values()) file.expiredBytes = 0;
    keys.forEachExpiring((entry, expires) => {
      if (expires <= now) files.get(keys.file(entry))!.expiredBytes += keys.length(entry);
    });
    return [...files.values()];
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt` if its record is. */
  get(key: Uint8Array): Buffer | null {
    this.#writer.commit.checkUsable();
    return this.#records.get(key);
  }

  /** Number of keys, those that have expired and not been merged away included. */
  get size(): number {
    return this.#keys.size;
  }

  /** Resolves with the write's number. */
  put(key: Uint8Array, value: Uint8Array, options: PutOptions = {}): Promise<number> {
    return this.#writer.write([{ key, value, ...options }], false);
  }

  /** Resolves with the write's number, or with 0 if there was nothing to delete. */
  delete(key: Uint8Array): Promise<number> {
    const { hasPending, commit } = this.#writer;
    // A put that is under way may be of this key.
    const absent = !hasPending && this.#keys.find(key, 0, key.length) < 0;
    if (absent && commit.usable) return Promise.resolve(0);
    return this.#writer.write([{ key, value: undefined }], false);
  }

  /** All or none of them, durable when it resolves, with the number of the first. */
  batch(operations: readonly Operation[]): Promise<number> {
    return this.#writer.write(operations, true);
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.#writer.sync();
  }

  /**
   * Keys and values in byte order of the keys, as they are now: what is written or merged later is
   * not seen. Close it, or read it to its end: it keeps files that it needs.
   */
  scan(options: ScanOptions = {}): Snapshot {
    this.#writer.commit.checkUsable();
    return new Snapshot(this.#keys, this.#catalog.files, this.#options.now(), options);
  }

  /**
   * Copies what counts of the sealed files into new ones and forgets the old: of all files (the one
   * that is written is sealed first), or of those that are worth it.
   */
  async merge(which: 'all' | 'worth' = 'all'): Promise<MergeReport> {
    if (which === 'all') this.#writer.seal();
    else this.#writer.commit.checkUsable();
    return this.#background.merge(which);
  }

  stat(): StoreStat {
    this.#writer.commit.checkUsable();
    const { nextSeq } = this.#writer;
    return statOf(this.#catalog, this.#keys, nextSeq, this.#background.lastFailure);
  }

  /** Waits until nothing is done in the background any more: hints made, merges ended. */
  idle(): Promise<void> {
    return this.#background.idle();
  }

  /**
   * Syncs, says so in the manifest, and lets go of files and lock. Throws if the store is poisoned,
   * having let go all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { commit } = this.#writer;
    await this.#background.stop();
    try {
      if (!commit.failure) this.#writer.finish();
    } catch (error) {
      commit.poison(error as Error);
    }
    commit.closed = true;
    try {
      this.#catalog.closeFiles();
    } finally {
      this.#lock.release();
    }
    if (commit.failure) throw commit.failure;
  }
}
