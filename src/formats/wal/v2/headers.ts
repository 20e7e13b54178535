/** Segment and block headers: their fields, to bytes and back. Drawn in layout.ts. */
import { crc32c } from '../../../shared/crc32.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  HEADER_CRC_AT,
  MAGIC,
  SEGMENT_HEADER_BYTES,
  VERSION,
} from './layout.ts';

/** 64-bit fields are kept as bigint here: a header is read once a segment. */
export interface SegmentHeader {
  logId: bigint;
  segment: number;
  previousChain: number;
  baseSeq: bigint;
  previousSeq: bigint;
  compatible: number;
  incompatible: number;
  blockBytes: number;
  version: number;
  /** As stored; and whether it holds. */
  crc: number;
  intact: boolean;
}

export type NewSegment = Pick<
  SegmentHeader,
  'logId' | 'segment' | 'previousChain' | 'baseSeq' | 'previousSeq'
>;

export function encodeSegmentHeader(header: NewSegment): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, VERSION, true);
  view.setUint16(10, SEGMENT_HEADER_BYTES, true);
  view.setUint32(20, BLOCK_BYTES, true);
  view.setBigUint64(24, header.logId, true);
  view.setUint32(32, header.segment, true);
  view.setUint32(36, header.previousChain, true);
  view.setBigUint64(40, header.baseSeq, true);
  view.setBigUint64(48, header.previousSeq, true);
  view.setUint32(HEADER_CRC_AT, crc32c.of(bytes, 0, HEADER_CRC_AT), true);
  return bytes;
}

/** Undefined if the magic is not there. `bytes` holds at least 64 from `at` on. */
export function decodeSegmentHeader(bytes: Uint8Array, at = 0): SegmentHeader | undefined {
  // The checksum covers the magic: where it holds without it, the header is another layout's.
  if (!MAGIC.every((byte, i) => bytes[at + i] === byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SEGMENT_HEADER_BYTES);
  const crc = view.getUint32(HEADER_CRC_AT, true);
  const intact = crc32c.of(bytes, at, at + HEADER_CRC_AT) === crc;
  return {
    version: view.getUint16(8, true),
    compatible: view.getUint32(12, true),
    incompatible: view.getUint32(16, true),
    blockBytes: view.getUint32(20, true),
    logId: view.getBigUint64(24, true),
    segment: view.getUint32(32, true),
    previousChain: view.getUint32(36, true),
    baseSeq: view.getBigUint64(40, true),
    previousSeq: view.getBigUint64(48, true),
    crc,
    intact,
  };
}

export interface BlockHeader {
  crc: number;
  block: number;
  logId: bigint;
  segment: number;
  previousChain: number;
  first: number;
  intact: boolean;
}

/** Writes a block header at `at` and returns its crc, which the block's chain begins with. */
export function encodeBlockHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  header: Omit<BlockHeader, 'crc' | 'intact'>,
): number {
  view.setUint32(at + 4, header.block, true);
  view.setBigUint64(at + 8, header.logId, true);
  view.setUint32(at + 16, header.segment, true);
  view.setUint32(at + 20, header.previousChain, true);
  view.setUint16(at + 24, header.first, true);
  view.setUint16(at + 26, 0, true);
  view.setUint32(at + 28, BLOCK_MAGIC, true);
  const crc = ~crc32c.update(-1, bytes, view, at + 4, at + BLOCK_HEADER_BYTES) >>> 0;
  view.setUint32(at, crc, true);
  return crc;
}

export function decodeBlockHeader(bytes: Uint8Array, view: DataView, at: number): BlockHeader {
  const crc = view.getUint32(at, true);
  const computed = ~crc32c.update(-1, bytes, view, at + 4, at + BLOCK_HEADER_BYTES) >>> 0;
  return {
    crc,
    block: view.getUint32(at + 4, true),
    logId: view.getBigUint64(at + 8, true),
    segment: view.getUint32(at + 16, true),
    previousChain: view.getUint32(at + 20, true),
    first: view.getUint16(at + 24, true),
    intact: computed === crc,
  };
}
