/**
 * A mark has a checksum of its own beside the one of the chain: over what it says and where it
 * stands, and nothing else. So it is believed behind a record of which nothing is left, as behind
 * one that was written to another place: what is lost there was durable, and is no torn tail.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { FRAGMENT_HEADER_BYTES, MARK, MARK_BYTES, MARK_CRC_AT } from './layout.ts';

/** Which log's segment it is. */
export interface MarkPlace {
  readonly logId: bigint;
  readonly segment: number;
}

/** u8 kind, u64 next_seq, u64 log_id, u32 segment, u64 offset of the fragment. */
const covered = new Uint8Array(MARK_CRC_AT + 20);
const coveredView = new DataView(covered.buffer);

/** The own checksum of a mark: `payload` is where it says its kind, `offset` its fragment's. */
export function markCrc(
  bytes: Uint8Array,
  payload: number,
  { logId, segment }: MarkPlace,
  offset: number,
): number {
  covered.set(bytes.subarray(payload, payload + MARK_CRC_AT));
  coveredView.setBigUint64(MARK_CRC_AT, logId, true);
  coveredView.setUint32(MARK_CRC_AT + 8, segment, true);
  coveredView.setBigUint64(MARK_CRC_AT + 12, BigInt(offset), true);
  return crc32c.of(covered, 0, covered.length);
}

/** Index of a mark in [start, end) that checks on its own; -1: there is none. */
export function findMark(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  place: MarkPlace,
  /** File offset of the first of the bytes. */
  base: number,
): number {
  const last = end - FRAGMENT_HEADER_BYTES - MARK_BYTES;
  for (let p = start; p <= last; p++) {
    if (bytes[p + 6] !== MARK || view.getUint16(p + 4, true) !== MARK_BYTES) continue;
    const payload = p + FRAGMENT_HEADER_BYTES;
    const crc = markCrc(bytes, payload, place, base + p);
    if (crc === view.getUint32(payload + MARK_CRC_AT, true)) return p;
  }
  return -1;
}
