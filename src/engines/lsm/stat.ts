/** What a store holds, and what was read and written for it since it was opened. */
import type { Background } from './background.ts';
import type { Catalog } from './catalog.ts';
import type { Memtable } from './memtable.ts';

export interface Totals {
  /** Keys and values as they were given. */
  userBytes: number;
  logBytes: number;
  flushes: number;
  flushBytes: number;
  compactions: number;
  compactionReadBytes: number;
  compactionBytes: number;
  gets: number;
  /** How often, and how long in sum, writes had to wait. */
  stalls: number;
  stallMilliseconds: number;
}

export const emptyTotals = (): Totals => ({
  userBytes: 0,
  logBytes: 0,
  flushes: 0,
  flushBytes: 0,
  compactions: 0,
  compactionReadBytes: 0,
  compactionBytes: 0,
  gets: 0,
  stalls: 0,
  stallMilliseconds: 0,
});

export interface LevelStat {
  level: number;
  tables: number;
  bytes: number;
  entries: number;
  deletions: number;
}

export interface LsmStat extends Totals {
  nextSeq: number;
  flushedSeq: number;
  memtables: number;
  memtableEntries: number;
  memtableBytes: number;
  tables: number;
  tableBytes: number;
  levels: LevelStat[];
  blockReads: number;
  cacheBytes: number;
  /** Bytes written for each that was given; absent where none was. */
  writeAmplification?: number;
  /** Blocks read for each get. */
  readAmplification?: number;
  /** Bytes of all tables for each of the lowest level, which has no key twice. */
  spaceAmplification?: number;
  lastFailure?: string;
}

export function statOf(
  catalog: Catalog,
  memtables: readonly Memtable[],
  totals: Totals,
  nextSeq: number,
  background: Background,
): LsmStat {
  const levels = catalog.levels.map((tables, level) => ({
    level,
    tables: tables.length,
    bytes: sum(tables, ({ entry }) => entry.bytes),
    entries: sum(tables, ({ entry }) => entry.entries),
    deletions: sum(tables, ({ entry }) => entry.deletions),
  }));
  const tableBytes = sum(levels, ({ bytes }) => bytes);
  const lowest = levels.findLast(({ level, tables }) => level > 0 && tables > 0);
  const { userBytes, logBytes, flushBytes, compactionBytes, gets } = totals;
  const { reads } = catalog.cache;
  const { lastFailure } = background;
  return {
    ...totals,
    nextSeq,
    flushedSeq: catalog.manifest.flushedSeq,
    memtables: memtables.length,
    memtableEntries: sum(memtables, ({ entries }) => entries),
    memtableBytes: sum(memtables, ({ bytes }) => bytes),
    tables: catalog.tables.length,
    tableBytes,
    levels: levels.filter(({ tables }) => tables > 0),
    blockReads: reads,
    cacheBytes: catalog.cache.bytes,
    ...(userBytes > 0 && {
      writeAmplification: rounded((logBytes + flushBytes + compactionBytes) / userBytes),
    }),
    ...(gets > 0 && { readAmplification: rounded(reads / gets) }),
    ...(lowest && { spaceAmplification: rounded(tableBytes / lowest.bytes) }),
    ...(lastFailure !== undefined && { lastFailure }),
  };
}

function sum<T>(of: readonly T[], part: (one: T) => number): number {
  return of.reduce((total, one) => total + part(one), 0);
}

const rounded = (ratio: number): number => Math.round(ratio * 1000) / 1000;
