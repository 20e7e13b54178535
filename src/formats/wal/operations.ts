/**
 * Operations as lines of JSON: what `dump --json` prints and `write`, `append` take. Put and
 * delete, the markers commit and checkpoint, and `{"op":"batch","ops":[…]}`.
 */

import { bytesFromJson } from '../bytes/json-bytes.ts';
import { badLine, type Fields, fieldsOfLine, seqOfLine } from '../bytes/json-line.ts';
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

/**
 * Undefined for lines that carry no operation: empty ones, `damage` and `summary`. Throws a
 * DdiaError.
 */
export function parseOperationLine(line: Buffer, number: number): WalLine | undefined {
  const fields = fieldsOfLine(line, number);
  if (!fields) return undefined;
  if (fields['op'] === 'batch' || (fields['op'] === undefined && Array.isArray(fields['ops']))) {
    return batchOf(fields, number);
  }
  return {
    operations: [operationOf(fields, number)],
    batch: false,
    ...(fields['seq'] !== undefined && { seq: seqOfLine(fields['seq'], number) }),
    ...(typeof fields['file'] === 'string' && { file: fields['file'] }),
  };
}

function batchOf(fields: Fields, number: number): WalLine {
  const { ops } = fields;
  if (!Array.isArray(ops)) throw badLine(number, 'a batch needs "ops": an array of operations');
  const operations = ops.map((op) => {
    if (typeof op !== 'object' || op === null)
      throw badLine(number, 'an operation of a batch is no object');
    return operationOf(op as Fields, number);
  });
  // As `dump --batches` prints it, the seal is the last of the operations already.
  const sealed = fields['op'] !== 'batch';
  const inner = sealed
    ? operations
    : operations.filter(({ op }) => op === 'put' || op === 'delete');
  if (inner.length !== operations.length)
    throw badLine(number, 'a batch holds puts and deletes only');
  if (operations.length === 0) throw badLine(number, 'a batch without operations');
  return { operations, batch: !sealed };
}

function operationOf(fields: Fields, number: number): WalOperation {
  const { op } = fields;
  if (typeof op !== 'string')
    throw badLine(number, '"op" is missing: put, delete, checkpoint or batch');
  const marker = op === 'commit' || op === 'checkpoint';
  const key = fields['key'] === undefined && marker ? EMPTY : bytesFromJson(fields['key']);
  if (!key) throw badLine(number, `"key" of ${op} must be a string, {"hex": …} or {"base64": …}`);
  const optional = marker || op !== 'put';
  const value = fields['value'] === undefined && optional ? EMPTY : bytesFromJson(fields['value']);
  if (!value)
    throw badLine(number, `"value" of ${op} must be a string, {"hex": …} or {"base64": …}`);
  return { op, key, value };
}
