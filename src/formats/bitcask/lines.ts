/**
 * Records as lines of JSON: what `dump --json` prints and `write` takes. What `wal dump` prints is
 * understood as well, as far as it sets or deletes a key.
 */

import { bytesFromJson } from '../bytes/json-bytes.ts';
import { badLine, type Fields, fieldsOfLine } from '../bytes/json-line.ts';
import type { BitcaskPut } from './model.ts';

/** One line: a record, or several that were written as one. */
export interface RecordLine {
  puts: BitcaskPut[];
  /** The data file that the line names. */
  file: string | undefined;
}

export interface LineDefaults {
  /** For lines that tell none. */
  readonly timestamp: number;
}

/** Beyond this, 48 bits do not hold the milliseconds. */
const EXPIRES_END = 2 ** 48;

/** Undefined for lines that carry no record: empty ones, `damage` and `summary`. */
export function parseRecordLine(
  line: Buffer,
  number: number,
  defaults: LineDefaults,
): RecordLine | undefined {
  const fields = fieldsOfLine(line, number);
  if (!fields) return undefined;
  const file = typeof fields['file'] === 'string' ? fields['file'] : undefined;
  const { ops } = fields;
  if (ops === undefined) return { puts: [putOf(fields, number, defaults)], file };
  if (!Array.isArray(ops) || ops.length === 0) {
    throw badLine(number, '"ops" must be an array of records');
  }
  const puts = ops.map((op) => {
    if (typeof op !== 'object' || op === null)
      throw badLine(number, 'a record of "ops" is no object');
    return putOf(op as Fields, number, defaults);
  });
  const first = integer(fields, 'firstSeq', number, Number.MAX_SAFE_INTEGER) ?? -1;
  for (const [index, put] of puts.entries()) {
    if (first >= 0) put.seq = first + index;
    put.continued = index < puts.length - 1;
  }
  return { puts, file };
}

/** `seq` -1: the next number. */
function putOf(fields: Fields, number: number, defaults: LineDefaults): BitcaskPut {
  const key = bytesFromJson(fields['key']);
  const { op = 'put' } = fields;
  if (op !== 'put' && op !== 'delete') {
    throw badLine(number, `op ${JSON.stringify(op)} has no place in a store: put or delete`);
  }
  if (!key) throw badLine(number, '"key" must be a string, {"hex": …} or {"base64": …}');
  const deleted = fields['deleted'] ?? op === 'delete';
  if (typeof deleted !== 'boolean') throw badLine(number, '"deleted" must be true or false');
  const given = fields['value'];
  const value = deleted ? undefined : bytesFromJson(given);
  if (!deleted && !value) {
    const form = 'must be a string, {"hex": …} or {"base64": …}';
    throw badLine(number, `"value" ${form}; a deletion says "deleted": true`);
  }
  if (deleted && given !== undefined && given !== '') {
    throw badLine(number, 'a deletion has no "value"');
  }
  return {
    key,
    value,
    timestamp: timestampOf(fields['timestamp'], number) ?? defaults.timestamp,
    seq: integer(fields, 'seq', number, Number.MAX_SAFE_INTEGER) ?? -1,
    expires: integer(fields, 'expires', number, EXPIRES_END - 1) ?? 0,
    continued: fields['continued'] === true,
    unsynced: integer(fields, 'unsynced', number, 2 ** 32 - 1) ?? 0,
  };
}

/** A double, or the name of what JSON has no number for. */
function timestampOf(value: unknown, number: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw badLine(number, '"timestamp" must be a number of seconds since 1970');
}

function integer(fields: Fields, name: string, number: number, most: number): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const digits = typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof digits === 'number' && Number.isSafeInteger(digits) && digits >= 0 && digits <= most) {
    return digits;
  }
  throw badLine(number, `"${name}" must be an integer from 0 to ${most}`);
}
