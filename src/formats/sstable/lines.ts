/** Entries as lines of JSON: what `dump --json` prints and `write` takes. */

import { bytesFromJson } from '../bytes/json-bytes.ts';
import { badLine, type Fields, fieldsOfLine, seqOfLine } from '../bytes/json-line.ts';
import { TYPE, typeOf } from './entry-block.ts';
import type { TableEntry } from './model.ts';

/** Undefined for lines that carry no entry: empty ones, `damage` and `summary`. */
export function parseEntryLine(line: Buffer, number: number): TableEntry | undefined {
  const fields = fieldsOfLine(line, number);
  if (!fields) return undefined;
  const type = typeOfLine(fields, number);
  const key = bytesFromJson(fields['key']);
  if (!key) throw badLine(number, '"key" must be a string, {"hex": …} or {"base64": …}');
  const given = fields['value'];
  const none = given === undefined || given === null;
  const bytes = none ? undefined : bytesFromJson(given);
  if (!none && !bytes)
    throw badLine(number, '"value" must be a string, {"hex": …} or {"base64": …}');
  if (!bytes && type === TYPE.put) throw badLine(number, 'a put needs a "value"');
  const seq = fields['seq'] === undefined ? 0n : seqOfLine(fields['seq'], number);
  return {
    type,
    key,
    value: bytes,
    seqHigh: Number(seq >> 32n),
    seqLow: Number(seq & 0xffff_ffffn),
    timestamp: timestampOf(fields['timestamp'], number),
  };
}

/** `op`; without it a value makes a put, `"deleted": true` a deletion. */
function typeOfLine(fields: Fields, number: number): number {
  const op = fields['op'] ?? fields['type'];
  if (op === undefined) return fields['deleted'] === true ? TYPE.delete : TYPE.put;
  const type = typeof op === 'string' ? typeOf(op) : undefined;
  if (type === undefined) throw badLine(number, `unknown "op": ${JSON.stringify(op)}`);
  return type;
}

function timestampOf(value: unknown, number: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  const bytes = bytesFromJson(value);
  if (typeof value === 'object' && bytes?.length === 8) {
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  }
  throw badLine(number, '"timestamp" must be a number, or eight bytes as {"hex": …}');
}
