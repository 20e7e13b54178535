/** Statements of the schema, as an image has them. */
import type { IndexColumn } from '../create-index.ts';
import type { SqliteTree } from '../schema.ts';
import { tokensOf } from '../tokens.ts';
import type { ImageEntry } from './image.ts';

/** Of an index that has no statement of its own: none of the file has it, or there is an error. */
const OWN_NAME = 'ddia computed';

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The table, and the indexes of its constraints, without which SQLite does not read it. */
export function tableEntries(trees: readonly SqliteTree[], table: SqliteTree): ImageEntry[] {
  const { name } = table;
  const entries: ImageEntry[] = [{ type: 'table', name, table: name, sql: table.sql ?? '' }];
  for (const tree of trees) {
    if (tree.kind !== 'index' || tree.of !== name || tree.sql !== undefined) continue;
    entries.push({ type: 'index', name: tree.name, table: name, sql: null });
  }
  return entries;
}

/** A table and all its indexes. */
export function familyOf(trees: readonly SqliteTree[], table: SqliteTree): ImageEntry[] {
  const { name } = table;
  const entries = tableEntries(trees, table);
  for (const tree of trees) {
    if (tree.kind !== 'index' || tree.of !== name || tree.sql === undefined) continue;
    entries.push({ type: 'index', name: tree.name, table: name, sql: tree.sql });
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
