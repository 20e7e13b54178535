/** Rows of tables and indexes, as `SELECT *` would give them. */
import type { BtreeRow, Range, SqlValue } from '../model.ts';
import { keyText } from '../print.ts';
import { boundsOf, isBounded } from '../range.ts';
import { type Cell, rowidOf } from './cell.ts';
import type { SqliteFile } from './file.ts';
import type { SqliteRecord } from './record-reader.ts';
import type { SqliteTree } from './schema.ts';
import type { RowidBounds } from './walk-options.ts';

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

export function fillRow(
  row: BtreeRow,
  file: SqliteFile,
  tree: SqliteTree,
  record: SqliteRecord,
  cell: Cell,
  page: number,
  slot: number,
): void {
  const { header, bytes, view } = record;
  const rowid = rowidOf(cell.rowHigh, cell.rowLow);
  const value = (i: number) => header.value(i, bytes, view, file.decodeExactly);
  row.page = page;
  row.slot = slot;
  row.length = cell.size;
  row.part = !record.whole;
  // Buffers hold whole pages.
  row.offset = (page - 1) * file.pageSize + (cell.from % file.pageSize);
  if (tree.kind === 'index') {
    const key: SqlValue[] = [];
    const rest: SqlValue[] = [];
    for (let i = 0; i < header.columns; i++) (i < tree.keyColumns ? key : rest).push(value(i));
    row.cells = { key, value: rest, columns: tree.names.slice(tree.keyColumns) };
    return;
  }
  const { table } = tree;
  if (!table) {
    const all: SqlValue[] = [];
    for (let i = 0; i < header.columns; i++) all.push(value(i));
    row.cells = tree.rowid
      ? { key: rowid, value: all, columns: [] }
      : { key: all, value: [], columns: [] };
    return;
  }
  const columns: SqlValue[] = [];
  const names: string[] = [];
  table.columns.forEach((column, at) => {
    if (column.generated === 'VIRTUAL') return;
    const i = tree.stored.indexOf(at);
    names.push(column.name);
    if (at === table.rowidColumn) columns.push(rowid);
    else if (i < header.columns) columns.push(value(i));
    // Rows written before the column was added have what was its default then.
    else columns.push(column.default ?? null);
  });
  const key = tree.rowid
    ? rowid
    : tree.stored.slice(0, tree.keyColumns).map((_, i) => (i < header.columns ? value(i) : null));
  row.cells = { key, value: columns, columns: names };
}

/** --from, --to or one key, where they are rowids. */
export function rangeOfRows({ from, to }: Range): RowidBounds | undefined {
  const least = integer(from);
  if (from && to && isSuccessor(from, to)) {
    return least === undefined ? undefined : { from: least, to: least };
  }
  const most = integer(to);
  if (least === undefined && most === undefined) return undefined;
  return { from: least ?? LEAST, to: most === undefined ? MOST : most - 1n };
}

/** Bounds that are no rowids hold for the key's text. */
export function rowFilter(range: Range): (row: BtreeRow) => boolean {
  const exact = range.from && range.to && isSuccessor(range.from, range.to);
  const numeric = !exact && rangeOfRows(range) !== undefined;
  const bounds = boundsOf(numeric ? { prefix: range.prefix } : range);
  const wanted = numeric ? rangeOfRows(range) : undefined;
  if (!isBounded(bounds) && !wanted) return () => true;
  return (row) => {
    const { key } = row.cells!;
    if (wanted && !Array.isArray(key)) {
      const rowid = BigInt(key as number | bigint);
      if (rowid < wanted.from || rowid > wanted.to) return false;
    }
    const text = keyText(row);
    const { from, to } = numeric && Array.isArray(key) ? boundsOf(range) : bounds;
    return !(from && Buffer.compare(text, from) < 0) && !(to && Buffer.compare(text, to) >= 0);
  };
}

function integer(bytes: Uint8Array | undefined): bigint | undefined {
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString();
  if (!/^-?\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value < LEAST || value > MOST ? undefined : value;
}

/** The range of one key alone. */
function isSuccessor(from: Uint8Array, to: Uint8Array): boolean {
  return to.length === from.length + 1 && to.at(-1) === 0;
}
