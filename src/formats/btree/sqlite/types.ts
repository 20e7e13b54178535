/**
 * Types that the values of a table must have: exactly so in STRICT tables; in others as their
 * affinity leaves them, for SQLite changes a value before it writes it.
 */
import { affinityOf, NUMBER_TEXT } from './affinity.ts';
import type { Column } from './create.ts';
import { lengthOf } from './record.ts';
import type { SqliteRecord } from './record-reader.ts';
import type { SqliteTree } from './schema.ts';

/** Columns of STRICT tables, by the serial types that their values may have. */
export const STRICT_TYPES: Readonly<Record<string, (serial: number) => boolean>> = {
  INT: (s) => (s >= 1 && s <= 6) || s === 8 || s === 9,
  INTEGER: (s) => (s >= 1 && s <= 6) || s === 8 || s === 9,
  REAL: (s) => s >= 1 && s <= 9,
  TEXT: (s) => s >= 13 && s % 2 === 1,
  BLOB: (s) => s >= 12 && s % 2 === 0,
};

/** What may be wrong with a value of a column. */
const NO_NUMBER = 1;
const NO_NUMERIC_TEXT = 2;
const NOT_NULL = 4;
const NO_LONG_INTEGER = 8;
/** An integer of eight bytes. */
const LONG = 6;

/** Undefined: the columns of the tree ask for nothing. */
export function columnTypes(tree: SqliteTree, encoding: number): ColumnTypes | undefined {
  const { table, stored } = tree;
  if (!table) return undefined;
  const rules = new Uint8Array(stored.length);
  let least = 0;
  stored.forEach((column, i) => {
    const of = table.columns[column];
    if (of === undefined || column === table.rowidColumn) return;
    const affinity = affinityOf(of.type, table.strict);
    if (!table.strict && affinity === 'TEXT') rules[i] = NO_NUMBER;
    else if (!table.strict && affinity !== 'BLOB') rules[i] = NO_NUMERIC_TEXT;
    // SQLite writes a float without a fraction as an integer, and so none that is no float.
    if (affinity === 'REAL') rules[i]! |= NO_LONG_INTEGER;
    if (of.notNull) rules[i]! |= NOT_NULL;
  });
  // A record may end before a column whose default says what it is.
  stored.forEach((column, i) => {
    const of = table.columns[column];
    if (of && column !== table.rowidColumn && !stands(of, table.strict)) least = i + 1;
  });
  return least > 0 || rules.some((rule) => rule !== 0)
    ? new ColumnTypes(rules, least, encoding)
    : undefined;
}

/** The default is a value that the column may have. */
function stands({ default: value, notNull, type }: Column, strict: boolean): boolean {
  if (value === null) return !notNull;
  const fits = strict ? STRICT_TYPES[type] : undefined;
  if (value === undefined || !fits) return true;
  if (typeof value === 'string') return fits(13);
  if (value instanceof Uint8Array) return fits(12);
  return fits(typeof value === 'bigint' || Number.isInteger(value) ? 6 : 7);
}

export class ColumnTypes {
  /** Texts are looked at. */
  readonly texts: boolean;

  constructor(
    /** By place in the record. */
    readonly rules: Uint8Array,
    /** Columns that a record has at least. */
    readonly least: number,
    readonly encoding: number,
  ) {
    this.texts = rules.some((rule) => (rule & NO_NUMERIC_TEXT) !== 0);
  }

  /** True where nothing can be wrong, by the header of the record at `at`, which is in order. */
  isUsual(bytes: Uint8Array, at: number): boolean {
    const { rules } = this;
    const end = at + bytes[at]!;
    let column = 0;
    for (let p = at + 1; p < end; column++) {
      const rule = rules[column] ?? 0;
      const serial = bytes[p++]!;
      if (serial >= 0x80) {
        const odd = (bytes[p++]! & 1) === 1;
        if (odd && (rule & NO_NUMERIC_TEXT) !== 0) return false;
      } else if (serial >= 12) {
        if ((serial & 1) === 1 && (rule & NO_NUMERIC_TEXT) !== 0) return false;
      } else if (serial > 0) {
        if ((rule & NO_NUMBER) !== 0) return false;
        if (serial === LONG && (rule & NO_LONG_INTEGER) !== 0) return false;
        if (serial === 7 && (rule & NOT_NULL) !== 0) return false;
      }
    }
    return column >= this.least;
  }

  /** What is wrong with column `i` of a record. */
  fault(i: number, record: SqliteRecord): { expected: string; actual: string } | undefined {
    const rule = this.rules[i]!;
    const { header, bytes, view } = record;
    if (i >= header.columns) {
      if (i !== this.least - 1) return undefined;
      return { expected: 'a value of its own', actual: 'none' };
    }
    const serial = header.serials[i]!;
    const start = header.starts[i]!;
    if (serial > 0 && serial < 12) {
      if (serial === LONG && (rule & NO_LONG_INTEGER) !== 0 && record.whole) {
        const value = view.getBigInt64(start);
        if (BigInt(Number(value)) !== value) return { expected: 'a float', actual: `${value}` };
      }
      // SQLite reads a float that is no number as NULL.
      const none = serial === 7 && record.whole && Number.isNaN(view.getFloat64(start));
      if (none && (rule & NOT_NULL) !== 0) return { expected: 'not NULL', actual: 'NaN' };
      if (!none && (rule & NO_NUMBER) !== 0) return { expected: 'no number', actual: 'a number' };
    } else if ((serial & 1) === 1 && (rule & NO_NUMERIC_TEXT) !== 0 && record.whole) {
      if (isNumeric(bytes, start, start + lengthOf(serial), this.encoding)) {
        return { expected: 'a number', actual: 'its text' };
      }
    }
    return undefined;
  }
}

/** A text that a column of numbers would not keep, but change into the number that it is. */
function isNumeric(bytes: Uint8Array, start: number, end: number, encoding: number): boolean {
  const step = encoding === 1 ? 1 : 2;
  const low = encoding === 3 ? 1 : 0;
  let text = '';
  for (let p = start; p + step <= end; p += step) {
    if (step === 2 && bytes[p + 1 - low] !== 0) return false;
    const byte = bytes[p + low]!;
    // Nearly all of them: no character of a number.
    if (byte > 0x39 && byte !== 0x45 && byte !== 0x65) return false;
    text += String.fromCharCode(byte);
  }
  return NUMBER_TEXT.test(text);
}
