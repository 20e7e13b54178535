/** What a store is opened with. Anything out of range is refused at once, by name. */
import { PAGE_BYTES_DEFAULT, PAGE_SIZES } from '../../formats/btree/v1/layout.ts';
import { type Processes, systemProcesses } from '../../io/processes.ts';
import { DdiaError } from '../../shared/errors.ts';
import { CACHE_BYTES_DEFAULT } from '../btree/options.ts';
import { SYNC_MODES, type SyncMode } from '../sync-mode.ts';

export interface V1Options {
  /**
   * `sync`: a write is durable when its promise resolves. `batch`: after every batchEvery of them.
   * `none`: when there is much to write, at sync(), and at close. In all of them a crash leaves
   * what was there after some write, never half of one.
   */
  sync?: SyncMode;
  /** Operations between two commits in mode `batch`. */
  batchEvery?: number;
  /** Of a store that is made; one that is there must have it. */
  pageSize?: number | undefined;
  /** Memory for pages; at least 64 of them. Taken as it is needed. */
  cacheBytes?: number;
  /** The log is applied and emptied when it has so many bytes. */
  logBytes?: number;
  /** False: the store must exist. */
  create?: boolean;
  processes?: Processes;
}

export type ResolvedV1Options = Required<V1Options>;

export function resolveV1Options(options: V1Options): ResolvedV1Options {
  const known: ResolvedV1Options = {
    sync: 'sync',
    batchEvery: 100,
    pageSize: undefined,
    cacheBytes: CACHE_BYTES_DEFAULT,
    logBytes: 4 * 1024 * 1024,
    create: true,
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
  if (!PAGE_SIZES.includes(pageSize as 512)) {
    throw invalid(`pageSize must be one of ${PAGE_SIZES.join(', ')}, not ${pageSize}`);
  }
  for (const name of ['batchEvery', 'cacheBytes', 'logBytes'] as const) {
    const value = resolved[name];
    if (Number.isSafeInteger(value) && value >= (name === 'batchEvery' ? 1 : 0)) continue;
    throw invalid(`${name} must be an integer that is not negative, not ${value}`);
  }
  return resolved;
}

function invalid(message: string, hint?: string): DdiaError {
  return new DdiaError('bad-option', message, hint, 2);
}
