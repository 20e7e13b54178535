/**
 * A database as SQL: its schema, the rows that can be read, and a table lost_and_found for those of
 * leaves that no tree leads to, as sqlite3's .recover has it.
 */
import type { SalvageReport } from '../../format.ts';
import type { BtreeContext, BtreeRow } from '../model.ts';
import { run } from '../steps.ts';
import type { SqliteFile } from './file.ts';
import { ENCODINGS } from './layout.ts';
import { literal } from './salvage-literal.ts';
import { COLUMNS_MAX, LostTable, numbered, TableRows, valuesOf } from './salvage-rows.ts';
import { isWhole, quoted, statementText } from './salvage-schema.ts';
import type { Schema, SqliteTree } from './schema.ts';

/** As SQLite puts every such statement. */
const UNIQUE = /^CREATE UNIQUE INDEX /;

export async function salvageSql(
  file: SqliteFile,
  context: BtreeContext,
  lost: readonly number[],
  write: (text: string) => void,
  report: SalvageReport,
  /** Nothing is wrong in it: no row has to be refused by its table. */
  healthy: boolean,
): Promise<void> {
  const { schema } = file;
  // A blob that is taken for a text is one of the database's encoding.
  const { encoding } = file.header;
  if (encoding !== 1) write(`PRAGMA encoding='${ENCODINGS[encoding]}';\n`);
  write('PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n');
  const tables = schema.trees.filter((tree) => tree.kind === 'table' && !tree.secondary);
  const found = new LostTable(freeName(file), widestOf(file, lost), encoding, write);
  // AUTOINCREMENT tables make it, with rows that give way to its own. Without one it is not there.
  const last = tables.some(({ table }) => table?.autoincrement) ? tables.filter(isSequence) : [];
  const named: [SqliteTree, string[]][] = [];
  for (const tree of [...tables.filter((one) => !isSequence(one)), ...last]) {
    named.push([tree, await columnsOf(file, context, tree)]);
  }
  const widest = named.reduce((most, [, { length }]) => Math.max(most, length), 0);
  for (const [tree, names] of named) {
    if (!isInternal(tree.name)) {
      if (tree.sql !== undefined) write(statementText(tree.sql));
      // Where SQLite cannot read the statement, the rows have a place all the same.
      if (names.length > 0) write(plainTable(tree.name, names));
    }
    if (isSequence(tree)) write('DELETE FROM sqlite_sequence;\n');
    report.trees++;
    if (isInternal(tree.name) && !isSequence(tree)) continue; // statistics come with ANALYZE
    const guarded = healthy ? isComputed(tree) : mayRefuse(tree);
    const rows = new TableRows(tree, names, encoding, write, found, widest, guarded);
    await run(file.rows(tree, {}, rows.first()), context, file);
    if (rows.later > 0) await run(file.rows(tree, {}, rows.second()), context, file);
    report.rows += rows.count;
    report.parts += rows.parts;
  }
  for (const tree of schema.trees) {
    if (tree.kind !== 'index' || tree.sql === undefined) continue;
    write(statementText(tree.sql));
    // Where rows have a key twice, it is an index all the same.
    if (!healthy && UNIQUE.test(tree.sql)) {
      write(statementText(tree.sql.replace(UNIQUE, 'CREATE INDEX IF NOT EXISTS ')));
    }
  }
  const virtual = schema.others.filter(isVirtual);
  for (const one of schema.others) if (!virtual.includes(one)) write(statementText(one.sql));
  if (virtual.length > 0) writeVirtual(virtual, encoding, write);
  for (const [page, rows] of looseRows(file, lost)) {
    for (const row of rows) {
      found.add(row.cells!, page);
      report.orphans++;
      if (row.part) report.parts++;
    }
  }
  write('COMMIT;\n');
}

/**
 * A virtual table goes straight into the schema: CREATE would make its shadow tables, which are
 * there with their rows.
 */
function writeVirtual(
  tables: Schema['others'],
  encoding: number,
  write: (text: string) => void,
): void {
  write('PRAGMA writable_schema=ON;\n');
  for (const { name, sql } of tables) {
    const values = ['table', name, name, 0, sql].map((one) => literal(one, encoding)).join(',');
    write(`INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql) VALUES(${values});\n`);
  }
  write('PRAGMA writable_schema=OFF;\n');
}

/** Any other statement would make the new database one that cannot be opened. */
function isVirtual({ type, sql }: Schema['others'][number]): boolean {
  return type === 'table' && /^\s*CREATE\s+VIRTUAL\s+TABLE\s/i.test(sql) && isWhole(sql);
}

function isSequence({ name }: { name: string }): boolean {
  return name.toLowerCase() === 'sqlite_sequence';
}

function isInternal(name: string): boolean {
  return name.toLowerCase().startsWith('sqlite_');
}

/** It asks for more than that rows come in the order of their rowids. */
function mayRefuse({ table }: SqliteTree): boolean {
  if (!table || table.checks || table.strict || table.uniques.length > 0) return true;
  return table.columns.some(({ notNull, generated }) => notNull || generated !== '');
}

/** A column that is stored is computed anew, which nothing has tried before. */
function isComputed({ table }: SqliteTree): boolean {
  return table?.columns.some(({ generated }) => generated === 'STORED') ?? false;
}

/** Names of the columns that are written; numbers where the statement does not tell them. */
async function columnsOf(
  file: SqliteFile,
  context: BtreeContext,
  tree: SqliteTree,
): Promise<string[]> {
  const known = tree.table?.columns.filter((one) => one.generated === '');
  if (known) return known.map(({ name }) => name);
  let widest = 0;
  const row = ({ cells }: BtreeRow) => {
    widest = Math.max(widest, valuesOf(cells!).length);
  };
  const visitor = { parts: true, row, finding() {}, done: () => false };
  await run(file.rows(tree, {}, visitor), context, file);
  return numbered(Math.min(widest, COLUMNS_MAX));
}

function plainTable(name: string, columns: readonly string[]): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(name)}(${columns.map(quoted).join(',')});\n`;
}

/** Rows of pages that nobody leads to. */
function* looseRows(file: SqliteFile, lost: readonly number[]): Generator<[number, BtreeRow[]]> {
  for (const page of lost) {
    const rows: BtreeRow[] = [];
    const row = (one: BtreeRow) => rows.push({ ...one });
    file.loose(page, { parts: true, row, finding() {}, done: () => false });
    yield [page, rows];
  }
}

function widestOf(file: SqliteFile, lost: readonly number[]): number {
  let widest = 0;
  for (const [, rows] of looseRows(file, lost)) {
    for (const { cells } of rows) widest = Math.max(widest, valuesOf(cells!).length);
  }
  return widest;
}

/** lost_and_found, or with a number behind it where the database has such a table. */
function freeName(file: SqliteFile): string {
  const taken = new Set(file.trees.map(({ name }) => name.toLowerCase()));
  let name = 'lost_and_found';
  for (let i = 0; taken.has(name); i++) name = `lost_and_found_${i}`;
  return name;
}
