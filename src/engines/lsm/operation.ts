/** What is written, and how it stands in the log, which knows puts and deletes alone. */

import { TYPE } from '../../formats/sstable/entry-block.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../formats/sstable/v2/layout.ts';
import type { WalOperation, WalRecord } from '../../formats/wal/model.ts';
import { DdiaError } from '../../shared/errors.ts';

export type Operation =
  | { readonly op?: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  /** Takes away all keys from `key` (inclusive) to `to` (exclusive). */
  | { readonly op: 'delete-range'; readonly key: Uint8Array; readonly to: Uint8Array };

/** In the log, a key that begins with this byte has another behind it that says what it is. */
const ESCAPE = 0;
const IS_KEY = 0;
const IS_RANGE = 1;
const NOTHING = new Uint8Array(0);

export function toLog(operation: Operation): WalOperation {
  const { key } = operation;
  checkBytes('a key', key, KEY_BYTES_MAX);
  if (operation.op === 'delete-range') {
    checkBytes('the end of a range', operation.to, KEY_BYTES_MAX);
    return { op: 'put', key: escaped(IS_RANGE, key), value: operation.to };
  }
  const own = key.length > 0 && key[0] === ESCAPE ? escaped(IS_KEY, key) : key;
  if (operation.op === 'delete') return { op: 'delete', key: own, value: NOTHING };
  checkBytes('a value', operation.value, VALUE_BYTES_MAX);
  return { op: 'put', key: own, value: operation.value };
}

function escaped(what: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 2);
  bytes[0] = ESCAPE;
  bytes[1] = what;
  bytes.set(key, 2);
  return bytes;
}

function checkBytes(what: string, bytes: unknown, most: number): void {
  if (!(bytes instanceof Uint8Array)) throw new DdiaError('bad-type', `${what} must be bytes`);
  if (bytes.length <= most) return;
  throw new DdiaError('too-large', `${what} of ${bytes.length} bytes, at most ${most}`);
}

export function typeOf(operation: Operation): number {
  if (operation.op === 'delete') return TYPE.delete;
  return operation.op === 'delete-range' ? TYPE.rangeDelete : TYPE.put;
}

export function valueBytesOf(operation: Operation): Uint8Array {
  if (operation.op === 'delete') return NOTHING;
  return operation.op === 'delete-range' ? operation.to : operation.value;
}

/** Hands the parts of a logged operation to a memtable. */
export function fromLog(
  record: WalRecord,
  add: (
    type: number,
    seq: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ) => void,
): void {
  const { bytes, keyEnd, seq } = record;
  let { keyStart } = record;
  let type: number = record.op === 'delete' ? TYPE.delete : TYPE.put;
  if (keyEnd - keyStart >= 2 && bytes[keyStart] === ESCAPE) {
    if (bytes[keyStart + 1] === IS_RANGE) type = TYPE.rangeDelete;
    keyStart += 2;
  }
  const valueStart = Math.max(0, record.valueStart);
  add(type, seq, bytes, keyStart, keyEnd, bytes, valueStart, Math.max(valueStart, record.valueEnd));
}
