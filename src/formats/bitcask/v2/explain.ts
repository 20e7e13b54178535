/** Which flipped bits explain a head or a body that does not check, and what would mend it. */
import { explainFlips, type FlippedBit } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import { toHex } from '../../../shared/hex.ts';
import type { Mend } from '../../damage.ts';
import { BODY_CRC_AT, HEAD_BYTES, HEAD_CRC_AT } from './layout.ts';

export interface Explained {
  diagnosis: string;
  mend?: Mend;
}

/** A head as it was before bits flipped in it, which its checksum proves. */
export interface MendedHead extends Explained {
  head: Uint8Array;
  mend: Mend;
  /**
   * Only the body's checksum was hit. A head that is intact in another place looks the same: both
   * come first into the register.
   */
  bodyCrcOnly: boolean;
}

/**
 * The head at bytes[p], which does not check at file offset `at` with this stamp: as it was, if one
 * or two flipped bits are the only explanation. That is for the body to confirm.
 */
export function mendHead(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  at: number,
  stamp: number,
): MendedHead | undefined {
  const covered = p + BODY_CRC_AT;
  const stored = view.getUint32(p + HEAD_CRC_AT, true);
  const computed = ~crc32c.update(~stamp, bytes, view, covered, p + HEAD_BYTES) >>> 0;
  const flips = explainFlips(crc32c, stored, computed, HEAD_BYTES - BODY_CRC_AT);
  if (!flips) return undefined;
  const head = bytes.slice(p, p + HEAD_BYTES);
  const places: Place[] = [];
  if (flips.kind === 'stored') places.push({ byte: flips.bit >>> 3, bit: flips.bit & 7 });
  else {
    const flipped = flips.kind === 'one' ? [flips.at] : [...flips.at];
    places.push(...flipped.map((one) => placeOf(one, HEAD_BYTES)));
  }
  places.sort((a, b) => a.byte - b.byte);
  for (const { byte, bit } of places) head[byte]! ^= 1 << bit;
  const first = places[0]!.byte;
  const last = places.at(-1)!.byte;
  return {
    head,
    diagnosis: inWords(places, at),
    mend: { offset: at + first, hex: toHex(head, first, last + 1) },
    bodyCrcOnly: first >= BODY_CRC_AT && last < BODY_CRC_AT + 4,
  };
}

/** The same of the body of `bodyBytes` bytes behind an intact head; two bits are no proof there. */
export function explainBody(
  bytes: Uint8Array,
  p: number,
  at: number,
  bodyBytes: number,
  stored: number,
  computed: number,
): Explained | undefined {
  const flips = explainFlips(crc32c, stored, computed, bodyBytes);
  // The stored checksum is part of the head, and that checks.
  if (!flips || flips.kind === 'stored') return undefined;
  const flipped = flips.kind === 'one' ? [flips.at] : [...flips.at];
  const places = flipped.map((one) => placeOf(one, HEAD_BYTES + bodyBytes));
  places.sort((a, b) => a.byte - b.byte);
  const diagnosis = inWords(places, at);
  const [one, two] = places;
  if (two) return { diagnosis };
  const right = Uint8Array.of(bytes[p + one!.byte]! ^ (1 << one!.bit));
  return { diagnosis, mend: { offset: at + one!.byte, hex: toHex(right) } };
}

/** A bit of a byte counted from the record's start. */
interface Place {
  byte: number;
  bit: number;
}

function placeOf({ byteFromEnd, bit }: FlippedBit, end: number): Place {
  return { byte: end - 1 - byteFromEnd, bit };
}

function inWords(places: readonly Place[], at: number): string {
  const [one, two] = places.map(({ byte, bit }) => `bit ${bit} of the byte at ${at + byte}`);
  return two === undefined ? `${one} is flipped` : `two bits are flipped: ${one} and ${two}`;
}
