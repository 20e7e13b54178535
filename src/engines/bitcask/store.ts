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
import { GroupCommit } from '../group-commit.ts';
import { AppendFile } from './append-file.ts';
import { Background } from './background.ts';
import { Catalog } from './catalog.ts';
import { type HintReader, inThisThread, inThreads, THREADS_FROM_BYTES } from './hint-reader.ts';
import { loadFiles, settle } from './load.ts';
import { type MergeReport, Merger } from './merge.ts';
import { checkOperation, type Operation } from './operation.ts';
import { type BitcaskOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { PageCache } from './page-cache.ts';
import { applyPending } from './pending.ts';
import { RecordReader } from './record-reader.ts';
import { recoverFile } from './recover.ts';
import { type ScanOptions, Snapshot } from './snapshot.ts';
import { type StoreStat, statOf } from './stat.ts';

/** Numbers left out after a crash: more than a file of 4 GiB can have held unsynced. */
const SEQS_AFTER_CRASH = 2 ** 27;
/** A file that is nearly full is not written to any more by the next who opens the store. */
const RESUME_BELOW = 0.9;

export interface PutOptions {
  /** Milliseconds after which the key counts as deleted. */
  ttl?: number | undefined;
  /** Seconds since the epoch; now unless told. */
  timestamp?: number | undefined;
}

export class BitcaskStore {
  readonly #options: ResolvedOptions;
  readonly #disk: Disk;
  readonly #lock: LockFile;
  readonly #catalog: Catalog;
  readonly #keys = new KeyDirectory(randomBytes(4).readUInt32LE());
  readonly #commit = new GroupCommit('store', (sync) => this.#writePending(sync));
  readonly #records: RecordReader;
  readonly #background: Background;
  #active: AppendFile | undefined;
  #nextSeq = 1;
  #syncedSeq = 0;
  /** The next write must be synced whatever the mode. */
  #force = false;
  #unsynced = 0;
  /** What opening had to mend, in words. */
  readonly recovered: string[] = [];

  private constructor(
    disk: Disk,
    readonly directory: string,
    options: ResolvedOptions,
    lock: LockFile,
    catalog: Catalog,
  ) {
    this.#disk = disk;
    this.#options = options;
    this.#lock = lock;
    this.#catalog = catalog;
    this.#records = new RecordReader(
      this.#keys,
      catalog.files,
      options.now,
      new PageCache(options.cacheBytes),
    );
    this.#background = new Background(options, {
      seal: (file, pace) => this.#merger.hint(file, pace),
      merge: (files, pace) => this.#merger.run(files, pace),
      files: () => catalog.files.values(),
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
    if (disk.stat(directory)?.kind !== 'directory') {
      if (!resolved.create) throw new DdiaError('not-found', `no store at ${directory}`);
      makeDurableDirectory(disk, directory);
    }
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    try {
      const catalog = Catalog.open(disk, directory, resolved);
      const store = new BitcaskStore(disk, directory, resolved, lock, catalog);
      await store.#load();
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const { files, manifest } = this.#catalog;
    this.#nextSeq = manifest.nextSeq;
    if (!manifest.closed) {
      for (const file of files.values()) {
        if (file.sealed) continue;
        await recoverFile(this.#disk, file, manifest.nextSeq, this.recovered);
        this.#nextSeq = Math.max(this.#nextSeq, file.seqLast + 1) + SEQS_AFTER_CRASH;
      }
      this.#catalog.commit(this.#nextSeq, true);
    }
    const hints = this.#hintReader();
    try {
      await loadFiles(this.#disk, [...files.values()], this.#keys, this.recovered, hints);
    } finally {
      hints.close();
    }
    settle(this.#keys, files);
    // All that was read is durable: closed stores are synced, others were written anew.
    this.#syncedSeq = this.#nextSeq - 1;
  }

  #hintReader(): HintReader {
    const { hintWorker, hintThreads } = this.#options;
    const bytes = [...this.#catalog.files.values()].reduce((sum, { hintCrc, path }) => {
      return sum + (hintCrc === 0 ? 0 : (this.#disk.stat(path)?.size ?? 0));
    }, 0);
    const many = hintThreads > 0 && bytes >= THREADS_FROM_BYTES;
    return hintWorker !== '' && many
      ? inThreads(this.#disk, hintWorker, hintThreads)
      : inThisThread(this.#disk);
  }

  get #merger(): Merger {
    return new Merger({
      disk: this.#disk,
      directory: this.directory,
      keys: this.#keys,
      catalog: this.#catalog,
      options: this.#options,
      settled: () => this.sync(),
      nextSeq: () => (this.#active ? this.#syncedSeq + 1 : this.#nextSeq),
      closed: () => this.#active === undefined,
      poison: (error) => this.#commit.poison(error),
    });
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt` if its record is. */
  get(key: Uint8Array): Buffer | null {
    this.#commit.checkUsable();
    return this.#records.get(key);
  }

  /** Number of keys, those that have expired and not been merged away included. */
  get size(): number {
    return this.#keys.size;
  }

  /** Resolves with the write's number. */
  put(key: Uint8Array, value: Uint8Array, options: PutOptions = {}): Promise<number> {
    return this.#write([{ key, value, ...options }], false);
  }

  /** Resolves with the write's number, or with 0 if there was nothing to delete. */
  delete(key: Uint8Array): Promise<number> {
    // A put that is under way may be of this key.
    const pending = this.#active !== undefined && this.#active.pendingBytes > 0;
    const absent = !pending && this.#keys.find(key, 0, key.length) < 0;
    if (absent && this.#commit.usable) return Promise.resolve(0);
    return this.#write([{ key, value: undefined }], false);
  }

  /** All or none of them, durable when it resolves, with the number of the first. */
  batch(operations: readonly Operation[]): Promise<number> {
    return this.#write(operations, true);
  }

  #write(operations: readonly Operation[], force: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      try {
        this.#commit.checkUsable();
        for (const operation of operations) checkOperation(operation);
        const seq = this.#nextSeq;
        this.#encode(operations);
        this.#force ||= force;
        this.#commit.join(seq, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #encode(operations: readonly Operation[]): void {
    if (operations.length === 0) return;
    const active = this.#writable();
    const now = this.#options.now();
    const last = operations.length - 1;
    operations.forEach(({ key, value, ttl, timestamp, ...more }, i) => {
      const seq = this.#nextSeq++;
      const expires = ttl === undefined ? (more.expires ?? 0) : Math.ceil(now + ttl);
      const time = timestamp ?? now / 1000;
      active.append(seq, key, value, time, expires, i < last, seq - this.#syncedSeq);
    });
    this.#unsynced += operations.length;
  }

  /** The file that is written; the manifest says so before its first record. */
  #writable(): AppendFile {
    if (this.#active) return this.#active;
    try {
      const old = [...this.#catalog.files.values()].find(({ sealed }) => !sealed);
      if (old && old.size < this.#options.fileBytes * RESUME_BELOW) {
        this.#active = AppendFile.resume(this.#disk, old);
        this.#catalog.commit(this.#nextSeq, false);
      } else {
        if (old) old.sealed = true;
        this.#begin();
        if (old) this.#background.sealed(old);
      }
      return this.#active!;
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  /** Begins a data file; what the one before holds is durable. */
  #begin(): void {
    const { storeId } = this.#catalog.manifest;
    const number = this.#catalog.takeNumber();
    const next = AppendFile.create(this.#disk, this.directory, number, storeId);
    this.#catalog.files.set(number, next.data);
    this.#catalog.commit(this.#nextSeq, false);
    this.#active = next;
  }

  /** Writes what is encoded, syncs as the mode asks, and shows it to readers. */
  #writePending(sync: boolean): void {
    const active = this.#active;
    if (!active) return;
    const { sync: mode, batchEvery, fileBytes } = this.#options;
    const due = mode === 'sync' || (mode === 'batch' && this.#unsynced >= batchEvery);
    const must = sync || this.#force || due;
    const { buffer, view, pendingBytes } = active;
    const from = active.data.size;
    active.flush(must);
    this.#force = false;
    if (must) this.#markSynced();
    applyPending(this.#keys, this.#catalog.files, active.data, buffer, view, pendingBytes, from);
    if (active.data.size >= fileBytes) this.#rotate(active);
  }

  #rotate(active: AppendFile): void {
    active.flush(true);
    this.#markSynced();
    active.data.sealed = true;
    this.#begin();
    this.#background.sealed(active.data);
  }

  #markSynced(): void {
    this.#syncedSeq = this.#nextSeq - 1;
    this.#unsynced = 0;
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.#commit.checkUsable();
    this.#commit.flush(true);
    if (this.#commit.failure) throw this.#commit.failure;
  }

  /**
   * Keys and values in byte order of the keys, as they are now: what is written or merged later is
   * not seen. Close it, or read it to its end: it keeps files that it needs.
   */
  scan(options: ScanOptions = {}): Snapshot {
    this.#commit.checkUsable();
    return new Snapshot(this.#keys, this.#catalog.files, this.#options.now(), options);
  }

  /**
   * Copies what counts of the sealed files into new ones and forgets the old: of all files (the one
   * that is written is sealed first), or of those that are worth it.
   */
  async merge(which: 'all' | 'worth' = 'all'): Promise<MergeReport> {
    this.#commit.checkUsable();
    this.sync();
    if (which === 'all') this.#seal();
    return this.#background.merge(which);
  }

  /** Ends the file that is written, so that it can be merged; an empty one is left as it is. */
  #seal(): void {
    const open = [...this.#catalog.files.values()].find(({ sealed }) => !sealed);
    if (!open || open.records === 0) return;
    try {
      open.sealed = true;
      if (this.#active) this.#begin();
      else this.#catalog.commit(this.#nextSeq, true);
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  stat(): StoreStat {
    this.#commit.checkUsable();
    return statOf(this.#catalog, this.#keys, this.#nextSeq, this.#background.lastFailure);
  }

  /** Waits until nothing is done in the background any more: hints made, merges ended. */
  idle(): Promise<void> {
    return this.#background.idle();
  }

  /**
   * Syncs, says so in the manifest, and lets go of files and lock. Throws if the store is poisoned,
   * having let go all the same.
   */
  async close(): Promise<void> {
    const commit = this.#commit;
    if (commit.closed) return;
    try {
      await this.#background.stop();
      if (!commit.failure) commit.flush(true);
      if (!commit.failure && !this.#catalog.manifest.closed) {
        this.#catalog.commit(this.#nextSeq, true);
      }
    } catch (error) {
      commit.poison(error as Error);
    } finally {
      commit.closed = true;
      this.#catalog.closeFiles();
      this.#lock.release();
    }
    if (commit.failure) throw commit.failure;
  }
}
