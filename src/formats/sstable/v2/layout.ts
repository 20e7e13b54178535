/**
 * Wire constants of the hardened table, shared by reader and writer. Little-endian; FORMAT.md draws
 * it. Everything begins at a multiple of 64 bytes, zeros fill what is left.
 */
import { crc32c } from '../../../shared/crc32.ts';

export const UNIT_BYTES = 64;
export const HEADER_BYTES = 64;
export const BLOCK_HEADER_BYTES = 40;
export const FOOTER_BYTES = 64;
/** The second footer lies in another sector than the first. */
export const SECTOR_BYTES = 4096;

/** "DDIASST" and 02; "DDIASSTF"; "BLT2" as a number. */
export const MAGIC = Uint8Array.of(0x44, 0x44, 0x49, 0x41, 0x53, 0x53, 0x54, 0x02);
export const FOOTER_MAGIC = Uint8Array.of(0x44, 0x44, 0x49, 0x41, 0x53, 0x53, 0x54, 0x46);
export const BLOCK_MAGIC = 0x3254_4c42;
export const VERSION = 2;

export const HEADER = {
  version: 8,
  headerBytes: 10,
  compatible: 12,
  incompatible: 16,
  blockBytes: 20,
  tableId: 24,
  crc: 32,
  reserved: 36,
} as const;

export const BLOCK = {
  magic: 0,
  headerCrc: 4,
  tableId: 8,
  number: 16,
  kind: 20,
  compression: 21,
  reserved: 22,
  storedBytes: 24,
  rawBytes: 28,
  entries: 32,
  payloadCrc: 36,
} as const;

export const FOOTER = {
  copy: 8,
  blocks: 12,
  tableId: 16,
  indexAt: 24,
  fileBytes: 32,
  reserved: 40,
  crc: 60,
} as const;

export const KIND = { data: 1, ranges: 2, filter: 3, properties: 4, index: 5 } as const;
export const KIND_NAMES: Readonly<Record<number, string>> = {
  1: 'data',
  2: 'range_deletions',
  3: 'filter',
  4: 'properties',
  5: 'index',
};
export const COMPRESSION_NAMES = ['none', 'deflate'] as const;

/** The byte of an entry that says its type and which fields it has. */
export const TYPE_MASK = 0x1f;
export const HAS_SEQ = 0x20;
export const HAS_TIMESTAMP = 0x40;
export const HAS_VALUE = 0x80;

export const BLOCK_BYTES_DEFAULT = 16 * 1024;
/** Entries of a block are bounded so that a count in a file can be believed. */
export const FILTER_LINE_BYTES = 64;
export const FILTER_BITS_PER_KEY = 10;
export const FILTER_PROBES = 6;
export const FILTER_HEAD_BYTES = 8;

export function padded(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;
}

/** CRC-32C of bytes [start, end). */
export function crcOf(bytes: Uint8Array, start: number, end: number): number {
  return crc32c.of(bytes, start, end);
}

/** Of a table's header: over all of it, with zeros where the checksum itself stands. */
export function headerCrc(header: Uint8Array): number {
  const copy = header.slice(0, HEADER_BYTES);
  copy.fill(0, HEADER.crc, HEADER.crc + 4);
  return crcOf(copy, 0, HEADER_BYTES);
}

/** Where a footer's second copy lies, by where the first does. */
export function secondFooterAt(first: number): number {
  return Math.ceil((first + FOOTER_BYTES) / SECTOR_BYTES) * SECTOR_BYTES;
}
