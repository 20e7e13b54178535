/** Looking for what is intact inside a block, without knowing the chain. */
import { crc32c } from '../../../shared/crc32.ts';
import { FRAGMENT_BYTES_MIN, FRAGMENT_HEADER_BYTES, FULL, MARK } from './layout.ts';

/** Bytes of checksums that a search through one block may cost. */
const PAIR_SEARCH_BYTES_MAX = 1024 * 1024;

/**
 * The next two fragments of which the second continues the first: the first cannot be checked, its
 * stored crc is what the second continues, which is at `at`. The chance of a false one is that of a
 * checksum.
 */
export function findPair(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): { at: number; chain: number } | undefined {
  let budget = PAIR_SEARCH_BYTES_MAX;
  const next = (p: number): number => {
    if (p + FRAGMENT_BYTES_MIN > end) return -1;
    const length = view.getUint16(p + 4, true);
    const type = bytes[p + 6]!;
    const after = p + FRAGMENT_HEADER_BYTES + length;
    return length > 0 && type >= FULL && type <= MARK && after <= end ? after : -1;
  };
  for (let p = start; p < end && budget > 0; p++) {
    const second = next(p);
    const third = second < 0 ? -1 : next(second);
    if (third < 0) continue;
    budget -= third - second;
    const chain = view.getUint32(p, true);
    const crc = ~crc32c.update(~chain, bytes, view, second + 4, third) >>> 0;
    if (crc === view.getUint32(second, true)) return { at: second, chain };
  }
  return undefined;
}

/** Index of the first byte that is not zero in [start, end); -1: none. */
export function nonZero(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return i;
  return -1;
}

/** What is wrong with a fragment header that frames nothing. */
export function describeFrame(bytes: Uint8Array, view: DataView, p: number, end: number): string {
  const most = end - p - FRAGMENT_HEADER_BYTES;
  return (
    `fragment of ${view.getUint16(p + 4, true)} bytes and type ${bytes[p + 6]}: ` +
    `expected 1 to ${most} bytes and type 1 to ${MARK}`
  );
}
