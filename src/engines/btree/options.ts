/** What a store is opened with. Anything out of range is refused at once, by name. */

import { randomBytes } from 'node:crypto';
import {
  isPageSize,
  PAGE_BYTES_DEFAULT,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
} from '../../formats/btree/v2/layout.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { Waiting } from '../../shared/turns.ts';
import { SYNC_MODES, type SyncMode } from '../sync-mode.ts';

export const CACHE_BYTES_DEFAULT = 256 * 1024 * 1024;

export interface VacuumOptions {
  /** Who is given turns meanwhile; without, it is done when the call returns its promise. */
  waiting?: Waiting | undefined;
}

export interface BtreeOptions {
  /**
   * `sync`: a write is durable when its promise resolves. `batch`: after every batchEvery of them.
   * `none`: when there is much to write, at sync(), and at close. In all of them a crash leaves
   * what was there after some write, never half of one.
   */
  sync?: SyncMode;
  /** Operations between two commits in mode `batch`. */
  batchEvery?: number;
  /** Of a store that is created; one that is there must have it. */
  pageSize?: number | undefined;
  /** Memory for pages that are on disk; at least 64 pages. Taken as it is needed. */
  cacheBytes?: number;
  /**
   * In modes `batch` and `none`: changed pages are committed when there are so many bytes of them.
   */
  dirtyBytes?: number;
  /** False: the store must exist. */
  create?: boolean;
  /** Identity of a file that is made. */
  storeId?: () => bigint;
  processes?: Processes;
}

export type ResolvedOptions = Required<BtreeOptions>;

export function resolveOptions(options: BtreeOptions): ResolvedOptions {
  const known: ResolvedOptions = {
    sync: 'sync',
    batchEvery: 100,
    pageSize: undefined,
    cacheBytes: CACHE_BYTES_DEFAULT,
    dirtyBytes: CACHE_BYTES_DEFAULT,
    create: true,
    storeId: () => randomBytes(8).readBigUInt64LE(),
    processes: systemProcesses(),
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
  const { pageSize = PAGE_BYTES_DEFAULT } = resolved;
  if (!isPageSize(pageSize)) {
    const range = `a power of two from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX}`;
    throw invalid(`pageSize must be ${range}, not ${pageSize}`);
  }
  for (const name of ['batchEvery', 'cacheBytes', 'dirtyBytes'] as const) {
    const value = resolved[name];
    if (Number.isSafeInteger(value) && value >= (name === 'batchEvery' ? 1 : 0)) continue;
    throw invalid(`${name} must be an integer that is not negative, not ${value}`);
  }
  return resolved;
}

function invalid(message: string, hint?: string): DdiaError {
  return new DdiaError('bad-option', message, hint, 2);
}
