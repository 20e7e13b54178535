/** What a log is opened with. Anything out of range is refused at once, by name. */
import { randomBytes } from 'node:crypto';
import { SEGMENT_BYTES_DEFAULT } from '../../formats/wal/v2/layout.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { SYNC_MODES, type SyncMode } from '../sync-mode.ts';

export interface WalOptions {
  /** Batches, checkpoints, rotation and close always sync. */
  sync?: SyncMode;
  /** Operations between two syncs in mode `batch`; any sync begins the count anew. */
  batchEvery?: number;
  /** A segment at or over this size is closed and the next begun. */
  segmentBytes?: number;
  /** Zeros written ahead of the end, so that a sync need not persist a new length; 0: none. */
  preallocateBytes?: number;
  /** Identity of a log that is created. */
  logId?: () => bigint;
  processes?: Processes;
  /** False: the log must exist. */
  create?: boolean;
}

export type ResolvedOptions = Required<WalOptions>;

export function resolveOptions(options: WalOptions): ResolvedOptions {
  const known: ResolvedOptions = {
    sync: 'sync',
    batchEvery: 100,
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    preallocateBytes: 1024 * 1024,
    logId: () => randomBytes(8).readBigUInt64LE(),
    processes: systemProcesses(),
    create: true,
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
  atLeast('batchEvery', resolved.batchEvery, 1);
  atLeast('segmentBytes', resolved.segmentBytes, 1);
  atLeast('preallocateBytes', resolved.preallocateBytes, 0);
  return resolved;
}

function atLeast(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw invalid(`${name} must be an integer of at least ${least}, not ${value}`);
  }
}

function invalid(message: string, hint?: string): DdiaError {
  return new DdiaError('bad-option', message, hint, 2);
}
