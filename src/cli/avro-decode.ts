/** avro decode: payloads with a schema at hand, or with one that a registry has. */
import { Cursor } from '../formats/avro/codec/cursor.ts';
import { DatumPrinter } from '../formats/avro/codec/datum.ts';
import { JsonOut } from '../formats/avro/codec/json-out.ts';
import type { ModeOptions } from '../formats/avro/codec/mode.ts';
import { walkDatum } from '../formats/avro/codec/walk.ts';
import { FRAMINGS, type Framed, type Framing, readFraming } from '../formats/avro/framing.ts';
import { fingerprints } from '../formats/avro/schema/canonical.ts';
import type { AvroType, Schema } from '../formats/avro/schema/model.ts';
import { DdiaError } from '../shared/errors.ts';
import { refuseImpossible } from './avro-resolve.ts';

/** Where the schema of a payload comes from. */
export interface SchemaLookup {
  /** The schema that a framing names; undefined if there is none of that name. */
  find(framed: Framed): Schema | undefined | Promise<Schema | undefined>;
  /** Whether ids mean something here: with a schema at hand they name it, whatever they are. */
  readonly knowsIds: boolean;
}

/** The schema on the command line: of every payload, but those whose fingerprint is another's. */
export function givenSchema(schema: Schema): SchemaLookup {
  const own = fingerprints(schema)['crc-64-avro'];
  return {
    knowsIds: false,
    find: ({ fingerprint }) =>
      fingerprint === undefined || fingerprint === own ? schema : undefined,
  };
}

/** One thing that is wrong with a payload. */
export interface PayloadFinding {
  code: string;
  severity: 'error' | 'warning';
  payload: number;
  offset: number;
  length: number;
  message: string;
}

export class PayloadDecoder {
  readonly #printers = new Map<AvroType, DatumPrinter>();
  readonly #cursor = new Cursor();
  readonly out = new JsonOut();

  constructor(
    readonly lookup: SchemaLookup,
    readonly reader: Schema | undefined,
    readonly framing: Framing | undefined,
    readonly mode: ModeOptions,
  ) {}

  /** Prints a payload's value to `out` as a line, and returns what is wrong with it. */
  async decode(payload: Uint8Array, number: number): Promise<PayloadFinding[]> {
    const found = await this.#frame(payload);
    if ('fault' in found) {
      const place = { payload: number, offset: 0, length: payload.length };
      return [{ code: 'bad-framing', severity: 'error', ...place, message: found.fault }];
    }
    const { framed, schema } = found;
    const printer = this.#printer(schema.root);
    const cursor = this.#cursor;
    cursor.open(payload, framed.start, payload.length);
    const ok = printer.print(cursor, this.out);
    const findings = printer.faults.map(({ code, severity, offset, length, path, message }) => ({
      code,
      severity,
      payload: number,
      offset,
      length,
      message: path === '' ? message : `${path}: ${message}`,
    }));
    if (!ok) return findings;
    this.out.write('\n');
    const rest = payload.length - cursor.at;
    if (rest > 0) {
      findings.push({
        code: 'trailing-bytes',
        severity: 'error',
        payload: number,
        offset: cursor.at,
        length: rest,
        message: `${rest} bytes follow the datum: this may not be the schema that it was written with`,
      });
    }
    return findings;
  }

  #printer(writer: AvroType): DatumPrinter {
    let printer = this.#printers.get(writer);
    if (!printer) {
      if (this.reader) refuseImpossible(writer, this.reader.root);
      printer = new DatumPrinter(writer, this.reader?.root, this.mode);
      this.#printers.set(writer, printer);
    }
    return printer;
  }

  async #frame(
    payload: Uint8Array,
  ): Promise<{ framed: Framed; schema: Schema } | { fault: string }> {
    if (this.framing === undefined) return this.#detect(payload);
    const framed = readFraming(payload, this.framing);
    if ('fault' in framed) return framed;
    const schema = await this.lookup.find(framed);
    return schema ? { framed, schema } : { fault: unknownSchema(framed) };
  }

  /**
   * The one framing whose schema is known and whose datum ends where the payload does. A mark that
   * is there and a schema that is known by it count more than bytes that happen to fit.
   */
  async #detect(
    payload: Uint8Array,
  ): Promise<{ framed: Framed; schema: Schema } | { fault: string }> {
    const fits: { framed: Framed; schema: Schema }[] = [];
    const known: { framed: Framed; schema: Schema }[] = [];
    for (const framing of FRAMINGS) {
      const framed = readFraming(payload, framing);
      if ('fault' in framed) continue;
      const schema = await this.lookup.find(framed);
      if (!schema) continue;
      const one = { framed, schema };
      known.push(one);
      const { end, fault } = walkDatum(schema.root, payload, framed.start, payload.length);
      if (!fault && end === payload.length) fits.push(one);
    }
    const named = fits.find(({ framed }) => framed.fingerprint !== undefined);
    const best = named ?? (fits.length === 1 ? fits[0] : undefined);
    if (best) return best;
    if (fits.length > 1) {
      const ways = fits.map(({ framed }) => framed.framing).join(', ');
      throw new DdiaError('ambiguous-framing', `the payload may be ${ways}`, 'say --framing');
    }
    // Nothing fits: what is said is said of the likeliest.
    const likely = known.find(({ framed }) => framed.framing !== 'raw') ?? known[0];
    if (likely && (this.lookup.knowsIds || likely.framed.fingerprint)) return likely;
    return known[0] ?? { fault: nothingKnown(payload) };
  }
}

/** With the ids that might have been meant. */
function nothingKnown(payload: Uint8Array): string {
  const tried = FRAMINGS.flatMap((framing) => {
    const framed = readFraming(payload, framing);
    return 'fault' in framed || framing === 'raw' ? [] : [unknownSchema(framed)];
  });
  return tried.length > 0 ? tried.join('; ') : 'it names no schema: give --schema';
}

function unknownSchema({ framing, schemaId, fingerprint }: Framed): string {
  if (schemaId !== undefined) return `${framing}: no schema of the id ${schemaId} is known`;
  if (fingerprint !== undefined) return `no schema of the fingerprint ${fingerprint} is known`;
  return 'raw payloads do not say which schema is theirs: give --schema';
}
