/**
 * A database as SQL: its schema, the rows that can be read, and a table lost_and_found for those of
 * leaves that no tree leads to, as sqlite3's .recover has it.
 */
import type { SalvageReport } from '../../format.ts';
import { type BtreeContext, type BtreeRow, type SqlValue, WholeReal } from '../model.ts';
import { run } from '../steps.ts';
import type { SqliteFile } from './file.ts';
import { ENCODINGS } from './layout.ts';
import type { Schema, SqliteTree } from './schema.ts';

/** Columns of lost rows: wider ones are cut to so many. */
const LOST_COLUMNS_MAX = 100;

export async function salvageSql(
  file: SqliteFile,
  context: BtreeContext,
  lost: readonly number[],
  write: (text: string) => void,
  report: SalvageReport,
): Promise<void> {
  const { schema } = file;
  // A blob that is taken for a text is one of the database's encoding.
  const { encoding } = file.header;
  if (encoding !== 1) write(`PRAGMA encoding='${ENCODINGS[encoding]}';\n`);
  write('PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n');
  const tables = schema.trees.filter((tree) => tree.kind === 'table' && !tree.secondary);
  // AUTOINCREMENT tables make it, with rows that give way to its own. Without one it is not there.
  const last = tables.some(({ table }) => table?.autoincrement) ? tables.filter(isSequence) : [];
  for (const tree of [...tables.filter((one) => !isSequence(one)), ...last]) {
    if (tree.sql !== undefined && !isInternal(tree.name)) write(`${statement(tree.sql)};\n`);
    if (isSequence(tree)) write('DELETE FROM sqlite_sequence;\n');
    report.trees++;
    await run(file.rows(tree, {}, rowsOf(tree, write, report)), context, file);
  }
  for (const tree of schema.trees) {
    if (tree.kind === 'index' && tree.sql !== undefined) write(`${statement(tree.sql)};\n`);
  }
  for (const { type, sql } of schema.others) {
    if (type !== 'table') write(`${statement(sql)};\n`);
  }
  const virtual = schema.others.filter(({ type }) => type === 'table');
  if (virtual.length > 0) writeVirtual(virtual, write);
  writeLost(file, lost, write, report);
  write('COMMIT;\n');
}

/**
 * A virtual table goes straight into the schema: CREATE would make its shadow tables, which are
 * there with their rows.
 */
function writeVirtual(tables: Schema['others'], write: (text: string) => void): void {
  write('PRAGMA writable_schema=ON;\n');
  for (const { name, sql } of tables) {
    const values = ['table', name, name, 0, statement(sql)].map(literal).join(',');
    write(`INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql) VALUES(${values});\n`);
  }
  write('PRAGMA writable_schema=OFF;\n');
}

function isSequence({ name }: SqliteTree): boolean {
  return name.toLowerCase() === 'sqlite_sequence';
}

function isInternal(name: string): boolean {
  return name.toLowerCase().startsWith('sqlite_');
}

function statement(sql: string): string {
  return sql.trim().replace(/;+$/, '');
}

function rowsOf(tree: SqliteTree, write: (text: string) => void, report: SalvageReport) {
  const generated = new Set(
    (tree.table?.columns ?? []).filter((one) => one.generated !== '').map((one) => one.name),
  );
  const hasAlias = (tree.table?.rowidColumn ?? -1) >= 0;
  // sqlite_sequence is made by AUTOINCREMENT tables; statistics come back with ANALYZE.
  const skipped = isInternal(tree.name) && !isSequence(tree);
  return {
    row(row: BtreeRow) {
      if (skipped) return;
      const { key, value, columns } = row.cells!;
      const kept = columns.map((name, i) => ({ name, value: value[i]! }));
      const named = kept.filter(({ name }) => !generated.has(name));
      const names = named.map(({ name }) => quoted(name));
      const values = named.map((one) => literal(one.value));
      if (tree.rowid && !hasAlias && !columns.some((name) => name.toLowerCase() === 'rowid')) {
        names.unshift('rowid');
        values.unshift(literal(key as SqlValue));
      }
      write(`INSERT INTO ${quoted(tree.name)}(${names.join(',')}) VALUES(${values.join(',')});\n`);
      report.rows++;
    },
    finding() {},
    done: () => false,
  };
}

function writeLost(
  file: SqliteFile,
  lost: readonly number[],
  write: (text: string) => void,
  report: SalvageReport,
): void {
  let widest = 0;
  const each = (visit: (row: BtreeRow, page: number) => void) => {
    for (const page of lost) {
      file.loose(page, { row: (row) => visit(row, page), finding() {}, done: () => false });
    }
  };
  const valuesOf = ({ cells }: BtreeRow): SqlValue[] => {
    const { key, value } = cells!;
    return (Array.isArray(key) ? key : value).slice(0, LOST_COLUMNS_MAX);
  };
  each((row) => {
    widest = Math.max(widest, valuesOf(row).length);
    report.orphans++;
  });
  if (report.orphans === 0) return;
  const columns = Array.from({ length: widest }, (_, i) => `c${i}`);
  const table = freeName(file);
  write(`CREATE TABLE ${quoted(table)}(${['pgno', 'nfield', 'id', ...columns].join(', ')});\n`);
  each((row, page) => {
    const values = valuesOf(row);
    const { key } = row.cells!;
    const id = Array.isArray(key) ? null : key;
    const all = [page, values.length, id, ...values].map(literal);
    const names = ['pgno', 'nfield', 'id', ...columns.slice(0, values.length)];
    write(`INSERT INTO ${quoted(table)}(${names.join(',')}) VALUES(${all.join(',')});\n`);
  });
}

/** lost_and_found, or with a number behind it where the database has such a table. */
function freeName(file: SqliteFile): string {
  const taken = new Set(file.trees.map(({ name }) => name.toLowerCase()));
  let name = 'lost_and_found';
  for (let i = 0; taken.has(name); i++) name = `lost_and_found_${i}`;
  return name;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) {
    return `X'${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}'`;
  }
  if (typeof value === 'string') {
    // A zero byte ends a statement: text with one goes as its bytes.
    if (value.includes('\0')) return `CAST(X'${Buffer.from(value).toString('hex')}' AS TEXT)`;
    return `'${value.replaceAll("'", "''")}'`;
  }
  if (typeof value === 'bigint')
    return value === -(2n ** 63n) ? '(-9223372036854775807-1)' : `${value}`;
  if (value instanceof WholeReal) {
    const { value: real } = value;
    return Math.abs(real) < 1e15 ? real.toFixed(1) : real.toExponential(17);
  }
  if (Number.isInteger(value) && Math.abs(value) >= 2 ** 53) return `${value.toExponential(17)}`;
  if (value === Number.POSITIVE_INFINITY) return '9e999';
  if (value === Number.NEGATIVE_INFINITY) return '-9e999';
  return String(value);
}
