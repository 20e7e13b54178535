/** First and last key of a table, by its first and its last block. */
import { EntryBlock } from './entry-block.ts';
import type { OpenTable, TableDamage } from './model.ts';
import { TableCursor } from './range.ts';

export async function keysOf(
  table: OpenTable,
  onDamage: (damage: TableDamage) => void,
): Promise<{ first: Uint8Array | undefined; last: Uint8Array | undefined }> {
  const ends: (Uint8Array | undefined)[] = [];
  for (const reverse of [false, true]) {
    const cursor = new TableCursor(table, {}, reverse, onDamage);
    ends.push((await cursor.next()) ? cursor.block.key(cursor.index).slice() : undefined);
  }
  let [first, last] = ends as [Uint8Array | undefined, Uint8Array | undefined];
  const ranges = new EntryBlock();
  if (await table.readRangeDeletions?.(ranges)) {
    for (let i = 0; i < ranges.count; i++) {
      const begin = ranges.key(i).slice();
      const end = ranges.value(i)?.slice() ?? begin;
      if (!first || Buffer.compare(begin, first) < 0) first = begin;
      if (!last || Buffer.compare(end, last) > 0) last = end;
    }
  }
  return { first, last };
}
