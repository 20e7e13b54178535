/**
 * The manifest of a log, `MANIFEST.wal2`: which segments are its. Replaced as a whole (temporary
 * file, sync, rename, sync of the directory) when the first segment changes; segments before it are
 * leftovers of a truncation that was cut short. 64 bytes, little-endian:
 *
 *      0       magic             "DDIAWALM"
 *      8  u16  version           2
 *     10  u16  bytes             64
 *     12  u32  compatible        flags that a reader may ignore
 *     16  u32  incompatible      flags that a reader must know
 *     20  u32  first_segment     number of the oldest segment
 *     24  u64  log_id
 *     32  u64  truncated_seq     the highest sequence number that was truncated away; 0: none
 *     40  u64  reached_seq       with flag 1: a record up to this one is durable
 *     48  u32  reached_segment   with flag 1: a segment up to this one was made
 *     52       reserved          8 bytes of 0
 *     60  u32  crc               CRC-32C over bytes 0 to 60
 *
 * A log only grows, so what it reached when the manifest was written it reaches for good: where it
 * ends before that, something is lost. A crash cannot do that, whatever the end looks like.
 */

import { crc32c } from '../../../shared/crc32.ts';
import type { FileSet } from '../../format.ts';

export const MANIFEST_NAME = 'MANIFEST.wal2';
export const MANIFEST_BYTES = 64;
const MAGIC = 'DDIAWALM';
const CRC_AT = 60;
/** The compatible flag that says that the manifest has `reached`. */
const HAS_REACHED = 1;

export interface LogManifest {
  logId: bigint;
  firstSegment: number;
  truncatedSeq: bigint;
  /** Undefined: an older writer did not say. */
  reached?: Reached | undefined;
}

/** The last segment that was made and the last record that was durable, or those before them. */
export interface Reached {
  segment: number;
  seq: bigint;
}

export function encodeManifest(manifest: LogManifest): Uint8Array {
  const bytes = new Uint8Array(MANIFEST_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(MAGIC, 'latin1'));
  view.setUint16(8, 2, true);
  view.setUint16(10, MANIFEST_BYTES, true);
  view.setUint32(20, manifest.firstSegment, true);
  view.setBigUint64(24, manifest.logId, true);
  view.setBigUint64(32, manifest.truncatedSeq, true);
  const { reached } = manifest;
  if (reached) {
    view.setUint32(12, HAS_REACHED, true);
    view.setBigUint64(40, reached.seq, true);
    view.setUint32(48, reached.segment, true);
  }
  view.setUint32(CRC_AT, crc32c.of(bytes, 0, CRC_AT), true);
  return bytes;
}

/** The manifest, or in words what is wrong with it. */
export function decodeManifest(bytes: Uint8Array): LogManifest | string {
  if (bytes.length !== MANIFEST_BYTES) return `${bytes.length} bytes, expected ${MANIFEST_BYTES}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const computed = crc32c.of(bytes, 0, CRC_AT);
  const stored = view.getUint32(CRC_AT, true);
  if (stored !== computed) {
    const words = [stored, computed].map((crc) => crc.toString(16).padStart(8, '0'));
    return `stored checksum ${words[0]}, computed ${words[1]}`;
  }
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== MAGIC)
    return 'its magic is not DDIAWALM';
  const version = view.getUint16(8, true);
  if (version !== 2) return `layout version ${version}, this reader knows 2`;
  const flags = view.getUint32(16, true);
  if (flags !== 0) return `incompatible feature flags ${flags.toString(16)} are not known`;
  const says = (view.getUint32(12, true) & HAS_REACHED) !== 0;
  return {
    firstSegment: view.getUint32(20, true),
    logId: view.getBigUint64(24, true),
    truncatedSeq: view.getBigUint64(32, true),
    reached: says
      ? { segment: view.getUint32(48, true), seq: view.getBigUint64(40, true) }
      : undefined,
  };
}

/**
 * The manifest among the files of `set`; in words what is wrong with it; undefined: there is none.
 */
export function readManifest(set: FileSet): LogManifest | string | undefined {
  if (!set.files.some(({ name }) => name === MANIFEST_NAME)) return undefined;
  const source = set.open(MANIFEST_NAME);
  try {
    const bytes = new Uint8Array(MANIFEST_BYTES + 1);
    const got = source.read(bytes, 0, bytes.length, 0);
    // A set that only reads asynchronously is read by its segments alone.
    return typeof got === 'number'
      ? decodeManifest(bytes.subarray(0, Math.max(0, got)))
      : undefined;
  } finally {
    source.close?.();
  }
}

/** The manifest, if there is one and it is whole. */
export function manifestOf(set: FileSet): LogManifest | undefined {
  const manifest = readManifest(set);
  return typeof manifest === 'string' ? undefined : manifest;
}
