/** Fragment headers: the checksum's mask, and whether an intact fragment stands at a place. */
import { CRC_INITIAL, crc32c } from '../../../shared/crc32.ts';
import { seqText } from '../../../shared/u64.ts';
import {
  FULL_TYPE,
  HEADER_BYTES,
  LAST_TYPE,
  LENGTH_AT,
  LOG_NUMBER_AT,
  PREDECESSOR_WAL_INFO_TYPE,
  RECYCLABLE_FULL_TYPE,
  RECYCLABLE_HEADER_BYTES,
  RECYCLABLE_LAST_TYPE,
  RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE,
  RECYCLE_PREDECESSOR_WAL_INFO_TYPE,
  SET_COMPRESSION_TYPE,
  TYPE_AT,
  USER_DEFINED_TIMESTAMP_SIZE_TYPE,
} from './constants.ts';

/**
 * Stored checksums are masked, as a CRC over bytes that hold CRCs is weak (util/crc32c.h): rotated
 * right by 15 bits, plus this.
 */
const MASK_DELTA = 0xa282ead8;

/** The masked form of a finished CRC, unsigned. */
export function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The finished CRC in a masked one, signed as bit operators yield it. */
export function unmask(masked: number): number {
  const rotated = (masked - MASK_DELTA) | 0;
  return (rotated >>> 17) | (rotated << 15);
}

/** Header bytes by record type; 0 for a type that the dialect does not know. */
export type HeaderTable = Uint8Array;

export const LEVELDB_HEADERS: HeaderTable = table(1, 2, 3, 4);
/** The legacy types of RocksDB, and those with a log number. */
export const LEGACY_HEADERS: HeaderTable = table(
  1,
  2,
  3,
  4,
  SET_COMPRESSION_TYPE,
  USER_DEFINED_TIMESTAMP_SIZE_TYPE,
  PREDECESSOR_WAL_INFO_TYPE,
);
export const RECYCLABLE_HEADERS: HeaderTable = table(
  ...[5, 6, 7, 8, SET_COMPRESSION_TYPE],
  RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE,
  RECYCLE_PREDECESSOR_WAL_INFO_TYPE,
);
export const ROCKSDB_HEADERS: HeaderTable = LEGACY_HEADERS.map((bytes, type) =>
  Math.max(bytes, RECYCLABLE_HEADERS[type]!),
);

function table(...types: number[]): HeaderTable {
  const bytes = new Uint8Array(256);
  for (const type of types)
    bytes[type] = isRecyclable(type) ? RECYCLABLE_HEADER_BYTES : HEADER_BYTES;
  return bytes;
}

/** Does the header of this type carry a log number? */
export function isRecyclable(type: number): boolean {
  return (
    (type >= RECYCLABLE_FULL_TYPE && type <= RECYCLABLE_LAST_TYPE) ||
    type === RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE ||
    type === RECYCLE_PREDECESSOR_WAL_INFO_TYPE
  );
}

/** An unsigned 64-bit integer: a number where that is exact, else its digits. */
export function integer64(view: DataView, p: number): number | string {
  const high = view.getUint32(p + 4, true);
  const low = view.getUint32(p, true);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : seqText(high, low);
}

/** A fragment's `length` field, the bytes of its data. */
export function dataBytes(bytes: Uint8Array, p: number): number {
  return bytes[p + LENGTH_AT]! | (bytes[p + LENGTH_AT + 1]! << 8);
}

/** The low 32 bits of the log's number, in a recyclable header. */
export function logNumberAt(view: DataView, p: number): number {
  return view.getUint32(p + LOG_NUMBER_AT, true);
}

/** The CRC-32C that the fragment at `p` should have if it ends at `next`; signed. */
export function computeCrc(bytes: Uint8Array, view: DataView, p: number, next: number): number {
  return ~crc32c.update(CRC_INITIAL, bytes, view, p + TYPE_AT, next);
}

/** Where the fragment at `p` ends, if it lies before `end` and its checksum holds; else -1. */
export function intactEnd(
  headers: HeaderTable,
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
): number {
  if (p + HEADER_BYTES > end) return -1;
  const headerBytes = headers[bytes[p + TYPE_AT]!]!;
  const next = p + headerBytes + dataBytes(bytes, p);
  if (headerBytes === 0 || next > end) return -1;
  return unmask(view.getInt32(p, true)) === computeCrc(bytes, view, p, next) ? next : -1;
}

/**
 * Is a record of this type one fragment always? RocksDB fills the block up when it does not fit.
 */
export function isWhole(type: number): boolean {
  return (
    type === USER_DEFINED_TIMESTAMP_SIZE_TYPE ||
    type === RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE ||
    type === PREDECESSOR_WAL_INFO_TYPE ||
    type === RECYCLE_PREDECESSOR_WAL_INFO_TYPE
  );
}

/** The type without the log number: FULL, FIRST, MIDDLE and LAST of either form are one. */
export function plainType(type: number): number {
  return type >= RECYCLABLE_FULL_TYPE && type <= RECYCLABLE_LAST_TYPE
    ? type - RECYCLABLE_FULL_TYPE + FULL_TYPE
    : type;
}

/** Does a record of this type carry user data? */
export function isData(type: number): boolean {
  return plainType(type) <= LAST_TYPE;
}
