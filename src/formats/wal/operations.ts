/**
 * Operations as lines of JSON: what `dump --json` prints and `write`, `append` take. Put and
 * delete, the markers commit and checkpoint, and `{"op":"batch","ops":[…]}`.
 */
import { DdiaError } from '../../shared/errors.ts';
import { bytesFromJson } from '../bytes/json-bytes.ts';
import type { WalOperation } from './model.ts';

/** One line: operations that belong together, or one alone. */
export interface WalLine {
  operations: WalOperation[];
  /** They are one batch, to be sealed as the dialect does it. */
  batch: boolean;
  /** As the line gives them, for --keep-seq. */
  seq?: bigint;
  file?: string;
}

const EMPTY = new Uint8Array(0);
const SEQ_MAX = (1n << 64n) - 1n;

/**
 * Undefined for lines that carry no operation: empty ones, `damage` and `summary`. Throws a
 * DdiaError.
 */
export function parseOperationLine(line: Buffer, number: number): WalLine | undefined {
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
  if (fields['op'] === 'batch' || (fields['op'] === undefined && Array.isArray(fields['ops']))) {
    return batchOf(fields, number);
  }
  return {
    operations: [operationOf(fields, number)],
    batch: false,
    ...(fields['seq'] !== undefined && { seq: seqOf(fields['seq'], number) }),
    ...(typeof fields['file'] === 'string' && { file: fields['file'] }),
  };
}

function batchOf(fields: Record<string, unknown>, number: number): WalLine {
  const { ops } = fields;
  if (!Array.isArray(ops)) throw bad(number, 'a batch needs "ops": an array of operations');
  const operations = ops.map((op) => {
    if (typeof op !== 'object' || op === null)
      throw bad(number, 'an operation of a batch is no object');
    return operationOf(op as Record<string, unknown>, number);
  });
  // As `dump --batches` prints it, the seal is the last of the operations already.
  const sealed = fields['op'] !== 'batch';
  const inner = sealed
    ? operations
    : operations.filter(({ op }) => op === 'put' || op === 'delete');
  if (inner.length !== operations.length) throw bad(number, 'a batch holds puts and deletes only');
  if (operations.length === 0) throw bad(number, 'a batch without operations');
  return { operations, batch: !sealed };
}

function operationOf(fields: Record<string, unknown>, number: number): WalOperation {
  const { op } = fields;
  if (typeof op !== 'string')
    throw bad(number, '"op" is missing: put, delete, checkpoint or batch');
  const marker = op === 'commit' || op === 'checkpoint';
  const key = fields['key'] === undefined && marker ? EMPTY : bytesFromJson(fields['key']);
  if (!key) throw bad(number, `"key" of ${op} must be a string, {"hex": …} or {"base64": …}`);
  const optional = marker || op !== 'put';
  const value = fields['value'] === undefined && optional ? EMPTY : bytesFromJson(fields['value']);
  if (!value) throw bad(number, `"value" of ${op} must be a string, {"hex": …} or {"base64": …}`);
  return { op, key, value };
}

function seqOf(value: unknown, number: number): bigint {
  const digits = typeof value === 'number' ? String(value) : value;
  if (typeof digits !== 'string' || !/^\d{1,20}$/.test(digits) || BigInt(digits) > SEQ_MAX) {
    throw bad(number, `"seq" must be an integer from 0 to 2^64 - 1, beyond 2^53 - 1 as a string`);
  }
  return BigInt(digits);
}

function bad(number: number, why: string): DdiaError {
  return new DdiaError('bad-line', `line ${number}: ${why}`);
}
