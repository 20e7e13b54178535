/**
 * Operations of a comparison, as they are shown: long keys and values by their beginning, length
 * and hash.
 */
import type { Operation } from '../formats/diff/operation.ts';
import { unmark } from '../shared/mark.ts';
import { jsonBytes, textBytes } from './bytes-format.ts';
import { printable } from './text-sink.ts';

/** Digits of a hash that are shown. */
const HASH_DIGITS = 16;

export function jsonMark(mark: string): unknown {
  const { bytes, length, sha256 } = unmark(mark);
  if (sha256 === undefined) return jsonBytes(bytes, 'auto', false);
  const start = jsonBytes(bytes, 'hex', false);
  return { ...(start as object), length, sha256: sha256.slice(0, HASH_DIGITS) };
}

export function textMark(mark: string): string {
  const { bytes, length, sha256 } = unmark(mark);
  if (sha256 === undefined) return textBytes(bytes, 'auto', false);
  const start = textBytes(bytes, 'hex', false);
  return `${start}… (${length} bytes, sha256 ${sha256.slice(0, HASH_DIGITS)})`;
}

export function jsonOperation(operation: Operation): Record<string, unknown> {
  const { file, offset, length, seq, op, columnFamily, value, extra } = operation;
  const number = Number(seq);
  return {
    file,
    offset,
    length,
    ...(seq !== undefined && { seq: Number.isSafeInteger(number) ? number : seq }),
    op,
    ...(columnFamily >= 0 && { cf: columnFamily }),
    ...(value !== undefined && { value: jsonMark(value) }),
    ...(extra !== '' && (JSON.parse(`{${extra.slice(1)}}`) as object)),
  };
}

export function textOperation(operation: Operation): string {
  const { file, offset, length, seq, op, columnFamily, value, extra } = operation;
  const parts = [`${printable(file)} @ ${offset} +${length}`];
  if (seq !== undefined) parts.push(`seq ${seq}`);
  parts.push(op);
  if (columnFamily >= 0) parts.push(`cf ${columnFamily}`);
  if (value !== undefined) parts.push(textMark(value));
  if (extra !== '') parts.push(extra.slice(1));
  return parts.join('  ');
}
