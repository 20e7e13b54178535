/** Is it a file of Erlang Bitcask? Checksums settle it; names alone are only likely. */
import { crc32 } from '../../../shared/crc32.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { isCrcEntry } from './hint.ts';
import {
  dataFile,
  HEADER_BYTES,
  HINT_HEAD_BYTES,
  HINT_TOTAL_SIZE_AT,
  hintFile,
  KEY_SIZE_AT,
  TIMESTAMP_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

export function detectRiak(probe: Probe): Detection {
  const { name, head, size } = probe;
  const data = dataFile(name) !== undefined;
  const hint = hintFile(name) !== undefined;
  if (hint || size === head.length) {
    if (hintChecks(head, size)) {
      return { confidence: 'certain', reason: 'the CRC-32 at the end of the hint holds' };
    }
    if (hint) return { confidence: 'likely', reason: `named like a hint file (${name})` };
  }
  const found = firstIntact(head, data);
  if (found === 0) return { confidence: 'certain', reason: 'the CRC-32 of the first record holds' };
  if (found > 0) {
    return { confidence: 'certain', reason: `the CRC-32 of the record at ${found} holds` };
  }
  return data ? { confidence: 'likely', reason: `named like a data file (${name})` } : NOT_THIS;
}

/** All of the hint is in the head, it has an entry, and its checksum holds. */
function hintChecks(head: Uint8Array, size: number | undefined): boolean {
  const at = head.length - HINT_HEAD_BYTES;
  if (size !== head.length || at < HINT_HEAD_BYTES) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return isCrcEntry(view, at) && crc32.of(head, 0, at) === view.getUint32(at + HINT_TOTAL_SIZE_AT);
}

/**
 * Offset of the first record in `head` whose checksum holds; -1: none. Only a file with the right
 * name is searched beyond its beginning: others may hold such records as values.
 */
function firstIntact(head: Uint8Array, search: boolean): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const last = search ? head.length - HEADER_BYTES : 0;
  // Checksums over long spans are rationed: a hostile head must not cost more than a few passes
  // over it.
  let budget = 8 * head.length;
  for (let p = 0; p <= last && p + HEADER_BYTES <= head.length && budget > 0; p++) {
    const total =
      HEADER_BYTES + view.getUint16(p + KEY_SIZE_AT) + view.getUint32(p + VALUE_SIZE_AT);
    const end = p + total;
    if (end > head.length) continue;
    if (crc32.of(head, p + TIMESTAMP_AT, end) === view.getUint32(p)) return p;
    budget -= total;
  }
  return -1;
}
