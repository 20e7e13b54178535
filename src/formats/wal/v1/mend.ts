/**
 * Mending what a checksum proves: when one field is hit and everything else fits, the checksum
 * tells the one value with which the record is whole again. Nothing is changed here; repair --mend
 * does it.
 */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import type { Mend } from '../../damage.ts';
import { CRC_AT, KEY_AT, KEY_LENGTH_AT, LENGTH_FIELD_BYTES, LENGTH_MIN, OP_AT } from './layout.ts';

export interface MendedLength {
  mend: Mend;
  message: string;
}

/**
 * A record framed by its length field whose inner lengths contradict it: the one inner length that,
 * set to what the frame leaves for it, makes the checksum hold. `bytes[start]` is the record's
 * first byte, all of it is there; `offset` is its place in the file.
 */
export function mendInnerLength(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  offset: number,
): MendedLength | undefined {
  const length = view.getUint32(start, true);
  const inner = length - LENGTH_MIN;
  const keyLength = view.getInt32(start + KEY_LENGTH_AT, true);
  const end = start + LENGTH_FIELD_BYTES + length;
  const holds = (k: number): boolean => {
    const keyAt = start + KEY_AT;
    let register = crc32.updateByte(CRC_INITIAL, bytes[start + OP_AT]!);
    register = crc32.update(register, bytes, view, keyAt, keyAt + k);
    register = crc32.update(register, bytes, view, keyAt + k + 4, end);
    return ~register === view.getInt32(start + CRC_AT, true);
  };
  if (keyLength >= 0 && keyLength <= inner && holds(keyLength)) {
    const found = view.getInt32(start + KEY_AT + keyLength, true);
    return mended('value_length', found, inner - keyLength, offset + KEY_AT + keyLength);
  }
  // The key's length was hit: the value's length stands where it says what is left. Few places do.
  for (let k = 0; k <= inner; k++) {
    if (view.getInt32(start + KEY_AT + k, true) === inner - k && holds(k)) {
      return mended('key_length', keyLength, k, offset + KEY_LENGTH_AT);
    }
  }
  return undefined;
}

function mended(field: string, found: number, right: number, at: number): MendedLength {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, right, true);
  const difference = found ^ right;
  const bit = 31 - Math.clz32(difference);
  const one = (difference & (difference - 1)) === 0;
  const how = one
    ? `bit ${bit & 7} of the byte at ${at + (bit >>> 3)} (in ${field}) is flipped`
    : `${field} at ${at} is hit`;
  return {
    mend: { offset: at, hex: Buffer.from(bytes).toString('hex') },
    message: `${how}: with ${right} in place of ${found} the checksum holds`,
  };
}
