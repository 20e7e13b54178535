/** Rows of the schema that contradict their statements, so that SQLite does not read them. */
import type { SqlValue } from '../model.ts';
import type { IndexColumn } from './create-index.ts';
import type { Fault, SchemaRow, SqliteTree } from './schema.ts';

/** What is wrong with a row whose statement is of another name, or of another table. */
export function misnamed(
  { name, table }: SchemaRow,
  created: string,
  of: string,
): string | undefined {
  const same = (one: SqlValue, other: string) => String(one).toLowerCase() === other.toLowerCase();
  if (same(name, created) && same(table, of)) return undefined;
  return `the row names "${name}" of "${table}", its statement "${created}" of "${of}"`;
}

/** The number of the constraint that an index without a statement is for, from 1; 0: of none. */
export function constraintOf(index: SqlValue): number {
  return Number(/_(\d+)$/.exec(String(index))?.[1] ?? 0);
}

/** Constraints whose index is not there: SQLite cannot write to such a table. */
export function missingIndexes(
  rows: readonly SchemaRow[],
  tables: ReadonlyMap<string, SqliteTree>,
): Fault[] {
  const faults: Fault[] = [];
  const there = new Set<string>();
  for (const { type, name, table, sql } of rows) {
    if (type !== 'index' || sql !== null) continue;
    there.add(`${String(table).toLowerCase()} ${constraintOf(name)}`);
  }
  for (const { type, name, page } of rows) {
    const table = type === 'table' ? tables.get(String(name).toLowerCase())?.table : undefined;
    table?.uniques.forEach((unique, i) => {
      // The table itself is that of the key of a table WITHOUT ROWID.
      if (table.withoutRowid && namesOf(unique) === namesOf(table.primaryKey)) return;
      if (there.has(`${String(name).toLowerCase()} ${i + 1}`)) return;
      const what = `${JSON.stringify(name)}: constraint ${i + 1} has no index`;
      faults.push({ page, what });
    });
  }
  return faults;
}

function namesOf(columns: readonly IndexColumn[]): string {
  return columns.map(({ name }) => name?.toLowerCase()).join(',');
}
