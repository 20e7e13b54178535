/** Statements of the schema, as an image has them. */
import type { IndexColumn } from '../create-index.ts';
import type { Family, SqliteTree } from '../schema.ts';
import { tokensOf } from '../tokens.ts';
import type { ImageEntry } from './image.ts';

/** Of an index that has no statement of its own: none of the file has it, or there is an error. */
const OWN_NAME = 'ddia computed';

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The table, and its indexes: without those of its constraints SQLite does not read it. */
export function entriesOf({ table, indexes }: Family, all: boolean): ImageEntry[] {
  const of = table.name;
  const entries: ImageEntry[] = [{ type: 'table', name: of, table: of, sql: table.sql ?? '' }];
  for (const { name, sql } of indexes) {
    if (all || sql === undefined)
      entries.push({ type: 'index', name, table: of, sql: sql ?? null });
  }
  return entries;
}

/** An index that takes the same entries, duplicates too: there may be some after damage. */
export function indexEntry(index: SqliteTree, table: SqliteTree): ImageEntry {
  const of = { type: 'index' as const, table: table.name };
  if (index.sql === undefined) {
    const columns = index.columns.map(columnText).join(', ');
    const sql = `CREATE INDEX ${quoted(OWN_NAME)} ON ${quoted(table.name)}(${columns})`;
    return { ...of, name: OWN_NAME, sql };
  }
  const [, unique] = tokensOf(index.sql);
  let { sql } = index;
  if (unique?.text.toUpperCase() === 'UNIQUE') {
    sql = sql.slice(0, unique.at) + sql.slice(unique.at + 'UNIQUE'.length);
  }
  return { ...of, name: index.name, sql };
}

function columnText({ name, collation, descending }: IndexColumn): string {
  const collated = collation === undefined ? '' : ` COLLATE ${collation}`;
  return quoted(name ?? '') + collated + (descending ? ' DESC' : '');
}
