/**
 * The LSM store: writes go to a log and to a table in memory; full ones become sorted files, which
 * are merged into larger ones level by level. What the caller must know:
 *
 * - A write is visible, and as durable as the mode says, when its promise resolves; writes that are
 *   under way together share one write and one sync. A batch is seen, and survives, whole or not.
 * - Reads are synchronous. A snapshot or a scan sees what was there when it was made; let go of it.
 * - Where flushes or compactions lag behind, writes wait.
 * - A failed write or sync poisons the store: close it and open it again.
 * - One writer: a lock file with the process id.
 */
import { join } from 'node:path';
import { isDeletion } from '../../formats/sstable/entry-block.ts';
import { hashKey } from '../../formats/sstable/v2/hash.ts';
import { PointSearch } from '../../formats/sstable/v2/point.ts';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import { WriteAheadLog } from '../wal/log.ts';
import { Background } from './background.ts';
import { Catalog, LOG_DIRECTORY } from './catalog.ts';
import {
  type CompactionHost,
  type CompactionReport,
  compact,
  type Pace,
  writeMemtable,
} from './compaction.ts';
import type { Cursor } from './cursor.ts';
import { Memtable, MemtableCursor } from './memtable.ts';
import { fromLog, type Operation, toLog, typeOf, valueBytesOf } from './operation.ts';
import { type LsmOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { levelBytes, type Pick, pickCompaction } from './pick.ts';
import type { RangeDeletion } from './range-deletions.ts';
import { type KeyValue, Scan, type ScanOptions } from './scan.ts';
import { Snapshots } from './snapshots.ts';
import { emptyTotals, type LsmStat, statOf } from './stat.ts';
import { firstReaching, LevelCursor, TableFileCursor } from './table-cursor.ts';
import type { TableFile } from './table-file.ts';

const NOW = Number.MAX_SAFE_INTEGER;

/** The store as it was at one moment. */
export interface Snapshot {
  readonly seq: number;
  get(key: Uint8Array): Buffer | null;
  scan(options?: ScanOptions): Scan;
  /** Lets go of what only it needs. */
  close(): void;
}

export class LsmStore {
  readonly #options: ResolvedOptions;
  readonly #lock: LockFile;
  readonly #catalog: Catalog;
  readonly #log: WriteAheadLog;
  readonly #background: Background;
  readonly #host: CompactionHost;
  readonly #search = new PointSearch();
  readonly #snapshots = new Snapshots();
  readonly #totals = emptyTotals();
  #memtable = new Memtable();
  /** Full ones that are not in a table yet, the oldest first. */
  #waiting: Memtable[] = [];
  #appliedSeq = 0;
  #flushing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;
  /** Resolves when there is room again; undefined: nobody has to wait. */
  #room: { promise: Promise<void>; resolve: () => void } | undefined;

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
    this.#host = {
      catalog,
      options,
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
    if (disk.stat(directory)?.kind !== 'directory') {
      if (!resolved.create) throw new DdiaError('not-found', `no store at ${directory}`);
      makeDurableDirectory(disk, directory);
    }
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    let log: WriteAheadLog | undefined;
    try {
      const catalog = Catalog.open(disk, directory, resolved);
      const { sync, batchEvery, processes, storeId } = resolved;
      const logOptions = { sync, batchEvery, processes, logId: storeId };
      log = await WriteAheadLog.open(disk, join(directory, LOG_DIRECTORY), logOptions);
      const store = new LsmStore(directory, resolved, lock, catalog, log);
      await store.#recover();
      return store;
    } catch (error) {
      await log?.close().catch(() => {});
      lock.release();
      throw error;
    }
  }

  /** What the log has and no table does goes into memory. */
  async #recover(): Promise<void> {
    const { flushedSeq } = this.#catalog.manifest;
    const { nextSeq } = this.#log.status;
    if (nextSeq <= flushedSeq) {
      const gap = `the log goes on at ${nextSeq}, the tables hold numbers up to ${flushedSeq}`;
      throw new DdiaError(
        'corrupt',
        `${this.directory}: ${gap}: it is not the log of these tables`,
      );
    }
    const replayed = await this.#log.replay(flushedSeq, (record) => {
      fromLog(record, (...parts) => this.#memtable.addSpan(...parts));
      if (this.#memtable.bytes < this.#options.memtableBytes) return;
      this.#waiting.push(this.#memtable);
      this.#memtable = new Memtable();
    });
    if (replayed.end) {
      const { file, offset, message } = replayed.end;
      throw new DdiaError('corrupt', `${this.directory}: log ${file} @ ${offset}: ${message}`);
    }
    this.#appliedSeq = Math.max(flushedSeq, this.#log.currentSeq);
    if (this.#waiting.length > 0) this.#startFlush();
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
    this.#startFlush();
  }

  #startFlush(): void {
    this.#flushing ??= this.#flushWaiting()
      .catch((error: Error) => {
        if (!this.#closed) this.#poison(error);
      })
      .finally(() => {
        this.#flushing = undefined;
        this.#giveRoom();
      });
  }

  /** The log is let go only when its table is durable, and in the manifest. */
  async #flushWaiting(): Promise<void> {
    const pace = this.#background.pace(0);
    for (let memtable = this.#waiting[0]; memtable; memtable = this.#waiting[0]) {
      const add = await writeMemtable(this.#host, memtable, pace);
      this.#catalog.commit({ add, flushedSeq: memtable.seqLast });
      this.#waiting.shift();
      this.#totals.flushes++;
      for (const { bytes } of add) this.#totals.flushBytes += bytes;
      this.#log.truncate(Math.min(memtable.seqLast, this.#log.currentSeq));
      this.#giveRoom();
      if (this.#options.autoCompact) this.#background.wake();
    }
  }

  #done(report: CompactionReport): CompactionReport {
    this.#totals.compactions++;
    this.#totals.compactionReadBytes += report.bytesRead;
    this.#totals.compactionBytes += report.bytesWritten;
    this.#giveRoom();
    return report;
  }

  #mustWait(): boolean {
    const { memtablesMax, levelZeroStop, autoCompact } = this.#options;
    if (this.#waiting.length >= memtablesMax) return true;
    if (!autoCompact || this.#catalog.levels[0]!.length < levelZeroStop) return false;
    return pickCompaction(this.#catalog.levels, this.#options) !== undefined;
  }

  async #waitForRoom(): Promise<void> {
    if (!this.#room) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
      this.#totals.stalls++;
    }
    const begun = performance.now();
    this.#background.wake();
    await this.#room.promise;
    this.#totals.stallMilliseconds += performance.now() - begun;
    this.#checkUsable();
    if (this.#background.lastFailure !== undefined) {
      throw new DdiaError('stalled', `compaction failed: ${this.#background.lastFailure}`);
    }
  }

  #giveRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.resolve();
  }

  /** The value of a key, or null. The bytes are the caller's. Throws `corrupt`. */
  get(key: Uint8Array): Buffer | null {
    return this.#get(key, NOW);
  }

  #get(key: Uint8Array, seq: number): Buffer | null {
    this.#checkUsable();
    this.#totals.gets++;
    const { levels } = this.#catalog;
    const found = this.#inMemory(key, seq);
    if (found !== undefined) return found;
    const hash = hashKey(key, 0, key.length);
    // From newer to older: the first that has the key, or a range deletion over it, decides.
    for (const table of levels[0]!) {
      if (!table.spans(key)) continue;
      const value = this.#inTable(table, key, hash, seq);
      if (value !== undefined) return value;
    }
    for (let level = 1; level < levels.length; level++) {
      const tables = levels[level]!;
      for (let i = firstReaching(tables, key); i < tables.length && tables[i]!.spans(key); i++) {
        const value = this.#inTable(tables[i]!, key, hash, seq);
        if (value !== undefined) return value;
      }
    }
    return null;
  }

  #inMemory(key: Uint8Array, seq: number): Buffer | null | undefined {
    for (let i = this.#waiting.length; i >= 0; i--) {
      const memtable = this.#waiting[i] ?? this.#memtable;
      const covering = memtable.ranges.count > 0 ? memtable.ranges.covering(key, seq) : 0;
      const node = memtable.find(key, seq);
      if (node !== 0 && memtable.seqOf(node) > covering) {
        return isDeletion(memtable.typeOf(node)) ? null : memtable.valueOf(node);
      }
      if (node !== 0 || covering > 0) return null;
    }
    return undefined;
  }

  #inTable(
    table: TableFile,
    key: Uint8Array,
    hash: number,
    seq: number,
  ): Buffer | null | undefined {
    const covering = table.entry.rangeDeletions > 0 ? table.ranges.covering(key, seq) : 0;
    const search = this.#search;
    const payload = table.find(key, hash, seq, search);
    if (payload && search.seq > covering) {
      if (isDeletion(search.type)) return null;
      return Buffer.from(payload.subarray(search.valueStart, search.valueEnd));
    }
    return payload || covering > 0 ? null : undefined;
  }

  /** Keys and values in byte order of the keys, as they are now. Read it to its end, or close it. */
  scan(options: ScanOptions = {}): Scan {
    return this.#scan(options, this.#appliedSeq);
  }

  #scan(options: ScanOptions, seq: number): Scan {
    this.#checkUsable();
    const memtables = [this.#memtable, ...this.#waiting];
    const [zero, ...below] = this.#catalog.levels;
    const cursors: Cursor[] = memtables.map((memtable) => new MemtableCursor(memtable));
    for (const table of zero!) cursors.push(new TableFileCursor(table));
    for (const level of below) if (level.length > 0) cursors.push(new LevelCursor(level));
    const { tables } = this.#catalog;
    const ranges: RangeDeletion[] = [
      ...memtables.flatMap((memtable) => memtable.ranges.list),
      ...tables.flatMap((table) => (table.entry.rangeDeletions > 0 ? table.ranges.list : [])),
    ].filter((range) => range.seq <= seq);
    return new Scan({ seq, cursors, ranges, tables }, options);
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

  /** Merges all there is: what was deleted and what was replaced is gone then, but for snapshots. */
  async compact(): Promise<CompactionReport | undefined> {
    await this.flush();
    return this.#background.queue(async () => {
      const { levels, tables } = this.#catalog;
      if (tables.length === 0) return undefined;
      const bytes = tables.reduce((sum, { entry }) => sum + entry.bytes, 0);
      const leveled = this.#options.strategy === 'leveled';
      const lowest = levels.findLastIndex((level) => level.length > 0);
      let outputLevel = leveled ? Math.max(1, lowest) : 0;
      while (
        leveled &&
        outputLevel < levels.length - 1 &&
        levelBytes(outputLevel, this.#options) < bytes
      ) {
        outputLevel++;
      }
      const pick = { inputs: tables, level: 0, outputLevel, why: 'asked for: all tables' };
      return this.#done(await this.#compact(pick, this.#background.pace(0)));
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
      this.#giveRoom();
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
    this.#giveRoom();
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
    try {
      await this.#background.stop();
      await this.#flushing;
      await this.#log.close();
    } finally {
      this.#catalog.close();
      this.#lock.release();
    }
    if (this.#failure) throw this.#failure;
  }
}

export type { KeyValue, Operation, ScanOptions };
