/** The two meta pages, and the databases that they and nodes of the main one hold. */
import { isAllOnes, u64 } from '../u64.ts';
import {
  DB_BYTES,
  FLAGS_AT,
  FREE_DB_AT,
  LAST_PAGE_AT,
  MAGIC,
  MAGIC_AT,
  MAIN_DB_AT,
  MAP_SIZE_AT,
  P_META,
  TXNID_AT,
  VERSION,
  VERSION_AT,
} from './layout.ts';

export interface Database {
  pad: number;
  flags: number;
  depth: number;
  branch: number;
  leaf: number;
  overflow: number;
  entries: number;
  /** -1: it is empty. */
  root: number;
}

export interface Meta {
  page: 0 | 1;
  pageSize: number;
  mapSize: number;
  free: Database;
  main: Database;
  lastPage: number;
  txnid: number;
  /** What is wrong with it; empty: nothing. */
  fault: string;
  expected?: unknown;
  actual?: unknown;
}

export function readDatabase(view: DataView, at: number): Database {
  return {
    pad: view.getUint32(at, true),
    flags: view.getUint16(at + 4, true),
    depth: view.getUint16(at + 6, true),
    branch: u64(view, at + 8),
    leaf: u64(view, at + 16),
    overflow: u64(view, at + 24),
    entries: u64(view, at + 32),
    root: isAllOnes(view, at + DB_BYTES - 8) ? -1 : u64(view, at + DB_BYTES - 8),
  };
}

export function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
}

export function readMeta(view: DataView, page: 0 | 1): Meta {
  const free = readDatabase(view, FREE_DB_AT);
  const meta: Meta = {
    page,
    // The page size stands where other databases have the size of their fixed keys.
    pageSize: free.pad,
    mapSize: u64(view, MAP_SIZE_AT),
    free,
    main: readDatabase(view, MAIN_DB_AT),
    lastPage: u64(view, LAST_PAGE_AT),
    txnid: u64(view, TXNID_AT),
    fault: '',
  };
  const wrong = (fault: string, expected: unknown, actual: unknown) => ({
    ...meta,
    fault,
    expected,
    actual,
  });
  const hex = (value: number) => (value >>> 0).toString(16);
  const magic = view.getUint32(MAGIC_AT, true);
  if (magic !== MAGIC) return wrong('magic', hex(MAGIC), hex(magic));
  const version = view.getUint32(VERSION_AT, true);
  if (version !== VERSION) return wrong('version', VERSION, version);
  const flags = view.getUint16(FLAGS_AT, true);
  if ((flags & P_META) === 0) return wrong('flags', P_META, flags);
  if (!isPageSize(free.pad)) return wrong('page size', '512 to 65536', free.pad);
  if (meta.lastPage < 1 || meta.lastPage > Number.MAX_SAFE_INTEGER) {
    return wrong('last page', 'at least 1', meta.lastPage);
  }
  for (const [name, { root, depth }] of [['free', free] as const, ['main', meta.main] as const]) {
    if (root > meta.lastPage || root === 0 || root === 1) {
      return wrong(`root of the ${name} database`, `2 to ${meta.lastPage}, or none`, root);
    }
    if (depth > 32) return wrong(`depth of the ${name} database`, 'at most 32', depth);
  }
  return meta;
}
