/**
 * Blocks by their checksums, where no index says where they are. A block has no length in front of
 * it: it ends wherever the checksum of what lies before fits. With CRC-32C every length is tried in
 * one pass; other checksums are computed only where the byte that would name the compression, and
 * for blocks that are not compressed the restarts, allow for an end.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { blockChecksum, contextOf, maskCrc } from './checksum.ts';
import { CHECKSUM, TRAILER_BYTES } from './constants.ts';
import type { CheckSpec } from './source-blocks.ts';

/** Blocks up to this size are found. */
export const FOUND_BYTES_MAX = 1024 * 1024;
const COMPRESSION_MAX = 7;
const PAYLOAD_BYTES_MIN = 8;

export class BlockFinder {
  /** Bytes that were hashed: what the search has cost. */
  hashed = 0;

  constructor(
    readonly check: CheckSpec,
    /** The search gives up when it has cost so much. */
    readonly budget: number,
  ) {}

  /**
   * The block that begins at `start`: where its payload ends. -1: none that ends before `end`.
   * `offset`: where `start` is in the file.
   */
  endOf(bytes: Uint8Array, view: DataView, start: number, end: number, offset: number): number {
    const last = Math.min(end, start + FOUND_BYTES_MAX) - TRAILER_BYTES;
    const context = contextOf(this.check.base, offset);
    return this.check.checksum === CHECKSUM.crc32c
      ? this.#crc(bytes, view, start, last, context)
      : this.#other(bytes, view, start, last, context);
  }

  #crc(bytes: Uint8Array, view: DataView, start: number, last: number, context: number): number {
    const { table } = crc32c;
    let c = -1;
    for (let p = start; p <= last; p++) {
      const byte = bytes[p]!;
      const next = (c >>> 8) ^ table[(c ^ byte) & 255]!;
      if (byte <= COMPRESSION_MAX && p - start >= PAYLOAD_BYTES_MIN) {
        const sum = (maskCrc(~next) + context) >>> 0;
        if (sum === view.getUint32(p + 1, true)) {
          this.hashed += p - start;
          return p;
        }
      }
      c = next;
    }
    this.hashed += Math.max(0, last - start);
    return -1;
  }

  #other(bytes: Uint8Array, view: DataView, start: number, last: number, context: number): number {
    const { checksum } = this.check;
    for (let p = start + PAYLOAD_BYTES_MIN; p <= last; p++) {
      const type = bytes[p]!;
      if (type > COMPRESSION_MAX || this.hashed > this.budget) continue;
      if (type === 0 && !this.#restartsFit(view, start, p)) continue;
      this.hashed += p - start;
      const sum = (blockChecksum(checksum, bytes, view, start, p) + context) >>> 0;
      if (sum === view.getUint32(p + 1, true)) return p;
    }
    return -1;
  }

  /**
   * Whether an uncompressed block can end here: a count of restarts that fits, the first of them
   * 0.
   */
  #restartsFit(view: DataView, start: number, end: number): boolean {
    const word = view.getUint32(end - 4, true);
    let count = word;
    let to = end - 4;
    if (word >= 0x8000_0000) {
      count = word - 0x8000_0000;
      to -= 2 + view.getUint16(Math.max(start, end - 6), true);
    }
    const at = to - 4 * count;
    return count > 0 && at >= start && at + 4 <= end && view.getUint32(at, true) === 0;
  }
}
