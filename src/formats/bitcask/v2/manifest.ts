/**
 * The manifest of a store, `MANIFEST.bitcask2`: the only source of truth about which data files
 * live, and what is known of them. Drawn in FORMAT.md. Replaced as a whole (temporary file, sync,
 * rename, sync of the directory).
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import type { ByteSource, FileSet } from '../../format.ts';
import {
  beginHeader,
  decodeDataHeader,
  endHeader,
  hasMagic,
  unsupported,
  viewOf,
} from './headers.ts';
import {
  dataFile,
  HAS_HINT,
  HEADER_BYTES,
  HEADER_CRC_AT,
  IS_MERGED,
  MANIFEST_ENTRY_BYTES,
  MANIFEST_MAGIC,
  MANIFEST_NAME,
  SEALED,
  WRITTEN,
} from './layout.ts';

/** The most that is read: 2^20 files. */
const MANIFEST_BYTES_MAX = HEADER_BYTES + MANIFEST_ENTRY_BYTES * 2 ** 20;

export interface ManifestFile {
  file: number;
  /** Nothing more is written to it. */
  sealed: boolean;
  merged: boolean;
  hint: boolean;
  /** Its size, where sealed or closed; else the size that is known to be durable. */
  dataBytes: number;
  /** In dataBytes; as are the lowest and the highest number, 0 if there is no record. */
  records: number;
  seqFirst: number;
  seqLast: number;
  /** The crc in the headers of the data file and of the hint file, 0 if there is none. */
  dataCrc: number;
  hintCrc: number;
}

export interface StoreManifest {
  storeId: bigint;
  generation: bigint;
  nextSeq: number;
  nextFile: number;
  closed: boolean;
  /** In ascending order of number. */
  files: ManifestFile[];
}

export function encodeManifest(manifest: StoreManifest): Uint8Array {
  const { files } = manifest;
  const bytes = new Uint8Array(HEADER_BYTES + files.length * MANIFEST_ENTRY_BYTES);
  const header = bytes.subarray(0, HEADER_BYTES);
  const view = beginHeader(header, MANIFEST_MAGIC);
  view.setUint32(20, files.length, true);
  view.setBigUint64(24, manifest.storeId, true);
  view.setBigUint64(32, manifest.generation, true);
  view.setBigUint64(40, BigInt(manifest.nextSeq), true);
  view.setUint32(48, manifest.nextFile, true);
  header[52] = manifest.closed ? 1 : 0;
  endHeader(header, view);
  const headerCrc = view.getUint32(HEADER_CRC_AT, true);
  files.forEach((file, index) => {
    const at = HEADER_BYTES + index * MANIFEST_ENTRY_BYTES;
    encodeEntry(bytes.subarray(at, at + MANIFEST_ENTRY_BYTES), file, headerCrc, index);
  });
  return bytes;
}

function encodeEntry(
  bytes: Uint8Array,
  file: ManifestFile,
  headerCrc: number,
  index: number,
): void {
  const view = viewOf(bytes);
  const { sealed, merged, hint } = file;
  view.setUint32(0, file.file, true);
  view.setUint32(4, (sealed ? SEALED : 0) | (merged ? IS_MERGED : 0) | (hint ? HAS_HINT : 0), true);
  view.setBigUint64(8, BigInt(file.dataBytes), true);
  view.setBigUint64(16, BigInt(file.records), true);
  view.setBigUint64(24, BigInt(file.seqFirst), true);
  view.setBigUint64(32, BigInt(file.seqLast), true);
  view.setUint32(40, file.dataCrc, true);
  view.setUint32(44, file.hintCrc, true);
  view.setUint32(HEADER_CRC_AT, entryCrc(bytes, view, headerCrc, index), true);
}

/** What the crc of the entry `index` has to be. */
export function entryCrc(
  bytes: Uint8Array,
  view: DataView,
  headerCrc: number,
  index: number,
): number {
  return ~crc32c.update(~(headerCrc ^ index), bytes, view, 0, HEADER_CRC_AT) >>> 0;
}

/** The manifest, or in words what is wrong with it. */
export function decodeManifest(bytes: Uint8Array): StoreManifest | string {
  if (bytes.length < HEADER_BYTES) {
    return `${bytes.length} bytes, its header alone has ${HEADER_BYTES}`;
  }
  const view = viewOf(bytes);
  const headerCrc = view.getUint32(HEADER_CRC_AT, true);
  const computed = crc32c.of(bytes, 0, HEADER_CRC_AT);
  if (headerCrc !== computed) {
    return `its header: stored checksum ${hex32(headerCrc)}, computed ${hex32(computed)}`;
  }
  if (!hasMagic(bytes, MANIFEST_MAGIC)) return `its magic is not ${MANIFEST_MAGIC}`;
  const lacking = unsupported({
    version: view.getUint16(8, true),
    incompatible: view.getUint32(16, true),
  });
  if (lacking) return lacking;
  const count = view.getUint32(20, true);
  const expected = HEADER_BYTES + count * MANIFEST_ENTRY_BYTES;
  if (bytes.length !== expected) {
    return `${bytes.length} bytes, expected ${expected} for ${count} files`;
  }
  const files: ManifestFile[] = [];
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + index * MANIFEST_ENTRY_BYTES;
    const entry = decodeEntry(bytes.subarray(at, at + MANIFEST_ENTRY_BYTES), headerCrc, index);
    if (typeof entry === 'string') return `entry ${index} at ${at}: ${entry}`;
    const before = files.at(-1)?.file ?? -1;
    if (entry.file <= before) return `entry ${index}: file ${entry.file} behind file ${before}`;
    files.push(entry);
  }
  return {
    storeId: view.getBigUint64(24, true),
    generation: view.getBigUint64(32, true),
    nextSeq: Number(view.getBigUint64(40, true)),
    nextFile: view.getUint32(48, true),
    closed: bytes[52] === 1,
    files,
  };
}

function decodeEntry(bytes: Uint8Array, headerCrc: number, index: number): ManifestFile | string {
  const view = viewOf(bytes);
  const stored = view.getUint32(HEADER_CRC_AT, true);
  const computed = entryCrc(bytes, view, headerCrc, index);
  if (stored !== computed) {
    return `stored checksum ${hex32(stored)}, computed ${hex32(computed)}`;
  }
  const flags = view.getUint32(4, true);
  return {
    file: view.getUint32(0, true),
    sealed: (flags & SEALED) !== 0,
    merged: (flags & IS_MERGED) !== 0,
    hint: (flags & HAS_HINT) !== 0,
    dataBytes: Number(view.getBigUint64(8, true)),
    records: Number(view.getBigUint64(16, true)),
    seqFirst: Number(view.getBigUint64(24, true)),
    seqLast: Number(view.getBigUint64(32, true)),
    dataCrc: view.getUint32(40, true),
    hintCrc: view.getUint32(44, true),
  };
}

/**
 * The manifest beside the files of `set`; in words what is wrong with it; undefined: there is none,
 * or the set reads asynchronously only.
 */
export function readManifest(set: FileSet): StoreManifest | string | undefined {
  const entry = set.siblings.find(({ name }) => name === MANIFEST_NAME);
  if (!entry) return undefined;
  const source = set.open(MANIFEST_NAME);
  try {
    const size = source.size ?? entry.size ?? 0;
    if (size > MANIFEST_BYTES_MAX) return `${size} bytes, the limit is ${MANIFEST_BYTES_MAX}`;
    const bytes = new Uint8Array(size);
    const got = readSync(source, bytes);
    const manifest = got === undefined ? undefined : decodeManifest(bytes.subarray(0, got));
    return typeof manifest === 'object' ? (ageProblem(set, manifest) ?? manifest) : manifest;
  } finally {
    source.close?.();
  }
}

/**
 * A data file that was written under a number that the manifest has not given out: it is an older
 * manifest, and what it does not name is no leftover. In words; undefined: there is none.
 */
function ageProblem(set: FileSet, { nextFile, storeId }: StoreManifest): string | undefined {
  for (const { name, size = 0 } of set.siblings) {
    const number = dataFile(name);
    if (number === undefined || number < nextFile || size <= HEADER_BYTES) continue;
    const source = set.open(name);
    try {
      const bytes = new Uint8Array(HEADER_BYTES);
      const whole = readSync(source, bytes) === HEADER_BYTES;
      const header = whole ? decodeDataHeader(bytes) : undefined;
      if (!header?.intact || header.kind !== WRITTEN) continue;
      if (header.storeId !== storeId || header.file !== number) continue;
    } finally {
      source.close?.();
    }
    return (
      `it is older than the files: ${name} holds records, and no number from ${nextFile} on was ` +
      'given to a file'
    );
  }
  return undefined;
}

/** Bytes that were read; undefined where reading is asynchronous. */
function readSync(source: ByteSource, bytes: Uint8Array): number | undefined {
  let done = 0;
  while (done < bytes.length) {
    const got = source.read(bytes, done, bytes.length - done, done);
    if (typeof got !== 'number') return undefined;
    if (got <= 0) break;
    done += got;
  }
  return done;
}

/** The manifest, if there is one and it is whole. */
export function manifestOf(set: FileSet): StoreManifest | undefined {
  const manifest = readManifest(set);
  return typeof manifest === 'string' ? undefined : manifest;
}
