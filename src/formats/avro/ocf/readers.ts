/** Readings of data for the verbs of a container. */
import type { Cursor } from '../codec/cursor.ts';
import { DatumDecoder, DatumPrinter, PLAIN } from '../codec/datum.ts';
import { JsonOut } from '../codec/json-out.ts';
import type { ModeOptions } from '../codec/mode.ts';
import { type DatumFault, type WalkVisitor, walkDatum } from '../codec/walk.ts';
import type { AvroType } from '../schema/model.ts';
import type { DatumReader } from './block-data.ts';

/** Reads for the faults alone; what is printed is thrown away. */
export function checkingReader(type: AvroType): DatumReader {
  const out = new JsonOut();
  const printer = new DatumPrinter(type);
  return {
    read(cursor) {
      out.at = 0;
      return printer.print(cursor, out);
    },
    get faults() {
      return printer.faults;
    },
  };
}

/** Prints each datum as a line. */
export function printingReader(
  out: JsonOut,
  writer: AvroType,
  reader?: AvroType,
  options?: ModeOptions,
): DatumReader {
  const printer = new DatumPrinter(writer, reader, options);
  const NEWLINE = 0x0a;
  return {
    read(cursor) {
      if (!printer.print(cursor, out)) return false;
      out.byte(NEWLINE);
      return true;
    },
    get faults() {
      return printer.faults;
    },
  };
}

/** Makes values as JSON has them. */
export class ValueReading implements DatumReader {
  value: unknown;
  readonly #decoder: DatumDecoder;

  constructor(writer: AvroType, reader: AvroType = writer, options = PLAIN) {
    this.#decoder = new DatumDecoder(writer, reader, options);
  }

  get faults(): readonly DatumFault[] {
    return this.#decoder.faults;
  }

  read(cursor: Cursor): boolean {
    const decoded = this.#decoder.decode(cursor);
    this.value = decoded?.value;
    return decoded !== undefined;
  }
}

/** Walks through each datum field by field. */
export class Walking implements DatumReader {
  faults: DatumFault[] = [];

  constructor(
    readonly type: AvroType,
    readonly visitor: WalkVisitor,
  ) {}

  read(cursor: Cursor): boolean {
    this.faults = [];
    const warn = (fault: DatumFault) => this.faults.push(fault);
    const visitor = { ...this.visitor, warn };
    const { bytes, at, end, emptyItems } = cursor;
    const walked = walkDatum(this.type, bytes, at, end, visitor, emptyItems);
    if (walked.fault) {
      this.faults.push(walked.fault);
      return false;
    }
    cursor.at = walked.end;
    return true;
  }
}
