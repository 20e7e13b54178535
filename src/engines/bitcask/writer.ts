/**
 * The writing side of a store: numbers, the data file that is written, when it is synced and when
 * the next one is begun.
 */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { Disk } from '../../io/disk.ts';
import { GroupCommit } from '../group-commit.ts';
import { AppendFile } from './append-file.ts';
import type { Catalog } from './catalog.ts';
import type { DataFile } from './data-file.ts';
import { type Operation, recordBytes } from './operation.ts';
import type { ResolvedOptions } from './options.ts';
import { applyPending } from './pending.ts';

/** What waits to be written is written when it has come to so much, whoever else may join. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** A file that is nearly full is not written to any more by the next who opens the store. */
const RESUME_BELOW = 0.9;

export class Writer {
  readonly commit = new GroupCommit('store', (sync) => this.#writePending(sync));
  nextSeq: number;
  /** The highest number that is known to be durable. */
  #syncedSeq: number;
  #active: AppendFile | undefined;
  /** The next write must be synced whatever the mode. */
  #force = false;
  /** Operations since the last sync. */
  #unsynced = 0;

  constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly options: ResolvedOptions,
    readonly catalog: Catalog,
    readonly keys: KeyDirectory,
    /** All numbers below are durable. */
    nextSeq: number,
    /** There may be sealed files that nobody has looked after yet. */
    readonly tend: () => void,
  ) {
    this.nextSeq = nextSeq;
    this.#syncedSeq = nextSeq - 1;
  }

  /** Whether a data file is being written: the manifest says so. */
  get writing(): boolean {
    return this.#active !== undefined;
  }

  /** The first number that is not known to be durable: what the manifest calls next_seq. */
  get durableEnd(): number {
    return this.#syncedSeq + 1;
  }

  get hasPending(): boolean {
    return this.#active !== undefined && this.#active.pendingRecords > 0;
  }

  /** All or none of them. Resolves with the number of the first; with `force`, when durable. */
  write(operations: readonly Operation[], force: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      try {
        this.commit.checkUsable();
        const bytes = recordBytes(operations);
        if (operations.length > 0) this.#makeRoom(operations, bytes);
        const seq = this.nextSeq;
        if (operations.length > 0) this.#encode(operations);
        this.#force ||= force;
        this.commit.join(seq, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  /**
   * What does not fit is refused here, as a whole. What is pending is written first if the file is
   * full with it, or memory.
   */
  #makeRoom(operations: readonly Operation[], bytes: number): void {
    const { keys } = this;
    const { fileBytes, keysMax } = this.options;
    const count = operations.length;
    let active = this.#active;
    if (active && active.pendingRecords > 0) {
      const full =
        active.position >= fileBytes ||
        active.pendingBytes + bytes > PENDING_BYTES_MAX ||
        keys.size + active.pendingRecords + count > keysMax;
      if (full) {
        this.commit.flush(false);
        this.commit.checkUsable();
      }
    }
    const fresh = keys.size + count <= keysMax ? count : countNew(keys, operations);
    active = this.#writable();
    keys.reserve(active.pendingRecords + fresh, active.pendingBytes + bytes, keysMax);
    active.reserve(bytes);
  }

  #encode(operations: readonly Operation[]): void {
    const active = this.#active!;
    const now = this.options.now();
    const last = operations.length - 1;
    operations.forEach(({ key, value, ttl, timestamp, expires = 0 }, i) => {
      const seq = this.nextSeq++;
      const end = ttl === undefined ? expires : Math.ceil(now + ttl);
      const time = timestamp ?? now / 1000;
      active.append(seq, key, value, time, value ? end : 0, i < last, seq - this.#syncedSeq);
    });
    this.#unsynced += operations.length;
  }

  /** The file that is written; the manifest says so before its first record. */
  #writable(): AppendFile {
    if (this.#active) return this.#active;
    try {
      const old = this.#unsealed();
      if (old && old.size < this.options.fileBytes * RESUME_BELOW) {
        this.#active = AppendFile.resume(this.disk, old);
        this.catalog.commit(this.nextSeq, false);
      } else {
        if (old) old.sealed = true;
        this.#begin();
      }
      this.tend();
      return this.#active!;
    } catch (error) {
      throw this.commit.poison(error as Error);
    }
  }

  #unsealed(): DataFile | undefined {
    for (const file of this.catalog.files.values()) if (!file.sealed) return file;
    return undefined;
  }

  /** Begins a data file; what the one before holds is durable. */
  #begin(): void {
    const { disk, directory, catalog } = this;
    const number = catalog.takeNumber();
    const next = AppendFile.create(disk, directory, number, catalog.manifest.storeId);
    catalog.files.set(number, next.data);
    catalog.commit(this.nextSeq, false);
    this.#active = next;
  }

  /** Writes what is encoded, syncs as the mode asks, and shows it to readers. */
  #writePending(sync: boolean): void {
    const active = this.#active;
    const forced = this.#force;
    this.#force = false;
    if (!active || this.#unsynced === 0) return;
    const { sync: mode, batchEvery, fileBytes } = this.options;
    const { buffer, view, pendingBytes, data } = active;
    const from = data.size;
    const full = active.position >= fileBytes;
    const due = mode === 'sync' || (mode === 'batch' && this.#unsynced >= batchEvery);
    const must = sync || forced || due || full;
    active.flush(must);
    if (must) {
      this.#syncedSeq = this.nextSeq - 1;
      this.#unsynced = 0;
    }
    applyPending(this.keys, this.catalog.files, data, buffer, view, pendingBytes, from);
    if (!full) return;
    data.sealed = true;
    this.#begin();
    this.tend();
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.commit.checkUsable();
    this.commit.flush(true);
    if (this.commit.failure) throw this.commit.failure;
  }

  /** Ends the file that is written, so that it can be merged; an empty one is left as it is. */
  seal(): void {
    this.sync();
    const open = this.#unsealed();
    if (!open || open.records === 0) return;
    try {
      open.sealed = true;
      if (this.#active) this.#begin();
      else this.catalog.commit(this.nextSeq, true);
    } catch (error) {
      throw this.commit.poison(error as Error);
    }
  }

  /** Syncs, and says in the manifest how large all files are. */
  finish(): void {
    this.sync();
    const { nextFile, manifest } = this.catalog;
    // A number may have been taken for a merge that came to nothing.
    if (manifest.closed && nextFile === manifest.nextFile) return;
    this.catalog.commit(this.nextSeq, true);
  }
}

function countNew(keys: KeyDirectory, operations: readonly Operation[]): number {
  const isNew = ({ key, value }: Operation): boolean =>
    value !== undefined && keys.find(key, 0, key.length) < 0;
  return operations.filter(isNew).length;
}
