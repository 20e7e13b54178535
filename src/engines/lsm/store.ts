/**
 * The LSM store: writes go to a log and to a table in memory; full ones become sorted files, which
 * are merged into larger ones level by level. What the caller must know:
 *
 * - A write is visible, and as durable as the mode says, when its promise resolves; writes that are
 *   under way together share one write and one sync. A batch is seen, and survives, whole or not.
 * - Reads are synchronous. A snapshot or a scan sees what was there when it was made; let go of it.
 * - Where flushes or compactions lag behind, writes wait. One writer: a lock file.
 * - A failed write or sync poisons the store: close it and open it again.
 */
import { join } from 'node:path';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { WriteAheadLog } from '../wal/log.ts';
import { Background } from './background.ts';
import { Catalog, isStoreAt } from './catalog.ts';
import { type CompactionHost, type CompactionReport, compact } from './compaction.ts';
import { writeMemtable } from './flush.ts';
import { Memtable } from './memtable.ts';
import { runnerFor } from './merge-runner.ts';
import { type Operation, toLog, typeOf, valueBytesOf } from './operation.ts';
import { type LsmOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import type { Pace } from './pace.ts';
import { type Pick, pickAll, pickCompaction } from './pick.ts';
import { Reader } from './reader.ts';
import { openLog, replay } from './replay.ts';
import { Room } from './room.ts';
import type { KeyValue, Scan, ScanOptions } from './scan.ts';
import { type Snapshot, Snapshots } from './snapshots.ts';
import { emptyTotals, type LsmStat, statOf } from './stat.ts';
import type { TableFile } from './table-file.ts';

const NOW = Number.MAX_SAFE_INTEGER;

export class LsmStore {
  readonly #options: ResolvedOptions;
  readonly #lock: LockFile;
  readonly #catalog: Catalog;
  readonly #log: WriteAheadLog;
  readonly #background: Background;
  readonly #host: CompactionHost;
  readonly #reader: Reader;
  readonly #snapshots = new Snapshots();
  readonly #totals = emptyTotals();
  #memtable = new Memtable();
  /** Full ones that are not in a table yet, the oldest first. */
  #waiting: Memtable[] = [];
  #appliedSeq = 0;
  #flushing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;
  readonly #room = new Room();

  private constructor(
    readonly directory: string,
    options: ResolvedOptions,
    lock: LockFile,
    catalog: Catalog,
    log: WriteAheadLog,
  ) {
    this.#options = options;
    this.#lock = lock;
    this.#catalog = catalog;
    this.#log = log;
    this.#reader = new Reader(catalog);
    this.#host = {
      catalog,
      options,
      runner: runnerFor(catalog.disk, catalog.numbers, options),
      snapshots: () => this.#snapshots.seqs,
      poison: (error) => this.#poison(error),
    };
    this.#background = new Background(options.compactBytesPerSecond, async (pace) => {
      const pick = pickCompaction(catalog.levels, options);
      return pick && this.#done(await this.#compact(pick, pace));
    });
  }

  /**
   * Opens or creates the store in `directory`. Throws a DdiaError: `locked`, `corrupt` where
   * something that was durable cannot be read, `bad-option`, `not-found`.
   */
  static async open(disk: Disk, directory: string, options: LsmOptions = {}): Promise<LsmStore> {
    const resolved = resolveOptions(options);
    if (!isStoreAt(disk, directory) && !resolved.create) {
      throw new DdiaError('not-found', `no store at ${directory}`);
    }
    makeDurableDirectory(disk, directory);
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    let log: WriteAheadLog | undefined;
    try {
      const catalog = Catalog.open(disk, directory, resolved);
      const { sync, batchEvery, processes, storeId } = resolved;
      const logOptions = { sync, batchEvery, processes, logId: storeId };
      log = await openLog(disk, directory, logOptions);
      const store = new LsmStore(directory, resolved, lock, catalog, log);
      await store.#recover();
      return store;
    } catch (error) {
      await log?.close().catch(() => {});
      lock.release();
      throw error;
    }
  }

  async #recover(): Promise<void> {
    const { memtables, lastSeq } = await replay(this.#catalog, this.#log, this.#options);
    this.#memtable = memtables.pop()!;
    this.#waiting = memtables;
    this.#appliedSeq = lastSeq;
    if (this.#waiting.length > 0) this.#flushing ??= this.#flushWaiting();
    if (this.#options.autoCompact) this.#background.wake();
  }

  get recovered(): readonly string[] {
    return this.#log.recovered;
  }

  /** Resolves with the write's number. */
  put(key: Uint8Array, value: Uint8Array): Promise<number> {
    return this.#write([{ key, value }], false);
  }

  delete(key: Uint8Array): Promise<number> {
    return this.#write([{ op: 'delete', key }], false);
  }

  /** Takes away all keys from `from` (inclusive) to `to` (exclusive). */
  deleteRange(from: Uint8Array, to: Uint8Array): Promise<number> {
    return this.#write([{ op: 'delete-range', key: from, to }], false);
  }

  /** All or none of them, durable when it resolves, with the number of the first. */
  batch(operations: readonly Operation[]): Promise<number> {
    return this.#write(operations, true);
  }

  async #write(operations: readonly Operation[], together: boolean): Promise<number> {
    this.#checkUsable();
    while (this.#mustWait()) await this.#waitForRoom();
    const logged = operations.map(toLog);
    const [only] = logged;
    if (!only) return 0;
    const first = await (together ? this.#log.batch(logged) : this.#log.append(only));
    this.#apply(operations, first);
    return first;
  }

  /** In the order of their numbers: the log resolves what it has in the order that it came in. */
  #apply(operations: readonly Operation[], first: number): void {
    let seq = first;
    for (const operation of operations) {
      const value = valueBytesOf(operation);
      this.#memtable.add(typeOf(operation), seq++, operation.key, value);
      this.#totals.userBytes += operation.key.length + value.length;
    }
    this.#appliedSeq = seq - 1;
    if (this.#memtable.bytes >= this.#options.memtableBytes) this.#freeze();
  }

  #freeze(): void {
    if (this.#memtable.empty) return;
    const { bytes } = this.#memtable;
    this.#waiting.push(this.#memtable);
    // The next one will be as large: it need not grow there step by step.
    this.#memtable = new Memtable(bytes >= this.#options.memtableBytes ? bytes : undefined);
    try {
      this.#log.rotate();
    } catch (error) {
      throw this.#poison(error as Error);
    }
    this.#flushing ??= this.#flushWaiting();
  }

  /**
   * The log is let go only when its table is durable, and in the manifest. From the last look at
   * what waits until `#flushing` is unset nothing else may run: what it adds would wait forever.
   */
  async #flushWaiting(): Promise<void> {
    const pace = this.#background.pace(0);
    try {
      for (let memtable = this.#waiting[0]; memtable; memtable = this.#waiting[0]) {
        const add = await writeMemtable(this.#host, memtable, pace);
        this.#catalog.commit({ add, flushedSeq: memtable.seqLast });
        this.#waiting.shift();
        this.#totals.flushes++;
        for (const { bytes } of add) this.#totals.flushBytes += bytes;
        this.#log.truncate(Math.min(memtable.seqLast, this.#log.currentSeq));
        this.#room.give();
        if (this.#options.autoCompact) this.#background.wake();
      }
    } catch (error) {
      if (!this.#closed) this.#poison(error as Error);
    } finally {
      this.#flushing = undefined;
      this.#room.give();
    }
  }

  #done(report: CompactionReport): CompactionReport {
    this.#totals.compactions++;
    this.#totals.compactionReadBytes += report.bytesRead;
    this.#totals.compactionBytes += report.bytesWritten;
    this.#room.give();
    return report;
  }

  #mustWait(): boolean {
    const { memtablesMax, levelZeroStop, autoCompact } = this.#options;
    if (this.#waiting.length >= memtablesMax) return true;
    if (!autoCompact || this.#catalog.levels[0]!.length < levelZeroStop) return false;
    return pickCompaction(this.#catalog.levels, this.#options) !== undefined;
  }

  async #waitForRoom(): Promise<void> {
    this.#background.wake();
    await this.#room.wait(this.#totals);
    this.#checkUsable();
    if (this.#background.lastFailure !== undefined) {
      throw new DdiaError('stalled', `compaction failed: ${this.#background.lastFailure}`);
    }
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt`. */
  get(key: Uint8Array): Buffer | null {
    return this.#get(key, NOW);
  }

  #get(key: Uint8Array, seq: number): Buffer | null {
    this.#checkUsable();
    this.#totals.gets++;
    return this.#reader.get(this.#memtables, key, seq);
  }

  /**
   * Keys and values in byte order of the keys, as they are now. Read it to its end, or close it.
   */
  scan(options: ScanOptions = {}): Scan {
    return this.#scan(options, this.#appliedSeq);
  }

  #scan(options: ScanOptions, seq: number): Scan {
    this.#checkUsable();
    return this.#reader.scan(this.#memtables, options, seq);
  }

  /** The newest first. */
  get #memtables(): Memtable[] {
    return this.#waiting.length === 0
      ? [this.#memtable]
      : [this.#memtable, ...this.#waiting.toReversed()];
  }

  snapshot(): Snapshot {
    this.#checkUsable();
    const seq = this.#appliedSeq;
    const release = this.#snapshots.take(seq);
    return {
      seq,
      get: (key) => this.#get(key, seq),
      scan: (options = {}) => this.#scan(options, seq),
      close: release,
    };
  }

  /** Writes what is in memory to a table. */
  async flush(): Promise<void> {
    this.#checkUsable();
    this.#log.sync();
    this.#freeze();
    await this.#flushing;
    this.#checkUsable();
  }

  /**
   * Merges all there is: what was deleted and what was replaced is gone then, but for snapshots.
   */
  async compact(): Promise<CompactionReport | undefined> {
    await this.flush();
    return this.#background.queue(async () => {
      const pick = pickAll(this.#catalog.levels, this.#options);
      return pick && this.#done(await this.#compact(pick, this.#background.pace(0)));
    });
  }

  /** Who waits for room is told when it fails. */
  async #compact(pick: Pick<TableFile>, pace: Pace): Promise<CompactionReport> {
    try {
      const report = await compact(this.#host, pick, pace);
      this.#background.lastFailure = undefined;
      return report;
    } catch (error) {
      if (!this.#closed) this.#background.lastFailure = (error as Error).message;
      this.#room.give();
      throw error;
    }
  }

  stat(): LsmStat {
    this.#checkUsable();
    const memory = [this.#memtable, ...this.#waiting];
    this.#totals.logBytes = this.#log.status.bytesWritten;
    return statOf(this.#catalog, memory, this.#totals, this.#log.status.nextSeq, this.#background);
  }

  /** Makes all that was written durable. */
  sync(): void {
    this.#checkUsable();
    this.#log.sync();
  }

  /** Waits until nothing is done in the background any more. */
  async idle(): Promise<void> {
    await this.#flushing;
    await this.#background.idle();
  }

  #poison(error: Error): Error {
    this.#failure ??= error;
    this.#room.give();
    return this.#failure;
  }

  #checkUsable(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new DdiaError('closed', 'the store is closed');
  }

  /** Syncs the log and lets go of files and lock; what is in memory stays in the log. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#room.give();
    try {
      await this.#background.stop();
      await this.#flushing;
      await this.#host.runner.close();
      await this.#log.close();
    } finally {
      this.#catalog.close();
      this.#lock.release();
    }
    if (this.#failure) throw this.#failure;
  }
}

export type { KeyValue, Operation, ScanOptions };
