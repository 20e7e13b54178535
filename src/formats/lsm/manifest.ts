/**
 * The manifest of an LSM store: which tables live, on which level, and up to which number the log
 * is in them. Replaced as a whole. Drawn in docs/formats/lsm-v2.md.
 *
 *      0       magic           "DDIALSM2"
 *      8  u16  version         2
 *     10  u16  bytes           64
 *     12  u32  compatible      flags that a reader may ignore
 *     16  u32  incompatible    flags that a reader must know
 *     20  u32  tables          entries behind the header
 *     24  u64  store_id
 *     32  u64  generation      grows by one whenever the manifest is replaced
 *     40  u64  flushed_seq     what the log holds up to this number is in tables
 *     48  u32  next_file       no table has had this number or a higher one
 *     52  u32  bytes_behind    of the entries
 *     56  u32  reserved        0
 *     60  u32  crc             over bytes 0 to 60
 *
 *     entry
 *      0  u32  crc             over bytes 4 to its end, from a register of ~(header_crc ^ index)
 *      4  u32  file
 *      8  u8   level
 *      9       reserved        3 bytes of 0
 *     12  u32  file_crc        the crc in the table's header
 *     16  u64  bytes
 *     24  u64  entries         range deletions included
 *     32  u64  seq_first
 *     40  u64  seq_last
 *     48  u32  deletions       range deletions included
 *     52  u32  range_deletions
 *     56  u32  first_length
 *     60  u32  last_length
 *     64       first key, last key (range deletions included: their begin and their end)
 */
import { crc32c } from '../../shared/crc32.ts';

export const MANIFEST_NAME = 'MANIFEST.lsm2';
/** The directory below, with the log. */
export const LOG_DIRECTORY = 'wal';
export const MAGIC = 'DDIALSM2';
export const VERSION = 2;
export const HEADER_BYTES = 64;
export const CRC_AT = 60;
export const ENTRY_BYTES = 64;
export const LEVELS = 7;

export interface ManifestTable {
  file: number;
  level: number;
  fileCrc: number;
  bytes: number;
  entries: number;
  deletions: number;
  rangeDeletions: number;
  seqFirst: number;
  seqLast: number;
  firstKey: Uint8Array;
  lastKey: Uint8Array;
}

export interface LsmManifest {
  storeId: bigint;
  generation: bigint;
  flushedSeq: number;
  nextFile: number;
  tables: ManifestTable[];
}

export function encodeManifest(manifest: LsmManifest): Uint8Array {
  const { tables } = manifest;
  const behind = tables.reduce((sum, { firstKey, lastKey }) => {
    return sum + ENTRY_BYTES + firstKey.length + lastKey.length;
  }, 0);
  const bytes = new Uint8Array(HEADER_BYTES + behind);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint16(8, VERSION, true);
  view.setUint16(10, HEADER_BYTES, true);
  view.setUint32(20, tables.length, true);
  view.setBigUint64(24, manifest.storeId, true);
  view.setBigUint64(32, manifest.generation, true);
  view.setBigUint64(40, BigInt(manifest.flushedSeq), true);
  view.setUint32(48, manifest.nextFile, true);
  view.setUint32(52, behind, true);
  const crc = crc32c.of(bytes, 0, CRC_AT);
  view.setUint32(CRC_AT, crc, true);
  let at = HEADER_BYTES;
  tables.forEach((table, index) => {
    const { firstKey, lastKey } = table;
    const end = at + ENTRY_BYTES + firstKey.length + lastKey.length;
    view.setUint32(at + 4, table.file, true);
    bytes[at + 8] = table.level;
    view.setUint32(at + 12, table.fileCrc, true);
    const wide = [table.bytes, table.entries, table.seqFirst, table.seqLast];
    wide.forEach((value, i) => {
      view.setBigUint64(at + 16 + 8 * i, BigInt(value), true);
    });
    view.setUint32(at + 48, table.deletions, true);
    view.setUint32(at + 52, table.rangeDeletions, true);
    view.setUint32(at + 56, firstKey.length, true);
    view.setUint32(at + 60, lastKey.length, true);
    bytes.set(firstKey, at + ENTRY_BYTES);
    bytes.set(lastKey, at + ENTRY_BYTES + firstKey.length);
    view.setUint32(at, ~crc32c.update(~(crc ^ index), bytes, view, at + 4, end), true);
    at = end;
  });
  return bytes;
}

/** A string says what is wrong. */
export function decodeManifest(bytes: Uint8Array): LsmManifest | string {
  if (bytes.length < HEADER_BYTES) return `${bytes.length} bytes, ${HEADER_BYTES} at least`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crc = view.getUint32(CRC_AT, true);
  if (crc32c.of(bytes, 0, CRC_AT) !== crc) return 'the checksum of its header does not hold';
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== MAGIC) return 'no magic "DDIALSM2"';
  const version = view.getUint16(8, true);
  if (version !== VERSION) return `version ${version} is not known`;
  const flags = view.getUint32(16, true);
  if (flags !== 0) return `incompatible feature flags ${flags.toString(16)} are not known`;
  const behind = view.getUint32(52, true);
  if (HEADER_BYTES + behind !== bytes.length) {
    return `${HEADER_BYTES + behind} bytes by its header, ${bytes.length} are there`;
  }
  const tables: ManifestTable[] = [];
  let at = HEADER_BYTES;
  for (let index = view.getUint32(20, true); index > 0; index--) {
    const table = decodeEntry(bytes, view, at, crc, tables.length);
    if (!table) return `the entry at ${at} is damaged`;
    tables.push(table);
    at += ENTRY_BYTES + table.firstKey.length + table.lastKey.length;
  }
  if (at !== bytes.length) return `${bytes.length - at} bytes behind its entries`;
  return {
    storeId: view.getBigUint64(24, true),
    generation: view.getBigUint64(32, true),
    flushedSeq: Number(view.getBigUint64(40, true)),
    nextFile: view.getUint32(48, true),
    tables,
  };
}

export function decodeEntry(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  crc: number,
  index: number,
): ManifestTable | undefined {
  const keys = at + ENTRY_BYTES;
  if (keys > bytes.length) return undefined;
  const middle = keys + view.getUint32(at + 56, true);
  const end = middle + view.getUint32(at + 60, true);
  if (end > bytes.length) return undefined;
  const computed = ~crc32c.update(~(crc ^ index), bytes, view, at + 4, end) >>> 0;
  if (computed !== view.getUint32(at, true)) return undefined;
  const wide = (from: number): number => Number(view.getBigUint64(at + from, true));
  return {
    file: view.getUint32(at + 4, true),
    level: bytes[at + 8]!,
    fileCrc: view.getUint32(at + 12, true),
    bytes: wide(16),
    entries: wide(24),
    seqFirst: wide(32),
    seqLast: wide(40),
    deletions: view.getUint32(at + 48, true),
    rangeDeletions: view.getUint32(at + 52, true),
    firstKey: bytes.slice(keys, middle),
    lastKey: bytes.slice(middle, end),
  };
}
