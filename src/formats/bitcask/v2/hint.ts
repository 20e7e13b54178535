/**
 * Hint files: entries into blocks, and blocks into entries, without an object per entry: a million
 * of them are read in well under a second. Drawn in FORMAT.md.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { decodeHintHeader, encodeHintHeader, type HintHeader, unsupported } from './headers.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  DELETE,
  ENTRY_HEAD_BYTES,
  HEAD_BYTES,
  HEADER_BYTES,
  HEADER_CRC_AT,
  PUT,
} from './layout.ts';

const TWO_32 = 0x1_0000_0000;
const SEQ_HIGH_END = 0x20_0000;

/**
 * Gathers the entries of one hint file. A block's checksum is seeded with the header's, and that
 * covers the number of entries and the size: nothing is final before `finish`.
 */
export class HintEncoder {
  entries = 0;
  #blocks: { bytes: Uint8Array; view: DataView; end: number; entries: number }[] = [];
  #done = 0;

  constructor(
    readonly file: number,
    readonly storeId: bigint,
  ) {}

  /** Bytes of the hint file as it is now. */
  get bytes(): number {
    return HEADER_BYTES + this.#done + (this.#blocks.at(-1)?.end ?? 0);
  }

  /** The key is source[keyStart, keyEnd). Entries come in ascending order of position. */
  add(
    position: number,
    valueLength: number,
    seq: number,
    expires: number,
    deleted: boolean,
    source: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const length = ENTRY_HEAD_BYTES + keyLength;
    let block = this.#blocks.at(-1);
    if (!block || block.end + length > block.bytes.length) {
      if (block) this.#done += block.end;
      const bytes = new Uint8Array(Math.max(BLOCK_BYTES_MAX, BLOCK_HEAD_BYTES + length));
      block = { bytes, view: new DataView(bytes.buffer), end: BLOCK_HEAD_BYTES, entries: 0 };
      this.#blocks.push(block);
    }
    const { bytes, view, end } = block;
    view.setUint32(end, position, true);
    view.setUint32(end + 4, keyLength, true);
    view.setUint32(end + 8, valueLength, true);
    view.setUint32(end + 12, seq, true);
    view.setUint32(end + 16, seq / TWO_32, true);
    view.setUint32(end + 20, expires, true);
    view.setUint16(end + 24, expires / TWO_32, true);
    bytes[end + 26] = deleted ? DELETE : PUT;
    bytes[end + 27] = 0;
    const whole = keyStart === 0 && keyEnd === source.length;
    bytes.set(whole ? source : source.subarray(keyStart, keyEnd), end + ENTRY_HEAD_BYTES);
    block.end = end + length;
    block.entries++;
    this.entries++;
  }

  /** Header and blocks, to be written back to back. `dataBytes`: size of the data file. */
  finish(dataBytes: number): Uint8Array[] {
    const { file, storeId, entries } = this;
    const blocks = this.#blocks;
    const header = encodeHintHeader({
      file,
      storeId,
      dataBytes,
      entries,
      blocks: blocks.length,
      hintBytes: this.bytes,
    });
    const fileCrc = new DataView(header.buffer).getUint32(HEADER_CRC_AT, true);
    const parts = [header];
    blocks.forEach(({ bytes, view, end, entries }, index) => {
      view.setUint32(4, end, true);
      view.setUint32(8, index, true);
      view.setUint32(12, entries, true);
      view.setInt32(0, ~crc32c.update(~(fileCrc ^ index), bytes, view, 4, end), true);
      parts.push(bytes.subarray(0, end));
    });
    return parts;
  }
}

/** An entry as it is read. One object for all of a file: copy what you keep. */
export class HintPlace {
  position = 0;
  /** Bytes of the whole record. */
  length = 0;
  valueLength = 0;
  seq = 0;
  expires = 0;
  deleted = false;
  /** The entry's own place, and its key, in the memory that is read. */
  start = 0;
  keyStart = 0;
  keyEnd = 0;
}

/**
 * Why the block at bytes[at] cannot be used; undefined: it is whole and intact, and so are its
 * entries. `available` bytes are there, `index` is the block's number.
 */
export function blockProblem(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  available: number,
  header: HintHeader,
  index: number,
): string | undefined {
  if (available < BLOCK_HEAD_BYTES) {
    return `${available} bytes, the head of a block has ${BLOCK_HEAD_BYTES}`;
  }
  const length = view.getUint32(at + 4, true);
  if (length < BLOCK_HEAD_BYTES || length > available) {
    return `a block of ${length} bytes, ${available} are left`;
  }
  const stored = view.getUint32(at, true);
  const end = at + length;
  const computed = ~crc32c.update(~(header.crc ^ index), bytes, view, at + 4, end) >>> 0;
  if (stored !== computed) {
    return `block ${index}: stored checksum ${hex32(stored)}, computed ${hex32(computed)}`;
  }
  const number = view.getUint32(at + 8, true);
  if (number !== index) return `block ${number} where block ${index} belongs`;
  return entriesProblem(bytes, view, at, end, header);
}

/** The checksum holds: what else has to be true before an entry is used. */
function entriesProblem(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  { dataBytes }: HintHeader,
): string | undefined {
  let left = view.getUint32(at + 12, true);
  let last = 0;
  let p = at + BLOCK_HEAD_BYTES;
  for (; left > 0; left--) {
    if (p + ENTRY_HEAD_BYTES > end) return 'the checksum holds, but its entries exceed the block';
    const position = view.getUint32(p, true);
    const keyLength = view.getUint32(p + 4, true);
    const valueLength = view.getUint32(p + 8, true);
    const kind = bytes[p + 26]!;
    const next = p + ENTRY_HEAD_BYTES + keyLength;
    const sound =
      next <= end &&
      position >= HEADER_BYTES &&
      position > last &&
      position + HEAD_BYTES + keyLength + valueLength <= dataBytes &&
      (kind === PUT || (kind === DELETE && valueLength === 0)) &&
      bytes[p + 27] === 0 &&
      view.getUint32(p + 16, true) < SEQ_HIGH_END;
    if (!sound) return `the checksum holds, but the entry for position ${position} makes no sense`;
    last = position;
    p = next;
  }
  return p === end ? undefined : `the checksum holds, but ${end - p} bytes follow its entries`;
}

/** Visits the entries of a block without a problem. Returns where it ends. */
export function visitBlock(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  place: HintPlace,
  visit: (place: HintPlace) => void,
): number {
  const end = at + view.getUint32(at + 4, true);
  for (let p = at + BLOCK_HEAD_BYTES; p < end; ) {
    const keyLength = view.getUint32(p + 4, true);
    const valueLength = view.getUint32(p + 8, true);
    place.start = p;
    place.position = view.getUint32(p, true);
    place.length = HEAD_BYTES + keyLength + valueLength;
    place.valueLength = valueLength;
    place.seq = view.getUint32(p + 16, true) * TWO_32 + view.getUint32(p + 12, true);
    place.expires = view.getUint16(p + 24, true) * TWO_32 + view.getUint32(p + 20, true);
    place.deleted = bytes[p + 26] === DELETE;
    place.keyStart = p + ENTRY_HEAD_BYTES;
    p = place.keyStart + keyLength;
    place.keyEnd = p;
    visit(place);
  }
  return end;
}

/**
 * The header that `bytes` begins with, of a hint file of `size` bytes, or in words why nothing of
 * the file can be used.
 */
export function readHintHeader(bytes: Uint8Array, size: number | undefined): HintHeader | string {
  const there = bytes.length;
  if (there < HEADER_BYTES) return `${there} bytes, its header alone has ${HEADER_BYTES}`;
  const header = decodeHintHeader(bytes);
  if (!header) return 'its magic is not that of a hint file';
  if (!header.intact) return 'its header: the checksum does not hold';
  const lacking = unsupported(header);
  if (lacking) return lacking;
  if (size !== undefined && header.hintBytes !== size) {
    return `${size} bytes, its header says ${header.hintBytes}`;
  }
  return header;
}

/** What the manifest says of a hint file: the crc in its header, and the data file it is for. */
export interface ExpectedHint {
  file: number;
  crc: number;
  dataBytes: number;
}

/**
 * Why a hint file that is in memory as a whole cannot be used, in words; undefined: it is the one
 * that is expected, and all of it is true.
 */
export function checkHint(bytes: Uint8Array, expected: ExpectedHint): string | undefined {
  const header = readHintHeader(bytes, bytes.length);
  if (typeof header === 'string') return header;
  const stranger = strangeHint(header, expected);
  if (stranger) return stranger;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = HEADER_BYTES;
  let entries = 0;
  for (let index = 0; index < header.blocks; index++) {
    const problem = blockProblem(bytes, view, at, bytes.length - at, header, index);
    if (problem) return `at ${at}: ${problem}`;
    entries += view.getUint32(at + 12, true);
    at += view.getUint32(at + 4, true);
  }
  return hintEndProblem(header, at, entries);
}

/** Visits all entries of a hint file that `checkHint` has nothing against. */
export function visitHint(bytes: Uint8Array, visit: (place: HintPlace) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const place = new HintPlace();
  for (let at = HEADER_BYTES; at < bytes.length; ) at = visitBlock(bytes, view, at, place, visit);
}

/** In words why an intact hint file is not the one that is expected; undefined: it is. */
function strangeHint(header: HintHeader, expected: ExpectedHint): string | undefined {
  const { file, crc, dataBytes } = expected;
  if (header.file !== file) return `it is of data file ${header.file}, expected ${file}`;
  if (header.dataBytes !== dataBytes) {
    return `it is for a data file of ${header.dataBytes} bytes, expected ${dataBytes}`;
  }
  if (header.crc !== crc) {
    return `the crc of its header is ${hex32(header.crc)}, ${hex32(crc)} in the manifest`;
  }
  return undefined;
}

/** What is wrong with a hint file whose blocks are all intact; undefined: nothing. */
export function hintEndProblem(
  header: HintHeader,
  end: number,
  entries: number,
): string | undefined {
  if (end !== header.hintBytes) return `${header.hintBytes - end} bytes follow its last block`;
  if (entries !== header.entries) return `${entries} entries, its header says ${header.entries}`;
  return undefined;
}
