/** Reads from what is in memory and from the tables, as it was at one number. */
import { isDeletion } from '../../formats/sstable/entry-block.ts';
import { hashKey } from '../../formats/sstable/v2/hash.ts';
import { PointSearch } from '../../formats/sstable/v2/point.ts';
import type { Catalog } from './catalog.ts';
import type { Cursor } from './cursor.ts';
import { type Memtable, MemtableCursor } from './memtable.ts';
import type { RangeDeletion } from './range-deletions.ts';
import { Scan, type ScanOptions } from './scan.ts';
import { firstReaching, LevelCursor, TableFileCursor } from './table-cursor.ts';
import type { TableFile } from './table-file.ts';

export class Reader {
  readonly #search = new PointSearch();

  constructor(readonly catalog: Catalog) {}

  /** The value of a key, or null; `memtables` from newer to older. */
  get(memtables: readonly Memtable[], key: Uint8Array, seq: number): Buffer | null {
    const { levels } = this.catalog;
    const found = inMemory(memtables, key, seq);
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

  scan(memtables: readonly Memtable[], options: ScanOptions, seq: number): Scan {
    const [zero, ...below] = this.catalog.levels;
    const cursors: Cursor[] = memtables.map((memtable) => new MemtableCursor(memtable));
    for (const table of zero!) cursors.push(new TableFileCursor(table));
    for (const level of below) if (level.length > 0) cursors.push(new LevelCursor(level));
    const { tables } = this.catalog;
    const ranges: RangeDeletion[] = [
      ...memtables.flatMap((memtable) => memtable.ranges.list),
      ...tables.flatMap((table) => (table.entry.rangeDeletions > 0 ? table.ranges.list : [])),
    ].filter((range) => range.seq <= seq);
    return new Scan({ seq, cursors, ranges, tables }, options);
  }
}

/** Undefined: nothing there says anything of the key. */
function inMemory(
  memtables: readonly Memtable[],
  key: Uint8Array,
  seq: number,
): Buffer | null | undefined {
  for (const memtable of memtables) {
    const covering = memtable.ranges.count > 0 ? memtable.ranges.covering(key, seq) : 0;
    const node = memtable.find(key, seq);
    if (node !== 0 && memtable.seqOf(node) > covering) {
      return isDeletion(memtable.typeOf(node)) ? null : memtable.valueOf(node);
    }
    if (node !== 0 || covering > 0) return null;
  }
  return undefined;
}
