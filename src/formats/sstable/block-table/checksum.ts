/** Checksums of blocks: over the payload and the byte that names the compression. */
import { CRC_INITIAL, crc32c } from '../../../shared/crc32.ts';
import { xxh3Of, xxh32Of, xxh64Of } from '../../../shared/hash/block-hash.ts';
import { CHECKSUM, CRC_MASK_DELTA } from './constants.ts';

/** RocksDB takes the last byte in by itself, so that XXH3 need not be a stream. */
const LAST_BYTE_PRIME = 0x6b9083d9;

/** A CRC as it stands in a file, unsigned. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + CRC_MASK_DELTA) >>> 0;
}

/** Of the payload [start, end) and the byte behind it, unsigned; without context. */
export function blockChecksum(
  type: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): number {
  switch (type) {
    case CHECKSUM.crc32c:
      return maskCrc(~crc32c.update(CRC_INITIAL, bytes, view, start, end + 1));
    case CHECKSUM.xxhash:
      return xxh32Of(bytes, view, start, end + 1);
    case CHECKSUM.xxhash64:
      return xxh64Of(bytes, view, start, end + 1);
    case CHECKSUM.xxh3:
      return (xxh3Of(bytes, view, start, end) ^ Math.imul(bytes[end]!, LAST_BYTE_PRIME)) >>> 0;
    default:
      return 0;
  }
}

/** What is added to a checksum so that it knows its place; 0 where `base` is 0. */
export function contextOf(base: number, offset: number): number {
  if (base === 0) return 0;
  return (base ^ ((offset >>> 0) + Math.floor(offset / 0x1_0000_0000))) >>> 0;
}
