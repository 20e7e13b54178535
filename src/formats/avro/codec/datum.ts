/**
 * Reading a datum with a schema, or a writer's and a reader's: the fast reading, and where that
 * stops, the exact account of why.
 */

import { resolve } from '../resolve/resolve.ts';
import type { AvroType } from '../schema/model.ts';
import { BREACH, type Cursor } from './cursor.ts';
import type { JsonOut } from './json-out.ts';
import type { ModeOptions } from './mode.ts';
import { type JsonReader, jsonReader } from './read-json.ts';
import { type ValueReader, valueReader } from './read-value.ts';
import { type DatumFault, walkDatum } from './walk.ts';

export const PLAIN: ModeOptions = { mode: 'plain', logical: false };
export const NATIVE: ModeOptions = { mode: 'native', logical: false };

/** What goes round a fast reading of one datum. */
class DatumReading {
  readonly faults: DatumFault[] = [];
  #emptyItems = 0;

  constructor(readonly writer: AvroType) {}

  /** Before a datum; returns where it begins. */
  begin(cursor: Cursor): number {
    if (this.faults.length > 0) this.faults.length = 0;
    cursor.overlong = false;
    cursor.problem = undefined;
    cursor.depth = 0;
    this.#emptyItems = cursor.emptyItems;
    return cursor.at;
  }

  /**
   * Behind a datum that was read without a breach: false if it goes beyond the end. `faults` has
   * what does not hinder the reading, as warnings.
   */
  end(cursor: Cursor, start: number): boolean {
    if (cursor.at > cursor.end) return this.broken(cursor, start, BREACH);
    if (cursor.overlong) this.#explain(cursor, start);
    return true;
  }

  /** A datum that cannot be read: `faults` says why, and the cursor is back where it began. */
  broken(cursor: Cursor, start: number, error: unknown): false {
    if (error !== BREACH) throw error;
    this.#refused(cursor, start);
    cursor.at = start;
    return false;
  }

  #refused(cursor: Cursor, start: number): void {
    const { problem, at } = cursor;
    if (problem) {
      const offset = Math.min(at, cursor.end);
      this.#unresolvable(offset, problem.path, problem.message);
      return;
    }
    const fault = this.#explain(cursor, start);
    if (fault) this.faults.push(fault);
    // Nothing is wrong with the data as such: what is left is text of other bytes.
    else this.#unresolvable(start, '', 'bytes that are to be read as a string are no UTF-8');
  }

  #unresolvable(offset: number, path: string, message: string): void {
    const fault = { severity: 'error' as const, offset, length: 0, path, message };
    this.faults.push({ code: 'unresolvable', ...fault });
  }

  /** Collects warnings; what ends the reading is returned. */
  #explain(cursor: Cursor, start: number): DatumFault | undefined {
    const { bytes, end } = cursor;
    const warn = (fault: DatumFault) => this.faults.push(fault);
    return walkDatum(this.writer, bytes, start, end, { warn }, this.#emptyItems).fault;
  }
}

/** Prints data as JSON. */
export class DatumPrinter {
  readonly #reading: DatumReading;
  readonly #read: JsonReader;

  constructor(writer: AvroType, reader: AvroType = writer, options: ModeOptions = PLAIN) {
    this.#reading = new DatumReading(writer);
    this.#read = jsonReader(resolve(writer, reader).plan, options);
  }

  /** Of the datum read last: why it could not be, and what is odd about it. */
  get faults(): readonly DatumFault[] {
    return this.#reading.faults;
  }

  /** Reads the next datum; false, with nothing printed, if it cannot be read. */
  print(cursor: Cursor, out: JsonOut): boolean {
    const reading = this.#reading;
    const { at } = out;
    const start = reading.begin(cursor);
    try {
      this.#read(cursor, out);
      if (reading.end(cursor, start)) return true;
    } catch (error) {
      reading.broken(cursor, start, error);
    }
    out.at = at;
    return false;
  }
}

/** Makes values of data. */
export class DatumDecoder {
  readonly #reading: DatumReading;
  readonly #read: ValueReader;

  constructor(writer: AvroType, reader: AvroType = writer, options: ModeOptions = NATIVE) {
    this.#reading = new DatumReading(writer);
    this.#read = valueReader(resolve(writer, reader).plan, options);
  }

  get faults(): readonly DatumFault[] {
    return this.#reading.faults;
  }

  /** The next datum, or undefined if it cannot be read. */
  decode(cursor: Cursor): { value: unknown } | undefined {
    const reading = this.#reading;
    const start = reading.begin(cursor);
    try {
      const value = this.#read(cursor);
      return reading.end(cursor, start) ? { value } : undefined;
    } catch (error) {
      reading.broken(cursor, start, error);
      return undefined;
    }
  }
}
