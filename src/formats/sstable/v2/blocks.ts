/** Headers of blocks and what stands in front of and behind them all. */

import { inflate } from '../../../shared/codecs/inflate.ts';
import { hex32, toHex } from '../../../shared/hex.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource } from '../../format.ts';
import * as wire from './layout.ts';

const { BLOCK, HEADER, FOOTER } = wire;

export interface BlockHeader {
  tableId: string;
  number: number;
  kind: number;
  compression: number;
  storedBytes: number;
  rawBytes: number;
  entries: number;
  payloadCrc: number;
}

/** The header at `p`; undefined: its checksum does not hold, or it is none. */
export function readBlockHeader(
  bytes: Uint8Array,
  view: DataView,
  p: number,
): BlockHeader | undefined {
  if (p + wire.BLOCK_HEADER_BYTES > bytes.length) return undefined;
  if (view.getUint32(p + BLOCK.magic, true) !== wire.BLOCK_MAGIC) return undefined;
  const crc = wire.crcOf(bytes, p + BLOCK.tableId, p + wire.BLOCK_HEADER_BYTES);
  if (view.getUint32(p + BLOCK.headerCrc, true) !== crc) return undefined;
  return {
    tableId: toHex(bytes, p + BLOCK.tableId, p + BLOCK.number),
    number: view.getUint32(p + BLOCK.number, true),
    kind: bytes[p + BLOCK.kind]!,
    compression: bytes[p + BLOCK.compression]!,
    storedBytes: view.getUint32(p + BLOCK.storedBytes, true),
    rawBytes: view.getUint32(p + BLOCK.rawBytes, true),
    entries: view.getUint32(p + BLOCK.entries, true),
    payloadCrc: view.getUint32(p + BLOCK.payloadCrc, true),
  };
}

/** Bytes of a block with header and padding. */
export function blockLength({ storedBytes }: BlockHeader): number {
  return wire.padded(wire.BLOCK_HEADER_BYTES + storedBytes);
}

export interface TableHeader {
  tableId: string | undefined;
  blockBytes: number;
  fault: string | undefined;
  /** Flags that must be known and are not. */
  unknown: number;
}

export async function readTableHeader(source: ByteSource): Promise<TableHeader> {
  const bytes = await bytesAt(source, 0, wire.HEADER_BYTES);
  const none = { tableId: undefined, blockBytes: 0, unknown: 0 };
  if (bytes.length < wire.HEADER_BYTES) {
    return { ...none, fault: `${bytes.length} bytes, a header has ${wire.HEADER_BYTES}` };
  }
  const view = viewOf(bytes);
  const stored = view.getUint32(HEADER.crc, true);
  const computed = wire.headerCrc(bytes);
  if (stored !== computed) {
    return {
      ...none,
      fault: `stored crc ${hex32(stored)}, computed ${hex32(computed)} over the header`,
    };
  }
  const magic = wire.MAGIC.every((byte, i) => bytes[i] === byte);
  const version = view.getUint16(HEADER.version, true);
  const fault = !magic
    ? `magic ${toHex(bytes, 0, 8)}, expected ${toHex(wire.MAGIC)}`
    : version !== wire.VERSION
      ? `version ${version}, expected ${wire.VERSION}`
      : undefined;
  return {
    tableId: toHex(bytes, HEADER.tableId, HEADER.tableId + 8),
    blockBytes: view.getUint32(HEADER.blockBytes, true),
    unknown: view.getUint32(HEADER.incompatible, true),
    fault,
  };
}

export interface TableFooter {
  copy: number;
  blocks: number;
  tableId: string;
  indexAt: number;
  fileBytes: number;
}

export function readFooterAt(
  bytes: Uint8Array,
  view: DataView,
  p: number,
): TableFooter | undefined {
  if (p < 0 || p + wire.FOOTER_BYTES > bytes.length) return undefined;
  if (!wire.FOOTER_MAGIC.every((byte, i) => bytes[p + i] === byte)) return undefined;
  if (view.getUint32(p + FOOTER.crc, true) !== wire.crcOf(bytes, p, p + FOOTER.crc))
    return undefined;
  return {
    copy: view.getUint32(p + FOOTER.copy, true),
    blocks: view.getUint32(p + FOOTER.blocks, true),
    tableId: toHex(bytes, p + FOOTER.tableId, p + FOOTER.tableId + 8),
    indexAt: Number(view.getBigUint64(p + FOOTER.indexAt, true)),
    fileBytes: Number(view.getBigUint64(p + FOOTER.fileBytes, true)),
  };
}

export interface Footers {
  /** The one that can be believed. */
  footer: TableFooter | undefined;
  /** Where the copies lie; the first is looked for in the sector before the second. */
  firstAt: number | undefined;
  secondAt: number;
  /** Which copies are whole. */
  first: boolean;
  second: boolean;
}

/** The second footer ends the file; the first lies at most a sector before it. */
export async function readFooters(source: ByteSource): Promise<Footers> {
  const size = source.size ?? 0;
  const base = Math.max(0, size - wire.SECTOR_BYTES - 2 * wire.FOOTER_BYTES);
  const bytes = await bytesAt(source, base, size - base);
  const view = viewOf(bytes);
  const secondAt = size - wire.FOOTER_BYTES;
  const second = readFooterAt(bytes, view, secondAt - base);
  let first: TableFooter | undefined;
  let firstAt: number | undefined;
  const from = Math.floor((size - wire.FOOTER_BYTES) / wire.UNIT_BYTES) * wire.UNIT_BYTES;
  for (let at = from; at >= base && at >= wire.HEADER_BYTES; at -= wire.UNIT_BYTES) {
    const found = readFooterAt(bytes, view, at - base);
    if (found?.copy !== 0) continue;
    first = found;
    firstAt = at;
    break;
  }
  const whole = second?.copy === 1 && second.fileBytes === size;
  const footer = whole ? second : first;
  return { footer, firstAt, secondAt, first: first !== undefined, second: whole };
}

/** The payload as it was before compression; undefined: it cannot be had. */
export function unpack(
  { compression, rawBytes }: BlockHeader,
  bytes: Uint8Array,
  start: number,
  end: number,
): Uint8Array | undefined {
  const stored = bytes.subarray(start, end);
  if (compression === 0) return rawBytes === stored.length ? stored : undefined;
  return compression === 1 ? inflate(stored, rawBytes) : undefined;
}
