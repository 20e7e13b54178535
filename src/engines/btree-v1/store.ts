/**
 * The textbook B+tree as a store: btree.db, changed in its place, and btree.wal, which makes that
 * safe (formats/btree/v1). What the caller must know:
 *
 * - A put, delete or batch is visible, and as durable as the mode says, when its promise resolves;
 *   until then key and value must not be changed. Writes that are under way together are one
 *   operation in the log, with one sync.
 * - In every mode a crash leaves the store as it was after some write, batches whole.
 * - A failed write or sync poisons the store: close it and open it again.
 * - One writer: a lock file with the process id. Who reads the files meanwhile sees the log in
 *   place of the pages, but no snapshot: that is what v2 is for.
 */
import { join } from 'node:path';
import type { LoadShape } from '../../formats/btree/v1/bulk-load.ts';
import { FILE_NAME } from '../../formats/btree/v1/layout.ts';
import { checkLengths } from '../../formats/btree/v1/limits.ts';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Turns } from '../../shared/turns.ts';
import type { VacuumOptions } from '../btree/options.ts';
import type { KeyValue, ScanOptions } from '../btree/snapshot.ts';
import type { Operation } from '../btree/store.ts';
import { GroupCommit } from '../group-commit.ts';
import { type ResolvedV1Options, resolveV1Options, type V1Options } from './options.ts';
import type { Pager } from './pager.ts';
import { scanTree } from './scan.ts';
import { Tree } from './tree.ts';
import {
  checkWhole,
  createFile,
  Loader,
  openChecked,
  openFile,
  removeLeftovers,
} from './tree-file.ts';

/** Entries between two looks at the clock. */
const ENTRIES_A_LOOK = 256;

export interface V1Stat {
  keys: number;
  height: number;
  pageSize: number;
  /** Of the file, metadata and free ones included. */
  pages: number;
  bytes: number;
  cachedPages: number;
  pagesRead: number;
  pagesWritten: number;
  syncs: number;
}

/** A write that is under way, and how many keys came or went. */
interface Pending {
  operations: readonly Operation[];
  changed: number;
}

export class V1Store {
  readonly #commit = new GroupCommit('store', (sync) => this.#writePending(sync));
  #tree: Tree;
  #pending: Pending[] = [];
  #uncommitted = 0;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly options: ResolvedV1Options,
    readonly lock: LockFile,
    pager: Pager,
    /** What opening had to mend, in words. */
    readonly recovered: readonly string[],
  ) {
    this.#tree = new Tree(pager);
  }

  /**
   * Opens or creates the store in `directory`. Rejects with a DdiaError: `locked`, `corrupt` where
   * the tree or its log cannot be relied on, `bad-option`, `not-found`.
   */
  static async open(disk: Disk, directory: string, options: V1Options = {}): Promise<V1Store> {
    const resolved = resolveV1Options(options);
    const path = join(directory, FILE_NAME);
    if (!disk.stat(path) && !resolved.create) {
      throw new DdiaError('not-found', `no store at ${directory}`);
    }
    makeDurableDirectory(disk, directory);
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    try {
      const recovered: string[] = [];
      removeLeftovers(disk, directory);
      if (!disk.stat(path)) createFile(disk, directory, resolved.pageSize);
      const pager = await openFile(disk, directory, resolved, recovered);
      return new V1Store(disk, directory, resolved, lock, pager, recovered);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get #pager(): Pager {
    return this.#tree.pager;
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt` if a page is. */
  get(key: Uint8Array): Buffer | null {
    this.#commit.checkUsable();
    this.#pager.trim();
    return this.#tree.get(key);
  }

  /** Number of keys, by the metadata. */
  get size(): number {
    return this.#pager.meta.totalKeys;
  }

  /** Resolves with true if the key was new. */
  put(key: Uint8Array, value: Uint8Array): Promise<boolean> {
    return this.batch([{ key, value }]).then((changed) => changed > 0);
  }

  /** Resolves with true if the key was there. */
  delete(key: Uint8Array): Promise<boolean> {
    return this.batch([{ key, value: undefined }]).then((changed) => changed > 0);
  }

  /** Throws `too-long` for what no page of the store has room for. */
  checkFits({ key, value }: Operation): void {
    if (value) checkLengths(this.#pager.pageSize, key.length, value.length);
  }

  /** All or none of them. Resolves with how many keys came or went. */
  batch(operations: readonly Operation[]): Promise<number> {
    return new Promise((resolve, reject) => {
      try {
        this.#commit.checkUsable();
        for (const one of operations) this.checkFits(one);
        const pending = { operations, changed: 0 };
        this.#pending.push(pending);
        this.#commit.join(0, () => resolve(pending.changed), reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  /** Puts what is waiting into the tree, and commits it as the mode asks. */
  #writePending(sync: boolean): void {
    const { sync: mode, batchEvery } = this.options;
    const pending = this.#pending;
    this.#pending = [];
    const tree = this.#tree;
    const { pager } = tree;
    for (const one of pending) {
      for (const { key, value } of one.operations) {
        pager.trim();
        if (value === undefined ? tree.delete(key) : tree.put(key, value)) one.changed++;
        this.#uncommitted++;
      }
    }
    const due = mode === 'sync' || (mode === 'batch' && this.#uncommitted >= batchEvery);
    // Held pages cannot be given up: half of the cache has to be enough for them.
    const full = pager.heldPages * 2 > pager.framesMax;
    if ((sync || due || full) && this.#uncommitted > 0) {
      pager.commit();
      this.#uncommitted = 0;
    }
    if (full || pager.log.size > this.options.logBytes) pager.checkpoint();
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.#commit.checkUsable();
    this.#commit.flush(true);
    if (this.#commit.failure) throw this.#commit.failure;
  }

  /** Makes it durable in its own place, and the log empty. */
  checkpoint(): void {
    this.sync();
    try {
      this.#pager.checkpoint();
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  /**
   * Keys and values from `from` to below `to`, in either direction. What is written meanwhile may
   * be among them or not.
   */
  *scan(options: ScanOptions = {}): Generator<KeyValue> {
    for (const row of scanTree(() => this.#pager, options)) {
      yield row;
      this.#commit.checkUsable();
    }
  }

  /** Number of keys in a range. */
  count(options: Pick<ScanOptions, 'from' | 'to'> = {}): number {
    if (!options.from && !options.to) return this.size;
    let count = 0;
    for (const _ of this.scan(options)) count++;
    return count;
  }

  /**
   * For an empty store: takes entries in key order. Nothing else may be written until it is done.
   */
  loader(shape: LoadShape = {}): Loader {
    this.checkpoint();
    if (this.size > 0) {
      throw new DdiaError('not-empty', `${this.directory} has keys: only an empty store is loaded`);
    }
    return new Loader(this.disk, this.directory, this.#pager.pageSize, shape);
  }

  /** Puts what was loaded in the place of the tree, durably. */
  finishLoad(loader: Loader): void {
    try {
      this.checkpoint();
      if (this.size > 0) {
        const what = `${this.directory} was written to while it was loaded`;
        throw new DdiaError('not-empty', `${what}: nothing is loaded`);
      }
    } catch (error) {
      loader.abort();
      throw error;
    }
    this.#replace(loader);
  }

  #replace(loader: Loader): void {
    const { disk, directory, options } = this;
    const old = this.#pager;
    try {
      const meta = loader.finish();
      const pager = openChecked(disk, directory, old.pageSize, meta, options.cacheBytes);
      this.#tree = new Tree(pager);
      old.close(true);
    } catch (error) {
      loader.abort();
      // Of entries that cannot be loaded nothing has happened yet.
      if (error instanceof DdiaError && error.code === 'too-long') throw error;
      throw this.#commit.poison(error as Error);
    }
  }

  /**
   * Writes the file anew without free pages, each page full: it shrinks to what it holds. Rejects
   * with `corrupt` where it is not whole, with `busy` where it was written to meanwhile.
   */
  async vacuum({
    shape = {},
    waiting,
  }: VacuumOptions & { shape?: LoadShape } = {}): Promise<{ before: number; after: number }> {
    this.checkpoint();
    await checkWhole(this.disk, this.directory, this.#pager.pageSize);
    // What was written meanwhile is to be in the new file.
    this.checkpoint();
    const { bytes: before, pagesWritten } = this.stat();
    const turns = waiting && new Turns(waiting);
    let count = 0;
    const loader = new Loader(this.disk, this.directory, this.#pager.pageSize, shape);
    try {
      for (const { key, value } of this.scan()) {
        const ends = { keyEnd: key.length, valueEnd: value.length };
        loader.add({ bytes: key, keyStart: 0, valueBytes: value, valueStart: 0, ...ends });
        if (turns && ++count % ENTRIES_A_LOOK === 0 && turns.due) await turns.take();
      }
      this.checkpoint();
      if (this.stat().pagesWritten !== pagesWritten) {
        throw new DdiaError('busy', `${this.directory} was written to while it was vacuumed`);
      }
    } catch (error) {
      loader.abort();
      throw error;
    }
    this.#replace(loader);
    return { before, after: this.stat().bytes };
  }

  stat(): V1Stat {
    this.#commit.checkUsable();
    const { meta, pageSize, cachedPages, pagesRead, pagesWritten, syncs } = this.#pager;
    const { totalKeys, height, nextFree } = meta;
    const pages = { pageSize, pages: nextFree, bytes: nextFree * pageSize };
    return { keys: totalKeys, height, ...pages, cachedPages, pagesRead, pagesWritten, syncs };
  }

  /**
   * Commits, applies the log and removes it, and lets go of file and lock. Throws if the store is
   * poisoned, having let go all the same.
   */
  close(): void {
    const commit = this.#commit;
    if (commit.closed) return;
    try {
      if (!commit.failure) commit.flush(true);
      if (!commit.failure) this.#pager.checkpoint();
    } catch (error) {
      commit.poison(error as Error);
    } finally {
      commit.closed = true;
      try {
        this.#pager.close(commit.failure === undefined);
      } finally {
        this.lock.release();
      }
    }
    if (commit.failure) throw commit.failure;
  }
}
