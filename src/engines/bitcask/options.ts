/** What a store is opened with. Anything out of range is refused at once, by name. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { KEYS_MAX } from '../../formats/bitcask/key-directory.ts';
import {
  FILE_BYTES_DEFAULT,
  FILE_BYTES_MAX,
  HEADER_BYTES,
} from '../../formats/bitcask/v2/layout.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { SYNC_MODES, type SyncMode } from '../sync-mode.ts';

export const CACHE_BYTES_DEFAULT = 256 * 1024 * 1024;

export interface BitcaskOptions {
  /** See SyncMode. Batches, rotation, merge and close always sync. */
  sync?: SyncMode;
  /** Operations between two syncs in mode `batch`; any sync begins the count anew. */
  batchEvery?: number;
  /** A data file at or over this size is sealed and the next begun. At most half of 2^32. */
  fileBytes?: number;
  /** Memory for what was read from data files; 0: none. Taken as it is needed. */
  cacheBytes?: number;
  /**
   * A key more is refused with `directory-full`: a bound on the memory of the key directory, which
   * takes about 60 bytes a key and the key itself. At most 2^27.
   */
  keysMax?: number;
  /** Merge in the background, see mergeDead and mergeFiles. */
  autoMerge?: boolean;
  /** A sealed file is worth a merge when so much of it is dead, from 0 to 1. */
  mergeDead?: number;
  /** Sealed files of less than a quarter of fileBytes are merged when there are so many. */
  mergeFiles?: number;
  /**
   * What a merge in the background reads at most; 0: as fast as it can. A merge by hand, which has
   * no limit of its own, waits for one that is under way.
   */
  mergeBytesPerSecond?: number;
  /**
   * hint-worker.ts as it was built: with it, hints of a large store are read and checked in so many
   * threads of their own.
   */
  hintWorker?: string;
  hintThreads?: number;
  /** False: the store must exist. */
  create?: boolean;
  /** Identity of a store that is created. */
  storeId?: () => bigint;
  /** Milliseconds since the epoch. */
  now?: () => number;
  processes?: Processes;
}

export type ResolvedOptions = Required<BitcaskOptions>;

export function resolveOptions(options: BitcaskOptions): ResolvedOptions {
  const { processes = systemProcesses() } = options;
  const known: ResolvedOptions = {
    sync: 'sync',
    batchEvery: 100,
    fileBytes: FILE_BYTES_DEFAULT,
    cacheBytes: CACHE_BYTES_DEFAULT,
    keysMax: KEYS_MAX,
    autoMerge: false,
    mergeDead: 0.5,
    mergeFiles: 8,
    mergeBytesPerSecond: 0,
    hintWorker: '',
    hintThreads: Math.max(0, Math.min(4, availableParallelism() - 1)),
    create: true,
    storeId: () => randomBytes(8).readBigUInt64LE(),
    now: Date.now,
    processes,
  };
  for (const name of Object.keys(options)) {
    if (!(name in known)) {
      throw invalid(`unknown option ${name}`, `known: ${Object.keys(known).join(', ')}`);
    }
  }
  const resolved = { ...known, ...options };
  if (!SYNC_MODES.includes(resolved.sync)) {
    throw invalid(`sync must be one of ${SYNC_MODES.join(', ')}, not ${resolved.sync}`);
  }
  within('batchEvery', resolved.batchEvery, 1, Number.MAX_SAFE_INTEGER);
  within('fileBytes', resolved.fileBytes, HEADER_BYTES + 1, Math.floor(FILE_BYTES_MAX / 2));
  within('cacheBytes', resolved.cacheBytes, 0, 2 ** 40);
  within('keysMax', resolved.keysMax, 1, KEYS_MAX);
  within('hintThreads', resolved.hintThreads, 0, 64);
  within('mergeFiles', resolved.mergeFiles, 2, Number.MAX_SAFE_INTEGER);
  within('mergeBytesPerSecond', resolved.mergeBytesPerSecond, 0, Number.MAX_SAFE_INTEGER);
  if (!(resolved.mergeDead > 0 && resolved.mergeDead <= 1)) {
    throw invalid(`mergeDead must be above 0 and at most 1, not ${resolved.mergeDead}`);
  }
  return resolved;
}

function within(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw invalid(`${name} must be an integer ${range}, not ${value}`);
}

function invalid(message: string, hint?: string): DdiaError {
  return new DdiaError('bad-option', message, hint, 2);
}
