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

/** Runs a fast reading of one datum; the cursor is left behind it, or where it began. */
class DatumReading {
  readonly faults: DatumFault[] = [];

  constructor(readonly writer: AvroType) {}

  /**
   * False if the datum cannot be read: `faults` says why. It also has what does not hinder the
   * reading, as warnings.
   */
  run(cursor: Cursor, read: () => void): boolean {
    const { at: start, emptyItems } = cursor;
    this.faults.length = 0;
    cursor.overlong = false;
    cursor.problem = undefined;
    cursor.depth = 0;
    try {
      read();
      if (cursor.at <= cursor.end) {
        if (cursor.overlong) this.#explain(cursor, start, emptyItems);
        return true;
      }
    } catch (error) {
      if (error !== BREACH) throw error;
    }
    this.#refused(cursor, start, emptyItems);
    cursor.at = start;
    return false;
  }

  #refused(cursor: Cursor, start: number, emptyItems: number): void {
    const { problem, at } = cursor;
    if (problem) {
      const offset = Math.min(at, cursor.end);
      this.#unresolvable(offset, problem.path, problem.message);
      return;
    }
    const fault = this.#explain(cursor, start, emptyItems);
    if (fault) this.faults.push(fault);
    // Nothing is wrong with the data as such: what is left is text of other bytes.
    else this.#unresolvable(start, '', 'bytes that are to be read as a string are no UTF-8');
  }

  #unresolvable(offset: number, path: string, message: string): void {
    const fault = { severity: 'error' as const, offset, length: 0, path, message };
    this.faults.push({ code: 'unresolvable', ...fault });
  }

  /** Collects warnings; what ends the reading is returned. */
  #explain(cursor: Cursor, start: number, emptyItems: number): DatumFault | undefined {
    const { bytes, end } = cursor;
    const warn = (fault: DatumFault) => this.faults.push(fault);
    return walkDatum(this.writer, bytes, start, end, { warn }, emptyItems).fault;
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
    const { at } = out;
    if (this.#reading.run(cursor, () => this.#read(cursor, out))) return true;
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
    const result = { value: undefined as unknown };
    const read = () => {
      result.value = this.#read(cursor);
    };
    return this.#reading.run(cursor, read) ? result : undefined;
  }
}
