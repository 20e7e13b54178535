/**
 * What is checked of the rows of a tree while it is walked: rowids ascend, records make sense,
 * columns that are never NULL are not, index entries are in order.
 */
import type { Check } from '../check.ts';
import { type Cell, rowidOf } from './cell.ts';
import { type Buffered, RecordOrder } from './compare.ts';
import type { SqliteFile } from './file.ts';
import { GrowingBuffer } from './payload.ts';
import { RecordHeader } from './record.ts';
import type { SqliteRecord } from './record-reader.ts';
import type { SqliteTree } from './schema.ts';

/** Columns of STRICT tables, by the serial types that their values may have. */
const STRICT_TYPES: Readonly<Record<string, (serial: number) => boolean>> = {
  INT: (s) => (s >= 1 && s <= 6) || s === 8 || s === 9,
  INTEGER: (s) => (s >= 1 && s <= 6) || s === 8 || s === 9,
  REAL: (s) => s >= 1 && s <= 9,
  TEXT: (s) => s >= 13 && s % 2 === 1,
  BLOB: (s) => s >= 12 && s % 2 === 0,
};

export class RowCheck {
  /** Of the row before, in the page's buffer or in a copy. */
  readonly #previous: Buffered;
  readonly #copy = new GrowingBuffer();
  #known = false;
  #rowidKnown = false;
  #rowHigh = 0;
  #rowLow = 0;
  #page = 0;
  #parent = 0;
  readonly #order: RecordOrder | undefined;
  /** By place in the record: must not be NULL. */
  readonly #notNull: Uint8Array;
  readonly #strict: (((serial: number) => boolean) | undefined)[] = [];
  readonly #plain: boolean;

  constructor(
    readonly file: SqliteFile,
    readonly tree: SqliteTree,
    readonly check: Check,
  ) {
    const { table, stored } = tree;
    if (tree.order) {
      const { encoding } = file.header;
      this.#order = new RecordOrder(tree.order, encoding, file.decode);
    }
    const header = new RecordHeader();
    this.#previous = { bytes: this.#copy.bytes, view: this.#copy.view, header };
    this.#notNull = new Uint8Array(stored.length);
    stored.forEach((column, i) => {
      const of = table?.columns[column];
      if (of === undefined || column === table!.rowidColumn) return;
      this.#notNull[i] = of.notNull ? 1 : 0;
      if (table!.strict) this.#strict[i] = STRICT_TYPES[of.type];
    });
    this.#plain = !this.#notNull.includes(1) && this.#strict.length === 0;
  }

  /** Values are compared: records are needed whole. */
  get needsAll(): boolean {
    return this.#order !== undefined;
  }

  beginPage(page: number, parent: number): void {
    this.#page = page;
    this.#parent = parent;
  }

  /** What came before is not known: a page in between could not be read. */
  forget(): void {
    this.#known = false;
    this.#rowidKnown = false;
  }

  /** Rowids ascend; a separator is not less than what lies before it. */
  rowid(cell: Cell, slot: number, separator: boolean, page = this.#page, parent?: number): void {
    const { rowHigh, rowLow } = cell;
    if (this.#rowidKnown) {
      let order = rowHigh - this.#rowHigh;
      if (order === 0) order = rowLow - this.#rowLow;
      if (separator ? order < 0 : order <= 0) this.#disorder(cell, slot, separator, page, parent);
    }
    this.#rowidKnown = true;
    this.#rowHigh = rowHigh;
    this.#rowLow = rowLow;
  }

  #disorder(
    cell: Cell,
    slot: number,
    separator: boolean,
    page: number,
    parent = this.#parent,
  ): void {
    const last = `${rowidOf(this.#rowHigh, this.#rowLow)}`;
    const expected = `${separator ? 'at least' : 'more than'} ${last}`;
    const actual = `${rowidOf(cell.rowHigh, cell.rowLow)}`;
    const said = { page, parent: parent === 0 ? undefined : parent, expected, actual };
    if (separator) {
      this.check.finding('key-range', `separator ${slot} is less than a rowid before it`, said);
    } else this.check.finding('key-order', `rowid of cell ${slot} is out of order`, said);
  }

  record(record: SqliteRecord, cell: Cell, slot: number, page: number): void {
    const { header } = record;
    if (record.fault !== '') {
      const what = `the record of cell ${slot} is malformed: ${record.fault}`;
      this.check.finding('record-bad', what, { page });
      return;
    }
    if (!this.#plain) this.#columns(header, cell, slot, page);
    if (this.#order && record.whole) this.#compare(record, slot, page);
  }

  #columns(header: RecordHeader, cell: Cell, slot: number, page: number): void {
    const count = Math.min(header.columns, this.#notNull.length);
    for (let i = 0; i < count; i++) {
      const serial = header.serials[i]!;
      if (serial === 0) {
        if (this.#notNull[i] === 1) this.#constraint(i, cell, slot, page, 'not NULL', 'NULL');
        continue;
      }
      const fits = this.#strict[i];
      if (fits && !fits(serial)) {
        const { type } = this.tree.table!.columns[this.tree.stored[i]!]!;
        this.#constraint(i, cell, slot, page, type, `serial type ${serial}`);
      }
    }
  }

  #constraint(
    i: number,
    cell: Cell,
    slot: number,
    page: number,
    expected: string,
    actual: string,
  ): void {
    const name = this.tree.table!.columns[this.tree.stored[i]!]!.name;
    const row = this.tree.rowid ? ` of rowid ${rowidOf(cell.rowHigh, cell.rowLow)}` : '';
    const what = `${this.tree.name}.${name}${row} (cell ${slot}) is not what the table asks for`;
    this.check.finding('value-type', what, { page, expected, actual });
  }

  /** Each entry is greater than the one before; a unique index has no key twice. */
  #compare(record: SqliteRecord, slot: number, page: number): void {
    const order = this.#order!;
    if (this.#known) {
      const sign = order.compare(this.#previous, record);
      const { unique, keyColumns, name } = this.tree;
      const parent = this.#parent === 0 ? undefined : this.#parent;
      if (sign >= 0) {
        const what = `entry ${slot} of ${name} is not greater than the one before it`;
        this.check.finding('key-order', what, { page, parent });
      } else if (unique && order.equal >= keyColumns && !anyNull(record.header, keyColumns)) {
        const what = `entry ${slot} of ${name} has the same key as the one before it`;
        this.check.finding('key-duplicate', what, { page, parent });
      }
    }
  }

  /** Keeps the record to compare the next one with it. */
  keep(record: SqliteRecord): void {
    if (!this.#order) return;
    this.#known = record.whole;
    if (!record.whole) return;
    const copy = this.#copy;
    copy.reserve(record.length);
    const { start, length } = record;
    copy.bytes.set(record.bytes.subarray(start, start + length), 0);
    this.#previous.bytes = copy.bytes;
    this.#previous.view = copy.view;
    const from = record.header;
    const to = this.#previous.header;
    to.columns = from.columns;
    if (to.serials.length < from.columns) {
      to.serials = new Float64Array(from.serials.length);
      to.starts = new Float64Array(from.serials.length);
    }
    for (let i = 0; i < from.columns; i++) {
      to.serials[i] = from.serials[i]!;
      to.starts[i] = from.starts[i]! - start;
    }
  }
}

function anyNull(header: RecordHeader, count: number): boolean {
  for (let i = 0; i < count; i++) if (header.serials[i] === 0) return true;
  return false;
}
