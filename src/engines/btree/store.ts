/**
 * The B+tree store: one file of pages that are copied when they change (formats/btree/v2). What the
 * caller must know:
 *
 * - A put, delete or batch is visible, and as durable as the mode says, when its promise resolves;
 *   until then key and value must not be changed. Writes that are under way together are one
 *   transaction with one pair of syncs.
 * - In every mode a crash leaves the store as it was after some write, batches whole.
 * - A failed write or sync poisons the store: close it and open it again.
 * - One writer: a lock file with the process id. Snapshots see the store as it was while writes go
 *   on; readers in other processes (reader.ts) need no lock.
 */
import { join } from 'node:path';
import { checkLengths, type Entry } from '../../formats/btree/v2/build.ts';
import { FILE_NAME, META_PAGES } from '../../formats/btree/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import { GroupCommit } from '../group-commit.ts';
import type { Operation, Pending } from './operation.ts';
import {
  type BtreeOptions,
  type ResolvedOptions,
  resolveOptions,
  type VacuumOptions,
} from './options.ts';
import type { Pager } from './pager.ts';
import { earliestPin } from './pins.ts';
import { type KeyValue, type ScanOptions, Snapshot } from './snapshot.ts';
import { type BtreeStat, statOf } from './stat.ts';
import { Tree } from './tree.ts';
import {
  createFile,
  entriesOf,
  fill,
  fillInTurns,
  type NewParameters,
  NewTree,
  openFile,
  removeLeftovers,
  startOver,
} from './tree-file.ts';

export type { Operation };

export class BtreeStore {
  readonly #options: ResolvedOptions;
  readonly #disk: Disk;
  readonly #lock: LockFile;
  readonly #commit = new GroupCommit('store', (sync) => this.#writePending(sync));
  readonly #snapshots = new Set<{ pager: Pager; before: number }>();
  #pager: Pager;
  #tree: Tree;
  #pending: Pending[] = [];
  #unsynced = 0;
  /** What opening had to mend, in words. */
  readonly recovered: string[];

  private constructor(
    disk: Disk,
    readonly directory: string,
    options: ResolvedOptions,
    lock: LockFile,
  ) {
    this.#disk = disk;
    this.#options = options;
    this.#lock = lock;
    this.recovered = [];
    if (!disk.stat(join(directory, FILE_NAME))) createFile(disk, directory, options);
    // A process that died may have given it its name and not made that durable.
    else disk.syncDirectory(directory);
    removeLeftovers(disk, directory);
    this.#pager = openFile(disk, directory, options, this.recovered);
    try {
      this.#tree = new Tree(this.#pager);
      this.#release();
    } catch (error) {
      this.#pager.letGo();
      throw error;
    }
  }

  /**
   * Opens or creates the store in `directory`. Throws a DdiaError: `locked`, `corrupt` where
   * something that was synced cannot be read, `bad-option`, `not-found`.
   */
  static open(disk: Disk, directory: string, options: BtreeOptions = {}): BtreeStore {
    const resolved = resolveOptions(options);
    if (!disk.stat(join(directory, FILE_NAME)) && !resolved.create) {
      throw new DdiaError('not-found', `no store at ${directory}`);
    }
    makeDurableDirectory(disk, directory);
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    try {
      return new BtreeStore(disk, directory, resolved, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt` if a page is. */
  get(key: Uint8Array): Buffer | null {
    this.#commit.checkUsable();
    return this.#tree.get(key);
  }

  /** Number of keys. */
  get size(): number {
    return this.#tree.keys;
  }

  /** Resolves with true if the key was new. */
  put(key: Uint8Array, value: Uint8Array): Promise<boolean> {
    return this.#write([{ key, value }]).then((changed) => changed > 0);
  }

  /** Resolves with true if the key was there. */
  delete(key: Uint8Array): Promise<boolean> {
    return this.#write([{ key, value: undefined }]).then((changed) => changed > 0);
  }

  /** All or none of them. Resolves with how many keys came or went. */
  batch(operations: readonly Operation[]): Promise<number> {
    return this.#write(operations);
  }

  /** Throws `too-long` for what no page of the store has room for. */
  checkFits({ key, value }: Operation): void {
    if (value) checkLengths(this.#pager.pageSize, key.length, value.length);
  }

  #write(operations: readonly Operation[]): Promise<number> {
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
    const { sync: mode, batchEvery, dirtyBytes } = this.#options;
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length > 0) this.#begin();
    const tree = this.#tree;
    for (const one of pending) {
      for (const { key, value } of one.operations) {
        if (value === undefined ? tree.delete(key) : tree.put(key, value)) one.changed++;
        this.#unsynced++;
      }
    }
    const due =
      mode === 'sync' ||
      (mode === 'batch' && this.#unsynced >= batchEvery) ||
      this.#pager.dirtyBytes > dirtyBytes;
    if ((sync || due) && this.#unsynced > 0) this.#checkpoint(false);
  }

  /** Before the first change the file says that somebody is writing to it. */
  #begin(): void {
    const pager = this.#pager;
    if (!pager.meta.closed) return;
    pager.commit(this.#tree, false);
    this.#release();
  }

  #checkpoint(closed: boolean): void {
    this.#pager.commit(this.#tree, closed);
    this.#unsynced = 0;
    this.#release();
  }

  /** Pages that neither meta page nor any reader needs are free for the next transaction. */
  #release(): void {
    const pager = this.#pager;
    let limit = Math.min(
      pager.building - 2,
      earliestPin(this.#disk, this.directory, this.#options.processes),
    );
    for (const one of this.#snapshots) {
      if (one.pager === pager) limit = Math.min(limit, one.before);
    }
    pager.free.release(limit);
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.#commit.checkUsable();
    this.#commit.flush(true);
    if (this.#commit.failure) throw this.#commit.failure;
  }

  /** The store as it is now, whatever is written later. Close it: it keeps pages. */
  snapshot(): Snapshot {
    this.#commit.checkUsable();
    const pager = this.#pager;
    pager.freeze();
    const pin = { pager, before: pager.building - 1 };
    this.#snapshots.add(pin);
    const { root, height, keys } = this.#tree;
    return new Snapshot(pager, root, height, keys, () => this.#snapshots.delete(pin));
  }

  /**
   * Keys and values from `from` to below `to`, in either direction, as they are when the first is
   * asked for.
   */
  *scan(options: ScanOptions = {}): Generator<KeyValue> {
    const snapshot = this.snapshot();
    try {
      yield* snapshot.scan(options);
    } finally {
      snapshot.close();
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
   * Fills an empty store with entries in key order, pages full, front to back. All of them or none;
   * durable when it returns.
   */
  load(entries: Iterable<Entry>): void {
    const tree = this.loader();
    fill(tree, entries);
    this.finishLoad(tree);
  }

  /**
   * For an empty store: takes entries in key order. Nothing else may be written until it is done.
   */
  loader(): NewTree {
    this.sync();
    if (this.size > 0) {
      throw new DdiaError('not-empty', `${this.directory} has keys: only an empty store is loaded`);
    }
    return this.#newTree();
  }

  #newTree(): NewTree {
    try {
      return new NewTree(this.#disk, this.directory, this.#nextFile());
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  #nextFile(): NewParameters {
    const { pageSize, building } = this.#pager;
    const { storeId, processes } = this.#options;
    return { pageSize, storeId: storeId(), txn: building + 1, pid: processes.self.pid };
  }

  /** Puts what was loaded in the place of the tree, durably. */
  finishLoad(tree: NewTree): void {
    try {
      this.sync();
      if (this.size > 0) {
        const what = `${this.directory} was written to while it was loaded`;
        throw new DdiaError('not-empty', `${what}: nothing is loaded`);
      }
    } catch (error) {
      tree.abort();
      throw error;
    }
    this.#replace(tree);
  }

  #replace(tree: NewTree): void {
    try {
      tree.finish();
      const old = this.#pager;
      this.#pager = openFile(this.#disk, this.directory, this.#options, this.recovered);
      this.#tree = new Tree(this.#pager);
      old.letGo();
    } catch (error) {
      tree.abort();
      throw this.#commit.poison(error as Error);
    }
  }

  /**
   * Writes the file anew without free pages, each page full. Snapshots keep the old one. Rejects
   * with `busy` where it was written to meanwhile.
   */
  async vacuum({ waiting }: VacuumOptions = {}): Promise<{ before: number; after: number }> {
    this.sync();
    const before = this.#pager.high * this.#pager.pageSize;
    const { txn } = this.#pager.meta;
    const snapshot = this.snapshot();
    try {
      const tree = this.#newTree();
      await fillInTurns(tree, entriesOf(snapshot), waiting, () => {
        this.sync();
        if (this.#pager.meta.txn !== txn) {
          throw new DdiaError('busy', `${this.directory} was written to while it was vacuumed`);
        }
        this.#replace(tree);
      });
    } finally {
      snapshot.close();
    }
    return { before, after: this.#pager.high * this.#pager.pageSize };
  }

  stat(): BtreeStat {
    this.#commit.checkUsable();
    return statOf(this.#pager, this.#tree, this.#snapshots.size);
  }

  /**
   * Commits, says in the file that nobody writes to it any more, and lets go of file and lock.
   * Throws if the store is poisoned, having let go all the same.
   */
  close(): void {
    const commit = this.#commit;
    if (commit.closed) return;
    try {
      if (!commit.failure) commit.flush(true);
      const isOver = !commit.failure && this.size === 0 && this.#pager.high > META_PAGES;
      const anew = isOver && startOver(this.#disk, this.directory, this.#nextFile());
      if (!commit.failure && !anew && !this.#pager.meta.closed) {
        this.#pager.commit(this.#tree, true);
      }
    } catch (error) {
      commit.poison(error as Error);
    } finally {
      commit.closed = true;
      this.#pager.letGo();
      this.#lock.release();
    }
    if (commit.failure) throw commit.failure;
  }
}
