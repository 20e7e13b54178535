/** Every entry of a column family in internal order: logs, level 0 table by table, the levels. */
import { DdiaError } from '../../shared/errors.ts';
import { hex32 } from '../../shared/hex.ts';
import type { ByteSource, Finding } from '../format.ts';
import { EntryBlock } from '../sstable/entry-block.ts';
import { findingOf } from '../sstable/model.ts';
import type { KeyRange } from '../sstable/range.ts';
import { replayLogs } from './logs.ts';
import type { Memtable } from './memtable.ts';
import { Merge } from './merge.ts';
import { type ColumnFamily, type Database, SEQ_MAX, type TableFile } from './model.ts';
import { RangeCover } from './range-cover.ts';
import { FilesCursor, MemoryCursor, openTableFile, type Walk } from './table-cursor.ts';

const BYTEWISE = 'leveldb.BytewiseComparator';
const REVERSE_BYTEWISE = 'rocksdb.ReverseBytewiseComparator';

export interface Walking {
  readonly merge: Merge;
  readonly cover: RangeCover;
  readonly memtable: Memtable;
}

/** Throws a DdiaError where the order of the keys is not known. */
export async function walkFamily(
  database: Database,
  family: ColumnFamily,
  walk: Walk,
): Promise<Walking> {
  const order = orderOf(family);
  const { memtable, findings } = await replayLogs(
    database,
    family,
    order,
    walk.range,
    walk.context,
  );
  for (const finding of findings) walk.tell(finding);
  const cover = new RangeCover(order);
  const ranges = new EntryBlock();
  if (await memtable.readRangeDeletions(ranges)) cover.add(ranges);
  const files = [...family.tables.values()].filter((table) => overlaps(table, walk.range, order));
  const odd =
    database.software === 'leveldb' ? [] : await coverOf(database, files, walk, cover, order);
  // Of a table that is another one than the manifest says, nobody knows which keys it has.
  const own = odd.map((file) => ({ level: file.level, run: [file] }));
  const runs = runsOf(odd.length > 0 ? files.filter((file) => !odd.includes(file)) : files, order);
  const cursors = [
    new MemoryCursor(memtable, walk),
    ...[...runs, ...own].map(({ level, run }) => {
      const inOrder = walk.reverse ? run.toReversed() : run;
      return new FilesCursor(database, inOrder, level, walk);
    }),
  ];
  return { merge: new Merge(cursors, walk.reverse), cover: cover.seal(), memtable };
}

export function orderOf({ name, comparator }: ColumnFamily): 1 | -1 {
  // Of a family whose first edit is lost nothing is known: nearly all have this order.
  if (comparator === BYTEWISE || comparator === '') return 1;
  if (comparator === REVERSE_BYTEWISE) return -1;
  throw new DdiaError(
    'unknown-order',
    `the keys of column family ${name} are in the order of ${comparator}, which is not known here`,
    'ddia sstable dump and ddia wal dump show the files one by one',
  );
}

/** Whether keys of the range can be in the table. Bounds are those of bytes. */
function overlaps({ smallest, largest }: TableFile, range: KeyRange, order: 1 | -1): boolean {
  if (!smallest || !largest) return true;
  const low = order === 1 ? smallest.userKey : largest.userKey;
  const high = order === 1 ? largest.userKey : smallest.userKey;
  if (range.from && Buffer.compare(high, range.from) < 0) return false;
  return !range.to || Buffer.compare(low, range.to) < 0;
}

/**
 * Adds the range deletions of tables: of RocksDB those of each within its own bounds, as it reads
 * them; ours were cut when they were written.
 */
async function coverOf(
  database: Database,
  files: readonly TableFile[],
  { context, tell }: Walk,
  cover: RangeCover,
  order: 1 | -1,
): Promise<TableFile[]> {
  const odd: TableFile[] = [];
  const block = new EntryBlock();
  for (const file of files) {
    context.signal?.throwIfAborted();
    // What cannot be opened is told when its entries are asked for.
    const opened = await openTableFile(database, file, context, () => {});
    if (!opened) continue;
    const { source, table } = opened;
    try {
      const misplaced = misplacedTable(file, source, table);
      if (misplaced) {
        odd.push(file);
        tell(misplaced);
      }
      const before = table.damage.length;
      if (await table.readRangeDeletions?.(block)) {
        if (database.software === 'v2') cover.add(block);
        else cover.add(block, file.smallest?.userKey, endOf(file, order));
      }
      for (const damage of table.damage.slice(before)) tell(findingOf(damage));
    } finally {
      source.close?.();
    }
  }
  return odd;
}

/** Told where a table of ours is not the one that the manifest names. */
export function misplacedTable(
  { entry, name = '' }: TableFile,
  source: ByteSource,
  { identity }: { identity?: number | undefined },
): Finding | undefined {
  if (!entry || identity === undefined || identity === entry.fileCrc) return undefined;
  const both = `header checksum ${hex32(identity)}, the manifest says ${hex32(entry.fileCrc)}`;
  const place = { file: name, offset: 0, length: source.size ?? 0 };
  const message = `${both}: it is another table`;
  return { code: 'manifest-mismatch', severity: 'error', ...place, message };
}

/** The first key behind a table. */
function endOf({ largest }: TableFile, order: 1 | -1): Uint8Array | undefined {
  if (!largest) return undefined;
  if (largest.seq === SEQ_MAX) return largest.userKey;
  // Backwards no key is the next one: what a range may take too much is other tables' to have.
  if (order === -1) return undefined;
  const end = new Uint8Array(largest.userKey.length + 1);
  end.set(largest.userKey);
  return end;
}

export interface Run {
  level: number;
  /** Tables whose ranges follow one another. */
  run: TableFile[];
}

/** As few runs as the levels have: one a level, but for level 0 and for tables that overlap. */
export function runsOf(files: readonly TableFile[], order: 1 | -1): Run[] {
  const levels = new Map<number, TableFile[]>();
  for (const file of files) {
    const level = levels.get(file.level);
    if (level) level.push(file);
    else levels.set(file.level, [file]);
  }
  const runs: Run[] = [];
  for (const [level, tables] of [...levels].sort(([a], [b]) => a - b)) {
    const own: Run[] = [];
    for (const table of inKeyOrder(tables, order)) {
      const fit = level > 0 && own.find(({ run }) => compareEnds(run.at(-1)!, table, order) < 0);
      if (fit) fit.run.push(table);
      else own.push({ level, run: [table] });
    }
    runs.push(...own);
  }
  return runs;
}

export function inKeyOrder(tables: readonly TableFile[], order: 1 | -1): TableFile[] {
  const none = new Uint8Array(0);
  return tables.toSorted(
    (a, b) =>
      Buffer.compare(a.smallest?.userKey ?? none, b.smallest?.userKey ?? none) * order ||
      a.number - b.number,
  );
}

/**
 * Below 0 where `before` ends before `after` begins, in internal order: of one user key the higher
 * sequence number is first.
 */
export function compareEnds(before: TableFile, after: TableFile, order: 1 | -1): number {
  const { largest } = before;
  const { smallest } = after;
  if (!largest || !smallest) return 0;
  const keys = Buffer.compare(largest.userKey, smallest.userKey) * order;
  if (keys !== 0) return keys;
  return largest.seq > smallest.seq ? -1 : largest.seq < smallest.seq ? 1 : 0;
}
