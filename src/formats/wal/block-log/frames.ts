/**
 * Damaged fragments in a row: their lengths lead from one to the next, to where something else
 * begins.
 */
import { HEADER_BYTES, RECYCLABLE_HEADER_BYTES, TYPE_AT, ZERO_TYPE } from './constants.ts';
import { dataBytes, type HeaderTable } from './header.ts';
import { firstNonZero } from './search.ts';

/**
 * The end of the damaged fragment at `p`, if its length and those of damaged ones behind it lead
 * exactly to `limit`, where an intact one stands, the block ends (`blockEnds`), or the file. -1 if
 * they do not.
 */
export function framesEnd(
  bytes: Uint8Array,
  headers: HeaderTable,
  p: number,
  limit: number,
  blockEnds: boolean,
): number {
  // Zeros lead nowhere: seven by seven they would.
  if (bytes[p + TYPE_AT] === ZERO_TYPE && dataBytes(bytes, p) === 0) return -1;
  let first = -1;
  let at = p;
  while (at + HEADER_BYTES <= limit) {
    let headerBytes = headers[bytes[at + TYPE_AT]!]!;
    if (headerBytes === 0) {
      if (first >= 0) break;
      headerBytes = HEADER_BYTES; // the type may be what is hit
    }
    at += headerBytes + dataBytes(bytes, at);
    if (first < 0) first = at;
  }
  if (at >= limit) return at === limit ? first : -1;
  // Zeros may follow: a trailer, or what no fragment was written to yet.
  const trailer = blockEnds && limit - at < RECYCLABLE_HEADER_BYTES;
  const zeros = firstNonZero(bytes, at, limit) === limit;
  return zeros && (trailer || at === first) ? first : -1;
}
