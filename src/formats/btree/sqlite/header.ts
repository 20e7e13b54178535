/** The file's header, in the first 100 bytes of page 1. */
import type { Said } from '../check.ts';
import { Cell } from './cell.ts';
import { pointersAt } from './cell-count.ts';
import {
  CELLS_AT,
  CHANGE_COUNTER_AT,
  ENCODING_AT,
  FRACTIONS_AT,
  FREE_COUNT_AT,
  FREELIST_AT,
  HEADER_BYTES,
  INCREMENTAL_AT,
  isBtreePage,
  LARGEST_ROOT_AT,
  MAGIC,
  PAGE_COUNT_AT,
  PAGE_SIZE_AT,
  READ_VERSION_AT,
  RESERVED_AT,
  SCHEMA_FORMAT_AT,
  VALID_FOR_AT,
  WRITER_AT,
} from './layout.ts';

export interface Header {
  pageSize: number;
  reserved: number;
  /** Bytes of a page that are used. */
  usable: number;
  /** As it stands there; 0 in files of old versions. */
  pageCount: number;
  /** The program that wrote last knew of the page count. */
  countValid: boolean;
  freelist: number;
  freeCount: number;
  schemaFormat: number;
  largestRoot: number;
  /** 1 UTF-8, 2 UTF-16 little-endian, 3 big-endian. */
  encoding: number;
  incremental: number;
  /** Version of SQLite that wrote last, as 3040001 for 3.40.1. */
  writer: number;
}

export function isMagic(head: Uint8Array): boolean {
  if (head.length < HEADER_BYTES) return false;
  return Buffer.from(head.buffer, head.byteOffset, 16).toString('latin1') === MAGIC;
}

export function pageSizeOf(view: DataView): number {
  const stated = view.getUint16(PAGE_SIZE_AT);
  return stated === 1 ? 65_536 : stated;
}

export function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
}

export function readHeader(view: DataView, pageSize: number): Header {
  const reserved = view.getUint8(RESERVED_AT);
  const encoding = view.getUint32(ENCODING_AT);
  return {
    pageSize,
    reserved,
    usable: Math.max(480, pageSize - reserved),
    pageCount: view.getUint32(PAGE_COUNT_AT),
    countValid: view.getUint32(CHANGE_COUNTER_AT) === view.getUint32(VALID_FOR_AT),
    freelist: view.getUint32(FREELIST_AT),
    freeCount: view.getUint32(FREE_COUNT_AT),
    schemaFormat: view.getUint32(SCHEMA_FORMAT_AT),
    largestRoot: view.getUint32(LARGEST_ROOT_AT),
    encoding: encoding >= 1 && encoding <= 3 ? encoding : 1,
    incremental: view.getUint32(INCREMENTAL_AT),
    writer: view.getUint32(WRITER_AT),
  };
}

/**
 * The header, and if cells of page 1, which is `bytes[start, start + pageSize)`, lie where no cell
 * can be, so many reserved bytes as leave them room: SQLite fills its pages from their end.
 */
export function likelyHeader(
  head: DataView,
  bytes: Uint8Array,
  start: number,
  size: number,
): Header {
  const header = readHeader(head, size);
  const type = bytes[start + HEADER_BYTES]!;
  if (!isBtreePage(type)) return header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cell = new Cell(header.usable);
  const count = Math.min(view.getUint16(start + HEADER_BYTES + CELLS_AT), Math.floor(size / 6));
  const pointers = start + HEADER_BYTES + pointersAt(type);
  let end = 0;
  for (let slot = 0; slot < count && pointers + 2 * slot + 2 <= start + size; slot++) {
    const at = start + view.getUint16(pointers + 2 * slot);
    if (!cell.parse(bytes, at, start + size, type)) return header;
    // How much of one with overflow pages lies here depends on what is asked.
    if (cell.payload <= cell.local) end = Math.max(end, at - start + cell.size);
  }
  if (end <= header.usable) return header;
  return { ...header, reserved: size - end, usable: end };
}

/** What SQLite itself would refuse to open, or to read. */
export function checkHeader(
  head: Uint8Array,
  view: DataView,
  likely: Header,
  tell: (what: string, said: Said) => void,
): void {
  const field = (at: number, length: number, what: string, expected: unknown, actual: unknown) =>
    tell(what, { page: 1, at, length, expected, actual });
  if (!isMagic(head)) {
    const actual = Buffer.from(head.subarray(0, 16)).toString('latin1');
    field(0, 16, 'not the header of a database', MAGIC, actual);
  }
  const size = pageSizeOf(view);
  if (!isPageSize(size)) {
    field(PAGE_SIZE_AT, 2, 'no page size', 'a power of two from 512 to 65536', size);
  }
  const version = view.getUint8(READ_VERSION_AT);
  if (version < 1 || version > 2) {
    field(READ_VERSION_AT, 1, 'read version', '1 (journal) or 2 (log)', version);
  }
  const writeVersion = view.getUint8(READ_VERSION_AT - 1);
  if (writeVersion < 1 || writeVersion > 2) {
    field(READ_VERSION_AT - 1, 1, 'write version', '1 (journal) or 2 (log)', writeVersion);
  }
  const reserved = view.getUint8(RESERVED_AT);
  if (isPageSize(size) && size - reserved < 480) {
    field(RESERVED_AT, 1, 'reserved bytes leave too little of a page', size - 480, reserved);
  } else if (isPageSize(size) && reserved !== likely.reserved) {
    const what = 'cells of page 1 lie in the bytes that are said to be reserved';
    field(RESERVED_AT, 1, what, `at most ${likely.reserved}`, reserved);
  }
  const fractions = [0, 1, 2].map((i) => view.getUint8(FRACTIONS_AT + i));
  if (fractions.join() !== '64,32,32') {
    field(FRACTIONS_AT, 3, 'payload fractions', '64, 32, 32', fractions.join(', '));
  }
  const format = view.getUint32(SCHEMA_FORMAT_AT);
  if (format > 4) field(SCHEMA_FORMAT_AT, 4, 'schema format', '0 to 4', format);
  const encoding = view.getUint32(ENCODING_AT);
  if (encoding > 3) field(ENCODING_AT, 4, 'text encoding', '1 to 3', encoding);
  const largest = view.getUint32(LARGEST_ROOT_AT);
  const incremental = view.getUint32(INCREMENTAL_AT);
  if (largest === 0 && incremental !== 0) {
    field(INCREMENTAL_AT, 4, 'incremental vacuum without a pointer map', 0, incremental);
  }
}
