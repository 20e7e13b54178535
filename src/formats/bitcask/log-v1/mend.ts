/** Which flipped bit explains a checksum that does not hold over key and value? */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32 } from '../../../shared/crc32.ts';
import type { Mend } from '../../damage.ts';
import type { DamagedHead } from './damage.ts';
import { CRC_AT, KEY_AT } from './layout.ts';

export interface Explanation {
  diagnosis: string;
  /** With this the checksum holds; absent where two bits are flipped. */
  mend?: Mend;
}

/** `byteAt` reads the file. */
export function explainMismatch(
  { stored, computed, offset, total }: DamagedHead,
  byteAt: (offset: number) => number,
): Explanation | undefined {
  const flips = explainFlips(crc32, stored, computed, total - KEY_AT);
  if (!flips) return undefined;
  const flip = (at: number, bit: number): Mend => ({
    offset: at,
    hex: (byteAt(at) ^ (1 << bit)).toString(16).padStart(2, '0'),
  });
  const place = (byteFromEnd: number): number => offset + total - 1 - byteFromEnd;
  if (flips.kind === 'stored') {
    const at = offset + CRC_AT + 3 - (flips.bit >>> 3);
    const bit = flips.bit & 7;
    const diagnosis = `bit ${bit} of the byte at ${at} (the stored checksum) is flipped`;
    return { diagnosis, mend: flip(at, bit) };
  }
  if (flips.kind === 'one') {
    const at = place(flips.at.byteFromEnd);
    const diagnosis = `bit ${flips.at.bit} of the byte at ${at} is flipped`;
    return { diagnosis, mend: flip(at, flips.at.bit) };
  }
  const [b, a] = flips.at;
  const diagnosis =
    `two bits are flipped: bit ${a.bit} of the byte at ${place(a.byteFromEnd)} and ` +
    `bit ${b.bit} of the byte at ${place(b.byteFromEnd)}`;
  return { diagnosis };
}
