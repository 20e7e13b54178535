/** What is written, and how it stands in the log, which knows puts and deletes alone. */

import { loggedKey, loggedRange } from '../../formats/lsm/log-operation.ts';
import { TYPE } from '../../formats/sstable/entry-block.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../formats/sstable/v2/layout.ts';
import type { WalOperation } from '../../formats/wal/model.ts';
import { DdiaError } from '../../shared/errors.ts';

export type Operation =
  | { readonly op?: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly op: 'delete'; readonly key: Uint8Array }
  /** Takes away all keys from `key` (inclusive) to `to` (exclusive). */
  | { readonly op: 'delete-range'; readonly key: Uint8Array; readonly to: Uint8Array };

const NOTHING = new Uint8Array(0);

export function toLog(operation: Operation): WalOperation {
  const { key } = operation;
  checkBytes('a key', key, KEY_BYTES_MAX);
  if (operation.op === 'delete-range') {
    checkBytes('the end of a range', operation.to, KEY_BYTES_MAX);
    return { op: 'put', key: loggedRange(key), value: operation.to };
  }
  const own = loggedKey(key);
  if (operation.op === 'delete') return { op: 'delete', key: own, value: NOTHING };
  checkBytes('a value', operation.value, VALUE_BYTES_MAX);
  return { op: 'put', key: own, value: operation.value };
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
