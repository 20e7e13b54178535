/** Writes the textbook log, byte for byte as layout.ts draws it. */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { DdiaError } from '../../../shared/errors.ts';
import type { WalEncoder, WalOperation } from '../model.ts';
import {
  CRC_AT,
  KEY_AT,
  KEY_LENGTH_AT,
  LENGTH_FIELD_BYTES,
  OP_AT,
  OPS,
  OVERHEAD_BYTES,
  SEGMENT_BYTES_DEFAULT,
  SEQ_AT,
  segmentName,
} from './layout.ts';

/** The inner lengths are signed 32-bit. */
const FIELD_BYTES_MAX = 0x7fff_ffff;

/** One record as it stands in the file. Throws a DdiaError for what the layout cannot hold. */
export function encodeRecord(seqHigh: number, seqLow: number, operation: WalOperation): Uint8Array {
  const { key, value } = operation;
  const op = (OPS as readonly string[]).indexOf(operation.op);
  if (op < 1) {
    throw new DdiaError(
      'unsupported-op',
      `op ${operation.op} cannot be written in this layout`,
      `it has ${OPS.slice(1).join(', ')}`,
    );
  }
  const total = OVERHEAD_BYTES + key.length + value.length;
  if (total > FIELD_BYTES_MAX) {
    throw new DdiaError('too-large', `a record of ${total} bytes; the layout ends at 2^31 - 1`);
  }
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, total - LENGTH_FIELD_BYTES, true);
  view.setUint32(SEQ_AT, seqLow, true);
  view.setUint32(SEQ_AT + 4, seqHigh, true);
  bytes[OP_AT] = op;
  view.setInt32(KEY_LENGTH_AT, key.length, true);
  bytes.set(key, KEY_AT);
  const valueAt = KEY_AT + key.length + 4;
  view.setInt32(valueAt - 4, value.length, true);
  bytes.set(value, valueAt);
  let register = crc32.updateByte(CRC_INITIAL, op);
  register = crc32.update(register, bytes, view, KEY_AT, valueAt - 4);
  register = crc32.update(register, bytes, view, valueAt, total);
  view.setInt32(CRC_AT, ~register, true);
  return bytes;
}

const EMPTY = new Uint8Array(0);

export const v1Encoder: WalEncoder = {
  ops: ['put', 'delete', 'commit', 'checkpoint'],
  segmentBytesDefault: SEGMENT_BYTES_DEFAULT,
  segmentName,
  encode: encodeRecord,
  batchSeal: { op: 'commit', key: EMPTY, value: EMPTY },
};
