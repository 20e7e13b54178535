/**
 * Rows as INSERT statements. Whole ones in the order of their keys come first; those that were read
 * in part, or that stand out of order, where they may be there twice, come behind, and what the
 * table does not take goes to lost_and_found: none takes the place of another. Of a damaged file,
 * so does a row that stands in order, if its table has constraints.
 */
import type { BtreeRow, RowVisitor, SqlRow, SqlValue } from '../model.ts';
import { literal } from './salvage-literal.ts';
import { quoted } from './salvage-schema.ts';
import type { SqliteTree } from './schema.ts';

/** A table of SQLite has no more: rows that are wider, of damaged pages, are cut to so many. */
export const COLUMNS_MAX = 2000;
const LOST_COLUMNS = ['pgno', 'nfield', 'id'];
const ROWID_NAMES = ['rowid', '_rowid_', 'oid'];

export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `c${i}`);
}

/** Columns; of a row whose table is not known, they may all be its key. */
export function valuesOf({ key, value, columns }: SqlRow): SqlValue[] {
  return columns.length === 0 && Array.isArray(key) ? [...key, ...value] : value;
}

/** The table of rows that have no other, which is made with the first of them. */
export class LostTable {
  #columns: string[] = [];
  #made = false;

  constructor(
    readonly name: string,
    /** Of the lost rows, the most columns that one has. */
    readonly widest: number,
    readonly encoding: number,
    readonly write: (text: string) => void,
  ) {}

  /** With so many columns at least. */
  make(columnsMin = 0): void {
    if (this.#made) return;
    this.#made = true;
    const most = Math.max(this.widest, columnsMin);
    this.#columns = numbered(Math.min(most, COLUMNS_MAX - LOST_COLUMNS.length));
    const columns = [...LOST_COLUMNS, ...this.#columns].join(', ');
    this.write(`CREATE TABLE ${quoted(this.name)}(${columns});\n`);
  }

  /** `refused`: only if the statement before it put nothing in; the table is made then. */
  add(cells: SqlRow, page: number, refused = false): void {
    this.make();
    const { key } = cells;
    const values = valuesOf(cells);
    const kept = values.slice(0, this.#columns.length);
    const id = Array.isArray(key) ? null : key;
    const all = [page, values.length, id, ...kept].map((one) => literal(one, this.encoding));
    const names = [...LOST_COLUMNS, ...this.#columns.slice(0, kept.length)].join(',');
    const rows = refused ? `SELECT ${all.join(',')} WHERE changes()=0` : `VALUES(${all.join(',')})`;
    this.write(`INSERT INTO ${quoted(this.name)}(${names}) ${rows};\n`);
  }
}

/** Rows of one table, walked twice if need be. */
export class TableRows {
  count = 0;
  parts = 0;
  /** Rows that wait for the second walk. */
  later = 0;
  readonly #names: string[];
  /** The rowid's name, where no column is one. */
  readonly #rowid: string | undefined;
  /** Of the columns that are written: their places among those that a row has. */
  readonly #places: number[] | undefined;

  constructor(
    readonly tree: SqliteTree,
    columns: readonly string[],
    readonly encoding: number,
    readonly write: (text: string) => void,
    readonly lost: LostTable,
    /** Of the tables, the most columns that one has. */
    readonly widest: number,
    /** A row may be one that the table does not take, as its constraints are. */
    readonly guarded: boolean,
  ) {
    const { table, rowid } = tree;
    this.#names = columns.map(quoted);
    const lower = columns.map((one) => one.toLowerCase());
    const free = ROWID_NAMES.find((one) => !lower.includes(one));
    this.#rowid = rowid && (table?.rowidColumn ?? -1) < 0 ? free : undefined;
    const shown = table?.columns.filter((one) => one.generated !== 'VIRTUAL');
    this.#places = shown?.flatMap(({ generated }, i) => (generated === '' ? [i] : []));
  }

  first(): RowVisitor {
    return this.#visitor((row, sure) => {
      if (!sure) this.later++;
      else if (this.guarded) this.#offer(row);
      else this.write(`${this.#insert('INSERT', row)};\n`);
      this.count++;
      if (row.part) this.parts++;
    });
  }

  second(): RowVisitor {
    return this.#visitor((row, sure) => {
      if (!sure) this.#offer(row);
    });
  }

  /** To the table, and to lost_and_found if that does not take it. */
  #offer(row: BtreeRow): void {
    this.lost.make(this.widest);
    const part = row.part ? ' -- read in part' : '';
    this.write(`${this.#insert('INSERT OR IGNORE', row)};${part}\n`);
    this.lost.add(row.cells!, row.page, true);
  }

  /** `sure`: the row is whole, and its key is greater than those before it. */
  #visitor(tell: (row: BtreeRow, sure: boolean) => void): RowVisitor {
    let ordered = true;
    let highest: number | bigint | undefined;
    return {
      parts: true,
      row(row) {
        const { key } = row.cells!;
        let sure = ordered && !row.part;
        if (sure && !Array.isArray(key)) {
          const rowid = key as number | bigint;
          sure = highest === undefined || rowid > highest;
          if (sure) highest = rowid;
        }
        tell(row, sure);
      },
      finding({ code }) {
        if (code === 'key-order' || code === 'key-duplicate') ordered = false;
      },
      done: () => false,
    };
  }

  #insert(verb: string, { cells }: BtreeRow): string {
    const { key, value } = cells!;
    const all = this.#places?.map((i) => value[i]!) ?? valuesOf(cells!);
    const values = all.slice(0, this.#names.length).map((one) => literal(one, this.encoding));
    const names = this.#names.slice(0, values.length);
    if (this.#rowid !== undefined) {
      names.unshift(this.#rowid);
      values.unshift(literal(key as SqlValue, this.encoding));
    }
    return `${verb} INTO ${quoted(this.tree.name)}(${names.join(',')}) VALUES(${values.join(',')})`;
  }
}
