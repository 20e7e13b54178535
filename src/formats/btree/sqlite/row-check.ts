/**
 * What is checked of the rows of a tree while it is walked: rowids ascend, records make sense,
 * columns that are never NULL are not, index entries are in order.
 */
import type { Check } from '../check.ts';
import { type Cell, rowidOf } from './cell.ts';
import { type Buffered, RecordOrder, words } from './compare.ts';
import type { SqliteFile } from './file.ts';
import { GrowingBuffer } from './payload.ts';
import { integerAt, isUsual, RecordHeader } from './record.ts';
import type { SqliteRecord } from './record-reader.ts';
import type { SqliteTree } from './schema.ts';
import { type ColumnTypes, columnTypes, STRICT_TYPES } from './types.ts';

export class RowCheck {
  /** The row before: where it lies, or in a copy. Its header is read when it is needed. */
  readonly #previous: Buffered = {
    bytes: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
    header: new RecordHeader(),
  };
  #start = 0;
  #length = 0;
  /** Of its first column, if that is compared as it lies: the serial type; 0: it is not. */
  #serial = 0;
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
  /** What more is asked of values, where that is wanted. */
  readonly #types: ColumnTypes | undefined;
  readonly #plain: boolean;
  readonly #quick: boolean;
  /** The first column of an index is compared as it lies. */
  readonly #leading: boolean;

  constructor(
    readonly file: SqliteFile,
    readonly tree: SqliteTree,
    readonly check: Check,
    types = false,
  ) {
    const { table, stored } = tree;
    if (tree.order) {
      const { encoding } = file.header;
      this.#order = new RecordOrder(tree.order, encoding);
    }
    this.#notNull = new Uint8Array(stored.length);
    stored.forEach((column, i) => {
      const of = table?.columns[column];
      if (of === undefined || column === table!.rowidColumn) return;
      this.#notNull[i] = of.notNull ? 1 : 0;
      if (table!.strict) this.#strict[i] = STRICT_TYPES[of.type];
    });
    this.#types = types ? columnTypes(tree, file.header.encoding) : undefined;
    this.#plain = !this.#notNull.includes(1) && this.#strict.length === 0 && !this.#types;
    const [first] = tree.order ?? [];
    this.#leading = first?.collation === 'BINARY' && !first.descending && !table?.strict;
    this.#quick = this.#order === undefined && this.#strict.length === 0;
  }

  /** Values are compared: records are needed whole. */
  get needsAll(): boolean {
    return this.#order !== undefined || this.#types?.texts === true;
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
    if (this.#types) this.#typed(this.#types, record, cell, slot, page);
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

  #typed(types: ColumnTypes, record: SqliteRecord, cell: Cell, slot: number, page: number): void {
    for (let i = 0; i < this.#notNull.length; i++) {
      const fault = types.fault(i, record);
      if (fault) this.#constraint(i, cell, slot, page, fault.expected, fault.actual);
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
      const { bytes, header: before } = this.#previous;
      before.parse(bytes, this.#start, this.#length, this.#start + this.#length);
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
    this.#known = record.whole;
    const { bytes, view, start, length } = record;
    const serial = bytes[start + 1]!;
    this.#serial = bytes[start]! < 0x80 && isLeading(serial) ? serial : 0;
    this.#place(bytes, view, start, length);
  }

  #place(bytes: Uint8Array, view: DataView, start: number, length: number): void {
    this.#previous.bytes = bytes;
    this.#previous.view = view;
    this.#start = start;
    this.#length = length;
  }

  /** The page that holds the record that is kept goes out of view: from here on a copy stands. */
  detach(): void {
    const copy = this.#copy;
    const { bytes } = this.#previous;
    if (!this.#order || !this.#known || bytes === copy.bytes) return;
    copy.reserve(this.#length);
    copy.bytes.set(bytes.subarray(this.#start, this.#start + this.#length), 0);
    this.#place(copy.bytes, copy.view, 0, this.#length);
  }

  /**
   * True for an entry of an index that is in order already by its first column, a text or a small
   * integer: most are, and need no closer look.
   */
  isNext(bytes: Uint8Array, view: DataView, at: number, payload: number): boolean {
    if (!this.#leading || !isUsual(bytes, at, payload, this.#notNull)) return false;
    const serial = bytes[at + 1]!;
    if (!isLeading(serial)) return false;
    const text = serial >= 13;
    const start = at + bytes[at]!;
    if (this.#known) {
      const before = this.#serial;
      if (before === 0 || before >= 13 !== text) return false;
      const previous = this.#previous;
      const from = this.#start + previous.bytes[this.#start]!;
      if (text) {
        const order = words(
          previous.view,
          from,
          (before - 13) >> 1,
          view,
          start,
          (serial - 13) >> 1,
        );
        if (order >= 0) return false;
      } else if (smallInteger(previous.view, from, before) >= smallInteger(view, start, serial)) {
        return false;
      }
    }
    this.#known = true;
    this.#serial = serial;
    this.#place(bytes, view, at, payload);
    return true;
  }

  /** True for a row of a table that needs no closer look. */
  isUsual(bytes: Uint8Array, at: number, payload: number): boolean {
    if (!this.#quick || !isUsual(bytes, at, payload, this.#notNull)) return false;
    return !this.#types || this.#types.isUsual(bytes, at);
  }
}

function anyNull(header: RecordHeader, count: number): boolean {
  for (let i = 0; i < count; i++) if (header.serials[i] === 0) return true;
  return false;
}

/** A short text or a small integer; all else is left to the closer look. */
function isLeading(serial: number): boolean {
  return serial >= 13 ? serial < 0x80 && (serial & 1) === 1 : serial >= 1 && serial <= 4;
}

function smallInteger(view: DataView, at: number, serial: number): number {
  return integerAt(view, at, serial) as number;
}
