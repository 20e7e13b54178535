/** Writes the LSM tree's log, byte for byte as layout.ts draws it. */
import { DdiaError } from '../../../shared/errors.ts';
import type { WalEncoder, WalOperation } from '../model.ts';
import { FILE_NAME, KEY_AT, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';

const LENGTH_MAX = 0xffff_ffff;

function encode(_seqHigh: number, _seqLow: number, operation: WalOperation): Uint8Array {
  const { op, key, value } = operation;
  if (op !== 'put' && op !== 'delete') {
    throw new DdiaError(
      'unsupported-op',
      `op ${op} cannot be written in this layout`,
      'it has put, delete',
    );
  }
  if (op === 'put' && value.length === 0) {
    throw new DdiaError(
      'unsupported-value',
      'an empty value cannot be put in this layout: it is how a deletion is written',
      'another dialect can hold it, or write the deletion',
    );
  }
  if (op === 'delete' && value.length > 0) {
    throw new DdiaError(
      'unsupported-value',
      `a deletion with a value of ${value.length} bytes would be read as a put in this layout`,
    );
  }
  if (op === 'delete' && key.length === 0) {
    throw new DdiaError(
      'unsupported-key',
      'the deletion of an empty key is eight zero bytes in this layout, the same as unused space',
    );
  }
  const total = OVERHEAD_BYTES + key.length + value.length;
  if (total > LENGTH_MAX) {
    throw new DdiaError('too-large', `a record of ${total} bytes; the layout ends at 2^32 - 1`);
  }
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, key.length);
  bytes.set(key, KEY_AT);
  view.setUint32(KEY_AT + key.length, value.length);
  bytes.set(value, KEY_AT + key.length + LENGTH_BYTES);
  return bytes;
}

export const lsmV1Encoder: WalEncoder = {
  ops: ['put', 'delete'],
  /** One file, whatever its size: the tree begins a new one when it has flushed. */
  segmentBytesDefault: Number.MAX_SAFE_INTEGER,
  segmentName: () => FILE_NAME,
  encode,
};
