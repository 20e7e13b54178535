/** The trees of a database, and what is known of their rows, out of the rows of its schema. */
import type { SqlValue, TreeInfo } from '../model.ts';
import type { Collation, KeyColumn } from './compare.ts';
import { type Column, type CreatedTable, parseCreate } from './create.ts';
import type { IndexColumn } from './create-index.ts';
import { SCHEMA_NAME } from './layout.ts';
import { constraintOf, misnamed, missingIndexes } from './schema-faults.ts';
import { SqlError } from './tokens.ts';

export interface SqliteTree extends TreeInfo {
  readonly kind: 'table' | 'index';
  /** True for a table whose rows have a rowid. */
  readonly rowid: boolean;
  /** What the CREATE statement says; undefined where it cannot be read. */
  readonly table: CreatedTable | undefined;
  /** Columns of the record in their order, by their place in the table; -1: the rowid. */
  readonly stored: readonly number[];
  /** The columns' names, as `SELECT *` has them. */
  readonly names: readonly string[];
  /** Order of an index's columns; undefined: the application defines it. */
  readonly order: readonly KeyColumn[] | undefined;
  readonly unique: boolean;
  /** Of the columns in `order`, those that are to be unique, or the key. */
  readonly keyColumns: number;
  /** Of an index. */
  readonly of?: string | undefined;
  readonly partial?: boolean;
  readonly columns: readonly IndexColumn[];
  readonly sql: string | undefined;
}

/** A table and its indexes. */
export interface Family {
  table: SqliteTree;
  indexes: SqliteTree[];
}

export type SchemaType = 'table' | 'index' | 'view' | 'trigger';

export interface SchemaRow {
  page: number;
  type: SqlValue;
  name: SqlValue;
  table: SqlValue;
  root: SqlValue;
  sql: SqlValue;
}

export interface Fault {
  page: number;
  what: string;
  /** What the row was for is not known, so its tree is not read. */
  lost?: boolean;
}

export interface Schema {
  trees: SqliteTree[];
  /** By the table's name. */
  families: ReadonlyMap<string, Family>;
  faults: Fault[];
  /** What has no tree: views, triggers, virtual tables. */
  others: { type: SchemaType; name: string; table: string; sql: string }[];
}

const column = (name: string, type: string): Column => ({
  name,
  type,
  notNull: false,
  collation: 'BINARY',
  default: null,
  generated: '',
});

const SCHEMA_COLUMNS = [
  column('type', 'TEXT'),
  column('name', 'TEXT'),
  column('tbl_name', 'TEXT'),
  column('rootpage', 'INT'),
  column('sql', 'TEXT'),
];

export function schemaTree(): SqliteTree {
  const table: CreatedTable = {
    kind: 'table',
    name: SCHEMA_NAME,
    columns: SCHEMA_COLUMNS,
    withoutRowid: false,
    strict: false,
    primaryKey: [],
    autoincrement: false,
    rowidColumn: -1,
    checks: false,
    uniques: [],
  };
  return { ...tableTree(SCHEMA_NAME, 1, table, undefined), secondary: true };
}

/** Older formats of the schema know DESC, and ignore it. */
const DESCENDING_FROM_FORMAT = 4;

export function schemaOf(
  rows: readonly SchemaRow[],
  pageCount: number,
  schemaFormat: number,
): Schema {
  const trees: SqliteTree[] = [schemaTree()];
  const faults: Fault[] = [];
  const others: Schema['others'] = [];
  const tables = new Map<string, SqliteTree>();
  const names = new Set<string>();
  const late: SchemaRow[] = [];
  for (const row of rows) {
    const { page, type, name, root, sql } = row;
    const bad = (what: string, lost = false) =>
      faults.push({ page, what: `${JSON.stringify(name)}: ${what}`, lost });
    if (!isType(type)) {
      bad(`no type of the schema: ${JSON.stringify(type)}`, true);
      continue;
    }
    if (typeof name !== 'string' || (sql !== null && typeof sql !== 'string')) {
      bad('name or statement is no text', true);
      continue;
    }
    if (type === 'view' || type === 'trigger' || root === 0 || root === null) {
      if (typeof sql === 'string') others.push({ type, name, table: String(row.table), sql });
      if (sql === null || !/^\s*create\s/i.test(sql)) bad('no CREATE statement');
      continue;
    }
    const rootPage = Number(root);
    if (typeof root !== 'number' || rootPage < 2 || rootPage > pageCount) {
      bad(`root page ${root}, expected 2 to ${pageCount}`);
    }
    if (names.has(`${name.toLowerCase()}`)) bad('there is one of this name already');
    names.add(name.toLowerCase());
    if (type === 'index') late.push(row);
    else {
      const table = readTable(row, bad);
      const tree = tableTree(name, safeRoot(root), table, sql ?? undefined);
      trees.push(tree);
      tables.set(name.toLowerCase(), tree);
    }
  }
  for (const row of late) trees.push(indexTree(row, tables, faults));
  faults.push(...missingIndexes(rows, tables));
  if (schemaFormat < DESCENDING_FROM_FORMAT) {
    for (const tree of trees) for (const column of tree.order ?? []) column.descending = false;
  }
  return { trees, families: familiesOf(trees), faults, others };
}

function familiesOf(trees: readonly SqliteTree[]): Map<string, Family> {
  const families = new Map<string, Family>();
  for (const tree of trees) {
    const first = tree.kind === 'table' && !families.has(tree.name);
    if (first) families.set(tree.name, { table: tree, indexes: [] });
    else if (tree.of !== undefined) families.get(tree.of)?.indexes.push(tree);
  }
  return families;
}

function isType(type: SqlValue): type is SchemaType {
  return typeof type === 'string' && ['table', 'index', 'view', 'trigger'].includes(type);
}

/** A root that is none leads nowhere. */
function safeRoot(root: SqlValue): number {
  return typeof root === 'number' && root > 1 ? root : -1;
}

function readTable(row: SchemaRow, bad: (what: string) => void): CreatedTable | undefined {
  const { sql } = row;
  if (typeof sql !== 'string') {
    bad('a table without a CREATE statement');
    return undefined;
  }
  try {
    const created = parseCreate(sql);
    if (created.kind === 'table') {
      const other = misnamed(row, created.name, created.name);
      if (other) bad(other);
      return created;
    }
    bad('the statement creates no table');
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    bad(`malformed statement: ${error.message}`);
  }
  return undefined;
}

function tableTree(
  name: string,
  root: number,
  table: CreatedTable | undefined,
  sql: string | undefined,
): SqliteTree {
  const columns = table?.columns ?? [];
  const stored: number[] = [];
  const keys: IndexColumn[] = [];
  if (table?.withoutRowid) {
    for (const key of table.primaryKey) {
      const at = positionOf(table, key.name);
      // A column that is there already is left out, unless it is compared in another way.
      const same = (one: number, i: number) =>
        one === at && collationIn(table, keys[i]!) === collationIn(table, key);
      if (at < 0 || stored.some(same)) continue;
      stored.push(at);
      keys.push(key);
    }
  }
  columns.forEach((one, i) => {
    if (one.generated !== 'VIRTUAL' && !stored.includes(i)) stored.push(i);
  });
  return {
    name,
    root,
    kind: 'table',
    rowid: table === undefined || !table.withoutRowid,
    table,
    stored,
    names: columns.map((one) => one.name),
    order: table?.withoutRowid ? primaryOrder(table, keys) : undefined,
    unique: true,
    keyColumns: keys.length,
    columns: keys,
    sql,
  };
}

function primaryOrder(table: CreatedTable, keys: IndexColumn[]): KeyColumn[] | undefined {
  const order: KeyColumn[] = [];
  for (const key of keys) {
    const collation = collationIn(table, key);
    if (collation === undefined) return undefined;
    order.push({ collation, descending: key.descending });
  }
  return order;
}

/** Place of a column in its table; the rowid's own names are -1, what is no column -2. */
export function positionOf(table: CreatedTable, name: string | undefined): number {
  if (name === undefined) return -2;
  const lower = name.toLowerCase();
  const at = table.columns.findIndex((one) => one.name.toLowerCase() === lower);
  if (at >= 0) return at;
  return ['rowid', 'oid', '_rowid_'].includes(lower) ? -1 : -2;
}

function collationIn(table: CreatedTable, { name, collation }: IndexColumn): Collation | undefined {
  if (collation !== undefined) return collation === 'custom' ? undefined : collation;
  // An expression has none of the columns in it.
  const column = table.columns[positionOf(table, name)];
  return column ? column.collation : 'BINARY';
}

function indexTree(
  row: SchemaRow,
  tables: ReadonlyMap<string, SqliteTree>,
  faults: Fault[],
): SqliteTree {
  const { page, name, table: tableName, root, sql } = row;
  const bad = (what: string) => faults.push({ page, what: `${JSON.stringify(name)}: ${what}` });
  const tree = tables.get(String(tableName).toLowerCase());
  const table = tree?.table;
  const base = {
    name: String(name),
    root: safeRoot(root),
    kind: 'index' as const,
    rowid: false,
    table: undefined,
    secondary: true,
    of: tree?.name,
    sql: typeof sql === 'string' ? sql : undefined,
  };
  const unknown = {
    ...base,
    stored: [],
    names: [],
    order: undefined,
    unique: false,
    keyColumns: 0,
    columns: [],
  };
  if (!tree) {
    bad(`an index of ${JSON.stringify(tableName)}, which is no table`);
    return unknown;
  }
  let created: { columns: IndexColumn[]; unique: boolean; partial: boolean } | undefined;
  if (typeof sql === 'string') {
    try {
      const parsed = parseCreate(sql);
      if (parsed.kind === 'index') {
        created = parsed;
        const other = misnamed(row, parsed.name, parsed.table);
        if (other) bad(other);
      } else bad('the statement creates no index');
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      bad(`malformed statement: ${error.message}`);
    }
  } else {
    const columns = table?.uniques[constraintOf(name) - 1];
    if (columns) created = { columns, unique: true, partial: false };
    else if (table) bad('an index without a statement, and no constraint that has it');
  }
  if (!created || !table) return unknown;
  for (const { name: one, quoted } of created.columns) {
    if (one !== undefined && !quoted && positionOf(table, one) === -2)
      bad(`no column ${JSON.stringify(one)}`);
  }
  return { ...base, ...indexColumnsOf(tree, table, created) };
}

function indexColumnsOf(
  tree: SqliteTree,
  table: CreatedTable,
  created: { columns: IndexColumn[]; unique: boolean; partial: boolean },
) {
  const stored = created.columns.map(({ name }) => positionOf(table, name));
  const order: (KeyColumn | undefined)[] = created.columns.map((one) => {
    const collation = collationIn(table, one);
    return collation && { collation, descending: one.descending };
  });
  const names = created.columns.map(({ name }) => name ?? 'expression');
  const keyColumns = stored.length;
  if (tree.rowid) {
    stored.push(-1);
    order.push({ collation: 'BINARY', descending: false });
    names.push('rowid');
  } else {
    for (const [i, at] of tree.stored.slice(0, tree.keyColumns).entries()) {
      const own = tree.order?.[i];
      const same = (one: number, j: number) => one === at && order[j]?.collation === own?.collation;
      if (stored.some(same)) continue;
      stored.push(at);
      order.push(own && { collation: own.collation, descending: own.descending });
      names.push(table.columns[at]!.name);
    }
  }
  const known = order.every((one) => one !== undefined);
  return {
    stored,
    names,
    order: known ? (order as KeyColumn[]) : undefined,
    unique: created.unique,
    partial: created.partial,
    keyColumns,
    columns: created.columns,
  };
}
