/** Is it a segment, or a hint file, of the textbook store? A checksum that holds tells. */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import {
  dataFile,
  HEADER_BYTES,
  HINT_HEADER_BYTES,
  hintFile,
  KEY_AT,
  KEY_SIZE_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

export function detectLogV1(probe: Probe): Detection {
  const { name, head } = probe;
  if (hintFile(name) !== undefined) {
    const entries = entriesInARow(probe);
    const led = entries > 0 ? `, ${entries} entries in a row` : '';
    return { confidence: 'likely', reason: `named like a hint file (${name})${led}` };
  }
  const found = firstIntact(head);
  if (found === 0) return { confidence: 'certain', reason: 'the CRC-32 of the first record holds' };
  if (found > 0) {
    return { confidence: 'certain', reason: `the CRC-32 of the record at ${found} holds` };
  }
  if (dataFile(name) !== undefined) {
    return { confidence: 'likely', reason: `named like a segment (${name})` };
  }
  return NOT_THIS;
}

/** Offset of the first record in `head` whose checksum holds; -1: none. */
function firstIntact(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // Checksums are rationed: a hostile head must not cost more than a few passes over it.
  let budget = 8 * head.length;
  for (let p = 0; p + HEADER_BYTES < head.length && budget > 0; p++) {
    const length = view.getUint32(p + KEY_SIZE_AT) + view.getUint32(p + VALUE_SIZE_AT);
    if (length === 0 || p + HEADER_BYTES + length > head.length) continue;
    const register = crc32.update(CRC_INITIAL, head, view, p + KEY_AT, p + KEY_AT + length);
    if (~register === view.getInt32(p)) return p;
    budget -= length + HEADER_BYTES;
  }
  return -1;
}

/** Hint entries from the front that lead to the end of the file or the head; 0 if they do not. */
function entriesInARow({ head, size }: Probe): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const fileEnd = size ?? Number.POSITIVE_INFINITY;
  let at = 0;
  let entries = 0;
  while (at + HINT_HEADER_BYTES <= head.length) {
    at += HINT_HEADER_BYTES + view.getUint32(at);
    entries++;
  }
  const beyond = at + HINT_HEADER_BYTES > head.length && head.length < fileEnd;
  return at === fileEnd || (beyond && at < fileEnd) ? entries : 0;
}
