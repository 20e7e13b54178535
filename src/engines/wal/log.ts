/**
 * The write-ahead log: operations are durable when their append resolves, batches are whole or
 * absent, numbers are never given twice. Layout: formats/wal/v2. What the caller must know:
 *
 * - Appends that are under way together share one write and one sync (group commit).
 * - A failed write or sync poisons the log: no later append may claim success, since what the disk
 *   has of it is
 *   unknown. Close it and open it again.
 * - One writer: a lock file with the process id. Readers need no lock.
 */
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { WalOpened, WalOperation, WalRecord } from '../../formats/wal/model.ts';
import { type ReplayResult, replayLog } from '../../formats/wal/replay.ts';
import { SEQS_PER_SEGMENT } from '../../formats/wal/v2/layout.ts';
import type { Reached } from '../../formats/wal/v2/manifest.ts';
import type { Disk } from '../../io/disk.ts';
import { makeDurableDirectory } from '../../io/durable.ts';
import { LockFile } from '../../io/lock-file.ts';
import { DdiaError } from '../../shared/errors.ts';
import { GroupCommit } from '../group-commit.ts';
import { LogDirectory } from './directory.ts';
import { type ResolvedOptions, resolveOptions, type WalOptions } from './options.ts';
import { iterateSegments, openSegments } from './read.ts';
import { recoverEnd } from './recover.ts';
import { SegmentFile } from './segment-file.ts';

const EMPTY = new Uint8Array(0);
/** A batch is numbered within one segment. */
export const BATCH_OPERATIONS_MAX = SEQS_PER_SEGMENT / 4;

export interface LogStatus {
  /** The last record's number, 0 when empty; and the last one known to be durable. */
  lastSeq: number;
  syncedSeq: number;
  nextSeq: number;
  segment: number;
  /** Bytes of records, with what frames them, that were written since it was opened. */
  bytesWritten: number;
  /** What opening had to mend, in words. */
  recovered: readonly string[];
}

export class WriteAheadLog {
  readonly #options: ResolvedOptions;
  readonly #disk: Disk;
  readonly #lock: LockFile;
  readonly #files: LogDirectory;
  #segment: SegmentFile | undefined;
  readonly #commit = new GroupCommit('log', (sync) => this.#writePending(sync));
  /** The next write must be synced whatever the mode. */
  #force = false;
  #unsynced = 0;
  #bytesWritten = 0;
  #lastSeq = 0;
  #nextSeq = 1;
  #syncedSeq = 0;
  recovered: readonly string[] = [];

  private constructor(
    disk: Disk,
    readonly directory: string,
    options: ResolvedOptions,
    lock: LockFile,
    files: LogDirectory,
  ) {
    this.#disk = disk;
    this.#options = options;
    this.#lock = lock;
    this.#files = files;
  }

  /**
   * Opens or creates the log in `directory`. Throws a DdiaError: `locked`, `corrupt` where
   * something that was synced cannot be read, `bad-option`, `not-found`.
   */
  static async open(
    disk: Disk,
    directory: string,
    options: WalOptions = {},
  ): Promise<WriteAheadLog> {
    const resolved = resolveOptions(options);
    if (disk.stat(directory)?.kind !== 'directory' && !resolved.create) {
      throw new DdiaError('not-found', `no log at ${directory}`);
    }
    makeDurableDirectory(disk, directory);
    const lock = LockFile.acquire(disk, join(directory, 'LOCK'), resolved.processes);
    try {
      const files = LogDirectory.open(disk, directory, resolved);
      const log = new WriteAheadLog(disk, directory, resolved, lock, files);
      await log.#recover();
      return log;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  async #recover(): Promise<void> {
    const files = this.#files;
    const { end, recovered } = await recoverEnd(files);
    this.recovered = recovered;
    files.refresh();
    if (!end) {
      this.#nextSeq = Number(files.manifest.truncatedSeq) + 1;
      this.#lastSeq = this.#nextSeq - 1;
    } else {
      this.#lastSeq = Number(end.lastSeq);
      this.#nextSeq = Number(end.nextSeq);
      this.#segment = SegmentFile.resume(this.#disk, this.directory, end, this.#options);
    }
    // All that was read is durable: closed logs are synced, others were written anew.
    this.#syncedSeq = this.#lastSeq;
    this.#reach();
  }

  /** Behind what the log reached there is no end that a crash can have left. */
  #reach(): void {
    this.#files.reach(this.#reached);
  }

  get #reached(): Reached {
    const segment = this.#segment?.number ?? this.#files.manifest.firstSegment - 1;
    return { segment, seq: BigInt(this.#syncedSeq) };
  }

  get status(): LogStatus {
    return {
      lastSeq: this.#lastSeq,
      syncedSeq: this.#syncedSeq,
      nextSeq: this.#nextSeq,
      segment: this.#segment?.number ?? 0,
      bytesWritten: this.#bytesWritten,
      recovered: this.recovered,
    };
  }

  /** Number of the last record; 0 when the log is empty. */
  get currentSeq(): number {
    return this.#lastSeq;
  }

  /** The highest number that was truncated away, or 0. */
  get truncatedSeq(): number {
    return Number(this.#files.manifest.truncatedSeq);
  }

  /** Resolves with its number, when it is as durable as the mode says. */
  append(operation: WalOperation): Promise<number> {
    return this.#write([operation], false);
  }

  /** All or none of them, durable when it resolves, with the number of the first. */
  batch(operations: readonly WalOperation[]): Promise<number> {
    if (operations.some(({ op }) => op !== 'put' && op !== 'delete')) {
      return Promise.reject(new DdiaError('bad-batch', 'a batch holds puts and deletes only'));
    }
    return this.#write(operations, true);
  }

  /** Marks that the caller's store has all that came before. Durable when it resolves. */
  checkpoint(): Promise<number> {
    return this.#write([{ op: 'checkpoint', key: EMPTY, value: EMPTY }], true);
  }

  #write(operations: readonly WalOperation[], force: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      try {
        this.#commit.checkUsable();
        if (operations.length > BATCH_OPERATIONS_MAX) {
          const most = `at most ${BATCH_OPERATIONS_MAX}`;
          throw new DdiaError(
            'batch-too-large',
            `${operations.length} operations in a batch, ${most}`,
          );
        }
        const segment = this.#segmentFor(operations.length);
        const seq = this.#nextSeq;
        segment.record(seq, seq - this.#syncedSeq, operations);
        this.#nextSeq = seq + operations.length;
        this.#lastSeq = this.#nextSeq - 1;
        this.#unsynced += operations.length;
        this.#force ||= force;
        this.#commit.join(seq, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  /**
   * The segment that the next `count` numbers stand in; begins one where there is none, or no room.
   */
  #segmentFor(count: number): SegmentFile {
    try {
      if (this.#segment && !this.#segment.holds(this.#nextSeq + count)) this.#rotate();
      return this.#segment ?? this.#begin(this.#files.manifest.firstSegment, 0);
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  /** Begins a segment; no number is given out for it before the manifest knows that it is there. */
  #begin(segment: number, previousChain: number): SegmentFile {
    const { logId } = this.#files.manifest;
    const [baseSeq, previousSeq] = [BigInt(this.#nextSeq), BigInt(this.#lastSeq)];
    const header = { logId, segment, previousChain, baseSeq, previousSeq };
    const begun = SegmentFile.create(this.#disk, this.directory, this.#options, header);
    this.#segment = begun;
    this.#reach();
    return begun;
  }

  /** Writes what is encoded, and syncs as the mode asks. */
  #writePending(sync: boolean): void {
    const segment = this.#segment;
    if (!segment) return;
    const { sync: mode, batchEvery } = this.#options;
    const due = mode === 'sync' || (mode === 'batch' && this.#unsynced >= batchEvery);
    const must = sync || this.#force || due || segment.unopened;
    this.#bytesWritten += segment.encoder.pending;
    segment.flush(must);
    this.#force = false;
    if (must) this.#markSynced();
    if (segment.full) this.#rotate();
  }

  #markSynced(): void {
    this.#syncedSeq = this.#lastSeq;
    this.#unsynced = 0;
  }

  /** The segment is ended and synced before the next one is begun. */
  #rotate(): void {
    const segment = this.#segment!;
    segment.end();
    this.#markSynced();
    this.#begin(segment.number + 1, segment.chain);
  }

  /** Makes all that was appended durable. */
  sync(): void {
    this.#commit.checkUsable();
    this.#commit.flush(true);
    if (this.#commit.failure) throw this.#commit.failure;
  }

  /**
   * Ends the segment that is written, so that a truncation up to here can drop it; an empty one is
   * left as it is. What was appended is durable then.
   */
  rotate(): void {
    this.sync();
    const segment = this.#segment;
    if (!segment || segment.header.baseSeq === BigInt(this.#nextSeq)) return;
    try {
      this.#rotate();
    } catch (error) {
      throw this.#commit.poison(error as Error);
    }
  }

  /**
   * Drops the segments that hold no number above `upTo`. Atomic: the manifest names the first
   * segment, files before it are leftovers. Returns how many were dropped. Past the end is an
   * error.
   */
  truncate(upTo: number): number {
    this.#commit.checkUsable();
    if (!Number.isSafeInteger(upTo) || upTo < 0) {
      throw new DdiaError('bad-seq', `truncate up to a sequence number, not ${upTo}`, undefined, 2);
    }
    if (upTo > this.#lastSeq) {
      throw new DdiaError('past-end', `the log ends at seq ${this.#lastSeq}, not at ${upTo}`);
    }
    this.sync();
    try {
      return this.#files.truncate(BigInt(upTo), this.#reached);
    } catch (error) {
      this.#commit.poison(error as Error);
      throw error;
    }
  }

  /**
   * Operations of the valid prefix with numbers above `after`, in order; batches whole. The result
   * says where it ends and why, and what lies behind.
   */
  async replay(after: number, visit: (record: WalRecord) => void): Promise<ReplayResult> {
    this.#commit.flush(false);
    const input = this.#opened();
    return replayLog(
      input,
      { after: BigInt(after) },
      { limits: DEFAULT_LIMITS, set: input.set },
      visit,
    );
  }

  /** Everything, commits and checkpoints included, damage too. */
  async iterate(visit: (record: WalRecord) => void): Promise<void> {
    this.#commit.flush(false);
    await iterateSegments(this.#opened(), visit);
  }

  #opened(): WalOpened {
    return openSegments(this.#disk, this.directory, this.#files.manifest.firstSegment);
  }

  /**
   * Syncs, marks the end, and lets go of the lock. Throws if the log is poisoned, having let go all
   * the same.
   */
  async close(): Promise<void> {
    const commit = this.#commit;
    if (commit.closed) return;
    try {
      if (!commit.failure) commit.flush(true);
      if (!commit.failure) {
        this.#segment?.close(this.#nextSeq);
        this.#reach();
      }
    } catch (error) {
      commit.poison(error as Error);
    } finally {
      commit.closed = true;
      this.#segment?.abandon();
      this.#lock.release();
    }
    if (commit.failure) throw commit.failure;
  }
}
