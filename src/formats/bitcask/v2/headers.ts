/** The headers of data and hint files: their fields, to bytes and back. Drawn in FORMAT.md. */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { DATA_MAGIC, HEADER_BYTES, HEADER_CRC_AT, HINT_MAGIC, VERSION } from './layout.ts';

export interface FileHeader {
  /** Number of the data file. */
  file: number;
  storeId: bigint;
  /** WRITTEN or MERGED. */
  kind: number;
  /** As stored; and whether it holds. */
  crc: number;
  intact: boolean;
  version: number;
  incompatible: number;
}

export interface HintHeader extends Omit<FileHeader, 'kind'> {
  /** Size of the data file. */
  dataBytes: number;
  /** Of all blocks. */
  entries: number;
  blocks: number;
  /** Size of the hint file. */
  hintBytes: number;
}

export type NewHintHeader = Pick<
  HintHeader,
  'file' | 'storeId' | 'dataBytes' | 'entries' | 'blocks' | 'hintBytes'
>;

const KIND_AT = 32;

/** Magic, version and sizes that all headers begin with; the manifest's too. */
export function beginHeader(bytes: Uint8Array, magic: string): DataView {
  const view = viewOf(bytes);
  writeMagic(bytes, magic);
  view.setUint16(8, VERSION, true);
  view.setUint16(10, HEADER_BYTES, true);
  return view;
}

/** Closes a header with its checksum. */
export function endHeader(bytes: Uint8Array, view: DataView): Uint8Array {
  view.setUint32(HEADER_CRC_AT, crc32c.of(bytes, 0, HEADER_CRC_AT), true);
  return bytes;
}

export function encodeDataHeader({
  file,
  storeId,
  kind,
}: Pick<FileHeader, 'file' | 'storeId' | 'kind'>): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = beginHeader(bytes, DATA_MAGIC);
  view.setUint32(20, file, true);
  view.setBigUint64(24, storeId, true);
  bytes[KIND_AT] = kind;
  return endHeader(bytes, view);
}

/** Undefined if the magic is not there. `bytes` begins with the header. */
export function decodeDataHeader(bytes: Uint8Array): FileHeader | undefined {
  if (!hasMagic(bytes, DATA_MAGIC)) return undefined;
  return { ...commonFields(bytes), kind: bytes[KIND_AT]! };
}

export function encodeHintHeader(header: NewHintHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = beginHeader(bytes, HINT_MAGIC);
  view.setUint32(20, header.file, true);
  view.setBigUint64(24, header.storeId, true);
  view.setBigUint64(32, BigInt(header.dataBytes), true);
  view.setUint32(40, header.entries, true);
  view.setUint32(44, header.blocks, true);
  view.setBigUint64(48, BigInt(header.hintBytes), true);
  return endHeader(bytes, view);
}

/** Undefined if the magic is not there. `bytes` begins with the header. */
export function decodeHintHeader(bytes: Uint8Array): HintHeader | undefined {
  if (!hasMagic(bytes, HINT_MAGIC)) return undefined;
  const view = viewOf(bytes);
  return {
    ...commonFields(bytes),
    dataBytes: Number(view.getBigUint64(32, true)),
    entries: view.getUint32(40, true),
    blocks: view.getUint32(44, true),
    hintBytes: Number(view.getBigUint64(48, true)),
  };
}

function commonFields(bytes: Uint8Array): Omit<FileHeader, 'kind'> {
  const view = viewOf(bytes);
  const crc = view.getUint32(HEADER_CRC_AT, true);
  return {
    version: view.getUint16(8, true),
    incompatible: view.getUint32(16, true),
    file: view.getUint32(20, true),
    storeId: view.getBigUint64(24, true),
    crc,
    intact: crc32c.of(bytes, 0, HEADER_CRC_AT) === crc,
  };
}

/** In words what a reader of this version lacks for a file; undefined: nothing. */
export function unsupported({
  version,
  incompatible,
}: Pick<FileHeader, 'version' | 'incompatible'>): string | undefined {
  if (version !== VERSION) return `layout version ${version}, this reader knows ${VERSION}`;
  if (incompatible !== 0) {
    return `incompatible feature flags ${hex32(incompatible)} are not known`;
  }
  return undefined;
}

export function hasMagic(bytes: Uint8Array, magic: string): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic.charCodeAt(i)) return false;
  return true;
}

function writeMagic(bytes: Uint8Array, magic: string): void {
  for (let i = 0; i < magic.length; i++) bytes[i] = magic.charCodeAt(i);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A store's identity as it is printed. */
export function storeIdText(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}
