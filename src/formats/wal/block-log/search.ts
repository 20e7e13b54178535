/**
 * The search inside a block: after damage, the next offset at which a fragment's checksum holds.
 * Each byte is a candidate; nearly all are refuted by type and length alone, and the checksum of a
 * long one comes from registers kept for the block, so a hostile block costs a small multiple of
 * its size.
 */
import { CRC_INITIAL, crc32c } from '../../../shared/crc32.ts';
import { BlockCrc } from './block-crc.ts';
import { HEADER_BYTES, TYPE_AT } from './constants.ts';
import { dataBytes, type HeaderTable, unmask } from './header.ts';

/** Fragments up to this are checked byte by byte. */
const DIRECT_CRC_BYTES_MAX = 64;

/** Bytes in memory: `bytes[0]` is the file's byte at `base`. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly base: number;
}

export class FragmentSearch {
  #block: BlockCrc | undefined;

  /**
   * Index of the first intact fragment that begins in [from, before) and ends by `end`; -1: none.
   */
  find(memory: Bytes, headers: HeaderTable, from: number, before: number, end: number): number {
    const { bytes } = memory;
    const last = Math.min(before - 1, end - HEADER_BYTES);
    for (let p = from; p <= last; p++) {
      const headerBytes = headers[bytes[p + TYPE_AT]!]!;
      if (headerBytes === 0) continue;
      const next = p + headerBytes + dataBytes(bytes, p);
      if (next <= end && this.holds(memory, p, next)) return p;
    }
    return -1;
  }

  /** Does the checksum at `p` hold over [p + TYPE_AT, next)? */
  holds(memory: Bytes, p: number, next: number): boolean {
    const { bytes, view, base } = memory;
    const from = p + TYPE_AT;
    let register: number;
    if (next - from <= DIRECT_CRC_BYTES_MAX) {
      register = crc32c.update(CRC_INITIAL, bytes, view, from, next);
    } else {
      this.#block ??= new BlockCrc();
      register = this.#block.span(CRC_INITIAL, bytes, base, base + from, base + next);
    }
    return ~register === unmask(view.getInt32(p, true));
  }
}

/** The first index in [start, end) whose byte is not zero; `end`: there is none. */
export function firstNonZero(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  while (p < end && bytes[p] === 0) p++;
  return p;
}
