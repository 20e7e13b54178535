/** Header, footer, index and properties: what frames the blocks of a table. See layout.ts. */
import { crc32c } from '../../../shared/crc32.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import * as names from './layout.ts';

export interface TableHeader {
  fileId: bigint;
  blockBytes: number;
  restartEvery: number;
  filterBits: number;
  compatible: number;
  incompatible: number;
}

export type NewTableHeader = Pick<TableHeader, 'fileId' | 'blockBytes' | 'filterBits'>;

export interface Place {
  offset: number;
  bytes: number;
}

export type Places = Record<(typeof names.PLACES)[number], Place>;

export interface TableFooter extends Places {
  fileCrc: number;
  copy: number;
  fileBytes: number;
  dataEnd: number;
  entries: number;
  dataBlocks: number;
  blockBytes: number;
  fileId: bigint;
  restartEvery: number;
  filterBits: number;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const MAGIC = ascii(names.MAGIC);
const FOOTER_MAGIC = ascii(names.FOOTER_MAGIC);

export const beginsWith = (bytes: Uint8Array, at: number, magic: Uint8Array): boolean =>
  magic.every((byte, i) => bytes[at + i] === byte);

export const isTableMagic = (bytes: Uint8Array): boolean => beginsWith(bytes, 0, MAGIC);
export const isFooterMagic = (bytes: Uint8Array, at: number): boolean =>
  beginsWith(bytes, at, FOOTER_MAGIC);

/** Returns the bytes and their crc, which seeds all others of the file. */
export function encodeHeader(header: NewTableHeader): { bytes: Uint8Array; crc: number } {
  const bytes = new Uint8Array(names.HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint16(8, names.VERSION, true);
  view.setUint16(10, names.HEADER_BYTES, true);
  view.setUint32(20, header.blockBytes, true);
  view.setBigUint64(24, header.fileId, true);
  view.setUint32(32, names.RESTART_EVERY, true);
  view.setUint32(36, header.filterBits, true);
  const crc = crc32c.of(bytes, 0, names.HEADER_CRC_AT);
  view.setUint32(names.HEADER_CRC_AT, crc, true);
  return { bytes, crc };
}

export interface HeaderLook {
  header: TableHeader;
  stored: number;
  computed: number;
  /** The crc holds, and what it covers is what this reader knows. */
  intact: boolean;
  /** What is not known: a version or a flag. */
  refused?: string;
}

export function decodeHeader(bytes: Uint8Array): HeaderLook | undefined {
  if (bytes.length < names.HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const stored = view.getUint32(names.HEADER_CRC_AT, true);
  const computed = crc32c.of(bytes, 0, names.HEADER_CRC_AT);
  const header = {
    fileId: view.getBigUint64(24, true),
    blockBytes: view.getUint32(20, true),
    restartEvery: view.getUint32(32, true),
    filterBits: view.getUint32(36, true),
    compatible: view.getUint32(12, true),
    incompatible: view.getUint32(16, true),
  };
  const version = view.getUint16(8, true);
  const intact = stored === computed && isTableMagic(bytes);
  let refused: string | undefined;
  if (intact && version !== names.VERSION) refused = `layout version ${version}`;
  else if (intact && header.incompatible !== 0) {
    refused = `incompatible flags ${header.incompatible.toString(16)}`;
  }
  return { header, stored, computed, intact, ...(refused !== undefined && { refused }) };
}

export function encodeFooter(footer: TableFooter, offset: number): Uint8Array {
  const bytes = new Uint8Array(names.FOOTER_BYTES);
  const view = viewOf(bytes);
  bytes.set(FOOTER_MAGIC);
  view.setUint32(8, footer.fileCrc, true);
  view.setUint32(12, footer.copy, true);
  view.setBigUint64(16, BigInt(footer.fileBytes), true);
  view.setBigUint64(24, BigInt(footer.dataEnd), true);
  names.PLACES.forEach((name, i) => {
    view.setBigUint64(32 + 12 * i, BigInt(footer[name].offset), true);
    view.setUint32(40 + 12 * i, footer[name].bytes, true);
  });
  view.setBigUint64(80, BigInt(footer.entries), true);
  view.setUint32(88, footer.dataBlocks, true);
  view.setUint32(92, footer.blockBytes, true);
  view.setBigUint64(96, footer.fileId, true);
  view.setUint32(104, footer.restartEvery, true);
  view.setUint32(108, footer.filterBits, true);
  bytes.set(FOOTER_MAGIC, names.FOOTER_MAGIC_AGAIN_AT);
  const register = names.seed(footer.fileCrc, offset);
  const crc = ~crc32c.update(register, bytes, view, 0, names.FOOTER_CRC_AT);
  view.setUint32(names.FOOTER_CRC_AT, crc, true);
  return bytes;
}

/**
 * The footer in bytes[at, at + 128), which lie at `offset` of their file; undefined: there is none.
 */
export function decodeFooter(
  bytes: Uint8Array,
  at: number,
  offset: number,
): TableFooter | undefined {
  if (at + names.FOOTER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, names.FOOTER_BYTES);
  const own = bytes.subarray(at, at + names.FOOTER_BYTES);
  const fileCrc = view.getUint32(8, true);
  const register = crc32c.update(names.seed(fileCrc, offset), own, view, 0, names.FOOTER_CRC_AT);
  if (~register >>> 0 !== view.getUint32(names.FOOTER_CRC_AT, true)) return undefined;
  if (!isFooterMagic(own, 0)) return undefined;
  const [ranges, filter, index, properties] = names.PLACES.map((_, i) => ({
    offset: Number(view.getBigUint64(32 + 12 * i, true)),
    bytes: view.getUint32(40 + 12 * i, true),
  })) as [Place, Place, Place, Place];
  return {
    fileCrc,
    copy: view.getUint32(12, true),
    fileBytes: Number(view.getBigUint64(16, true)),
    dataEnd: Number(view.getBigUint64(24, true)),
    ranges,
    filter,
    index,
    properties,
    entries: Number(view.getBigUint64(80, true)),
    dataBlocks: view.getUint32(88, true),
    blockBytes: view.getUint32(92, true),
    fileId: view.getBigUint64(96, true),
    restartEvery: view.getUint32(104, true),
    filterBits: view.getUint32(108, true),
  };
}

/** What a table counts of itself. */
export interface Properties {
  counts: number[];
  firstKey: Uint8Array;
  lastKey: Uint8Array;
}

export function encodeProperties({ counts, firstKey, lastKey }: Properties): Uint8Array {
  const bytes = new Uint8Array(names.PROPERTIES_BYTES + firstKey.length + lastKey.length);
  const view = viewOf(bytes);
  counts.forEach((count, i) => {
    view.setBigUint64(8 * i, BigInt(count), true);
  });
  view.setUint32(72, firstKey.length, true);
  view.setUint32(76, lastKey.length, true);
  bytes.set(firstKey, names.PROPERTIES_BYTES);
  bytes.set(lastKey, names.PROPERTIES_BYTES + firstKey.length);
  return bytes;
}

/** Undefined: that is none. */
export function decodeProperties(bytes: Uint8Array): Properties | undefined {
  if (bytes.length < names.PROPERTIES_BYTES) return undefined;
  const view = viewOf(bytes);
  const first = view.getUint32(72, true);
  const last = view.getUint32(76, true);
  if (names.PROPERTIES_BYTES + first + last !== bytes.length) return undefined;
  const counts = names.COUNTS.map((_, i) => Number(view.getBigUint64(8 * i, true)));
  const middle = names.PROPERTIES_BYTES + first;
  return {
    counts,
    firstKey: bytes.slice(names.PROPERTIES_BYTES, middle),
    lastKey: bytes.slice(middle),
  };
}
