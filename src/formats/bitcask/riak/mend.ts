/**
 * Which one flipped bit explains a record that does not check, and with what byte would it? The
 * checksum covers the sizes too, which say how much it covers: a bit of theirs is looked for by
 * trying each (RecordCheck.flippedLength), any other by the checksum's syndrome.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32 } from '../../../shared/crc32.ts';
import type { Mend } from '../../damage.ts';
import type { LengthFlip } from '../record-check.ts';
import type { DamagedHead } from './damage.ts';
import { HEADER_BYTES, KEY_SIZE_AT, TIMESTAMP_AT } from './layout.ts';

export interface Explanation {
  diagnosis: string;
  mend?: Mend;
}

/** `byteAt` reads the file. */
export type ByteAt = (offset: number) => number;

/** A flipped bit outside of the sizes, so that the record ends where they say. */
export function explainMismatch(head: DamagedHead, byteAt: ByteAt): Explanation | undefined {
  const { stored, computed, offset, total } = head;
  const flips = explainFlips(crc32, stored, computed, total - TIMESTAMP_AT);
  if (!flips) return undefined;
  if (flips.kind === 'stored') {
    const at = offset + 3 - (flips.bit >>> 3);
    const bit = flips.bit & 7;
    const diagnosis = `bit ${bit} of the byte at ${at} (the stored checksum) is flipped`;
    return { diagnosis, mend: turnedBack(at, bit, byteAt) };
  }
  const place = (byteFromEnd: number): number => offset + total - 1 - byteFromEnd;
  const inSizes = (at: number) => at >= offset + KEY_SIZE_AT && at < offset + HEADER_BYTES;
  if (flips.kind === 'one') {
    const at = place(flips.at.byteFromEnd);
    // With other sizes the checksum would be over other bytes.
    if (inSizes(at)) return undefined;
    const { bit } = flips.at;
    const diagnosis = `bit ${bit} of the byte at ${at} is flipped`;
    return { diagnosis, mend: turnedBack(at, bit, byteAt) };
  }
  const [b, a] = flips.at;
  const [atA, atB] = [place(a.byteFromEnd), place(b.byteFromEnd)];
  if (inSizes(atA) || inSizes(atB)) return undefined;
  const diagnosis =
    `two bits are flipped: bit ${a.bit} of the byte at ${atA} and ` +
    `bit ${b.bit} of the byte at ${atB}`;
  return { diagnosis };
}

export function explainLength(head: DamagedHead, flip: LengthFlip, byteAt: ByteAt): Explanation {
  const [name, found, right] =
    flip.field === 'key'
      ? ['key_size', head.keySize, flip.keyLength]
      : ['value_size', head.valueSize, flip.valueLength];
  const at = head.offset + flip.byte;
  return {
    diagnosis:
      `bit ${flip.bit} of the byte at ${at} (in ${name}) is flipped: with ${right} in place of ` +
      `${found} the checksum holds`,
    mend: turnedBack(at, flip.bit, byteAt),
  };
}

function turnedBack(at: number, bit: number, byteAt: ByteAt): Mend {
  return { offset: at, hex: (byteAt(at) ^ (1 << bit)).toString(16).padStart(2, '0') };
}
