/** What a store is opened with. Anything out of range is refused at once, by name. */
import { randomBytes } from 'node:crypto';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { SYNC_MODES, type SyncMode } from '../sync-mode.ts';
import { type CompactionStrategy, STRATEGIES } from './pick.ts';

const MIB = 1024 * 1024;

export interface LsmOptions {
  /** See SyncMode. Batches, flushes and close always sync. */
  sync?: SyncMode;
  /** Operations between two syncs in mode `batch`; any sync begins the count anew. */
  batchEvery?: number;
  /** A memtable of this size is written to a table, and the next begun. */
  memtableBytes?: number;
  /** Memtables that wait to be written before writes have to wait. */
  memtablesMax?: number;
  /** A compaction's output is split at this size. */
  tableBytes?: number;
  /** Bytes of entries in a data block. */
  blockBytes?: number;
  compression?: 'none' | 'deflate';
  /** Bits of a table's filter for each key; 0: none. */
  filterBits?: number;
  /** Memory for blocks that were read. Taken as it is needed. */
  cacheBytes?: number;
  strategy?: CompactionStrategy;
  /** Tables on level 0, or in a tier, that are worth a compaction. */
  levelZeroTables?: number;
  /** So many tables on level 0 make writes wait. */
  levelZeroStop?: number;
  /** What level 1 holds; each below it ten times as much. */
  levelOneBytes?: number;
  /** Compact in the background. */
  autoCompact?: boolean;
  /** What a compaction in the background reads at most; 0: as fast as it can. */
  compactBytesPerSecond?: number;
  /**
   * merge-worker.ts as it was built: with it, on the real disk, compactions of so many bytes and
   * more are done in a thread of their own.
   */
  compactionWorker?: string | undefined;
  compactionWorkerFromBytes?: number;
  /** False: the store must exist. */
  create?: boolean;
  /** Identity of a store that is created. */
  storeId?: () => bigint;
  processes?: Processes;
}

export type ResolvedOptions = Required<LsmOptions>;

export function resolveOptions(options: LsmOptions): ResolvedOptions {
  const known: ResolvedOptions = {
    sync: 'sync',
    batchEvery: 100,
    memtableBytes: 32 * MIB,
    memtablesMax: 2,
    tableBytes: 8 * MIB,
    blockBytes: 4096,
    compression: 'none',
    filterBits: 14,
    cacheBytes: 256 * MIB,
    strategy: 'leveled',
    levelZeroTables: 4,
    levelZeroStop: 12,
    levelOneBytes: 10 * MIB,
    autoCompact: true,
    compactBytesPerSecond: 0,
    compactionWorker: undefined,
    compactionWorkerFromBytes: 4 * MIB,
    create: true,
    storeId: () => randomBytes(8).readBigUInt64LE(),
    processes: systemProcesses(),
  };
  for (const name of Object.keys(options)) {
    if (name in known) continue;
    throw invalid(`unknown option ${name}`, `known: ${Object.keys(known).join(', ')}`);
  }
  const resolved = { ...known, ...options };
  oneOf('sync', resolved.sync, SYNC_MODES);
  oneOf('strategy', resolved.strategy, STRATEGIES);
  oneOf('compression', resolved.compression, ['none', 'deflate']);
  within('batchEvery', resolved.batchEvery, 1);
  within('memtableBytes', resolved.memtableBytes, 1, 1024 * MIB);
  within('memtablesMax', resolved.memtablesMax, 1, 100);
  within('tableBytes', resolved.tableBytes, 1, 1024 * 1024 * MIB);
  within('blockBytes', resolved.blockBytes, 64, 16 * MIB);
  within('filterBits', resolved.filterBits, 0, 64);
  within('cacheBytes', resolved.cacheBytes, 0, 2 ** 40);
  within('levelZeroTables', resolved.levelZeroTables, 2, 1000);
  within('levelZeroStop', resolved.levelZeroStop, resolved.levelZeroTables, 10_000);
  within('levelOneBytes', resolved.levelOneBytes, 1);
  within('compactBytesPerSecond', resolved.compactBytesPerSecond, 0);
  within('compactionWorkerFromBytes', resolved.compactionWorkerFromBytes, 0);
  return resolved;
}

function oneOf(name: string, value: string, among: readonly string[]): void {
  if (!among.includes(value))
    throw invalid(`${name} must be one of ${among.join(', ')}, not ${value}`);
}

function within(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalid(`${name} must be an integer ${range}, not ${value}`);
}

function invalid(message: string, hint?: string): DdiaError {
  return new DdiaError('bad-option', message, hint, 2);
}
