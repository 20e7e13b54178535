/** Entries as lines of JSON: what `dump --json` prints and `write` takes. */
import { DdiaError } from '../../shared/errors.ts';
import { bytesFromJson } from '../bytes/json-bytes.ts';
import { TYPE, typeOf } from './entry-block.ts';
import type { TableEntry } from './model.ts';

const SEQ_MAX = (1n << 64n) - 1n;

/** Undefined for lines that carry no entry: empty ones, `damage` and `summary`. */
export function parseEntryLine(line: Buffer, number: number): TableEntry | undefined {
  const text = line.toString('utf8').trim();
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(number, `no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(number, 'expected an object');
  }
  const fields = value as Record<string, unknown>;
  if ('damage' in fields || 'summary' in fields) return undefined;
  const type = typeOfLine(fields, number);
  const key = bytesFromJson(fields['key']);
  if (!key) throw bad(number, '"key" must be a string, {"hex": …} or {"base64": …}');
  const given = fields['value'];
  const none = given === undefined || given === null;
  const bytes = none ? undefined : bytesFromJson(given);
  if (!none && !bytes) throw bad(number, '"value" must be a string, {"hex": …} or {"base64": …}');
  if (!bytes && type === TYPE.put) throw bad(number, 'a put needs a "value"');
  const seq = seqOf(fields['seq'], number);
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
function typeOfLine(fields: Record<string, unknown>, number: number): number {
  const op = fields['op'] ?? fields['type'];
  if (op === undefined) return fields['deleted'] === true ? TYPE.delete : TYPE.put;
  const type = typeof op === 'string' ? typeOf(op) : undefined;
  if (type === undefined) throw bad(number, `unknown "op": ${JSON.stringify(op)}`);
  return type;
}

function seqOf(value: unknown, number: number): bigint {
  if (value === undefined) return 0n;
  const digits = typeof value === 'number' ? String(value) : value;
  if (typeof digits !== 'string' || !/^\d{1,20}$/.test(digits) || BigInt(digits) > SEQ_MAX) {
    throw bad(number, '"seq" must be an integer from 0 to 2^64 - 1, beyond 2^53 - 1 as a string');
  }
  return BigInt(digits);
}

function timestampOf(value: unknown, number: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  const bytes = bytesFromJson(value);
  if (typeof value === 'object' && bytes?.length === 8) {
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  }
  throw bad(number, '"timestamp" must be a number, or eight bytes as {"hex": …}');
}

function bad(number: number, why: string): DdiaError {
  return new DdiaError('bad-line', `line ${number}: ${why}`);
}
