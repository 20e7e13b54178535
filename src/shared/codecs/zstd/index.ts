/**
 * Zstandard, reading: our own, until the original is at hand (original.ts). RFC 8878,
 * https://www.rfc-editor.org/rfc/rfc8878. Frames, dictionaries of either kind; checksums of frames
 * are passed over, since what holds a frame here has its own.
 */
import { LITERALS, MATCHES, OFFSETS } from './codes.ts';
import { readFse } from './fse.ts';
import { decodeHuffman, type HuffmanTable, readHuffman } from './huffman.ts';
import { originalFor } from './original.ts';
import { type Output, readTable, runSequences, type Tables } from './sequences.ts';

const MAGIC = 0xfd2fb528 | 0;
const DICTIONARY_MAGIC = 0xec30a437 | 0;
const BLOCK_BYTES_MAX = 128 * 1024;

interface State {
  huffman: HuffmanTable | undefined;
  tables: Tables;
  literals: Uint8Array;
}

/** A dictionary, ready to be used: content, and perhaps tables to begin with. */
export interface ZstdDictionary {
  content: Uint8Array;
  huffman?: HuffmanTable;
  tables?: Tables;
  repeated?: readonly number[];
}

const word = (b: Uint8Array, p: number): number =>
  b[p]! | (b[p + 1]! << 8) | (b[p + 2]! << 16) | (b[p + 3]! << 24);

/** Undefined: it says that it is a dictionary with tables, and they cannot be read. */
export function zstdDictionary(bytes: Uint8Array): ZstdDictionary | undefined {
  if (bytes.length < 8 || word(bytes, 0) !== DICTIONARY_MAGIC) return { content: bytes };
  const huffman = readHuffman(bytes, 8, bytes.length);
  const offsets = huffman && readFse(bytes, huffman.end, bytes.length, 32, 8);
  const matches = offsets && readFse(bytes, offsets.end, bytes.length, 53, 9);
  const literals = matches && readFse(bytes, matches.end, bytes.length, 36, 9);
  if (!literals || literals.end + 12 > bytes.length) return undefined;
  const at = literals.end;
  return {
    content: bytes.subarray(at + 12),
    huffman: huffman.table,
    tables: { literals: literals.table, offsets: offsets.table, matches: matches.table },
    repeated: [word(bytes, at), word(bytes, at + 4), word(bytes, at + 8)],
  };
}

/** Of a frame. */
export interface ZstdHeader {
  at: number;
  contentBytes: number | undefined;
  checksum: boolean;
}

export function zstdHeader(b: Uint8Array, start: number, end: number): ZstdHeader | undefined {
  if (start + 6 > end || word(b, start) !== MAGIC) return undefined;
  const descriptor = b[start + 4]!;
  const single = (descriptor & 0x20) !== 0;
  const idBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
  let p = start + 5 + (single ? 0 : 1) + idBytes;
  if (p + sizeBytes > end) return undefined;
  let contentBytes: number | undefined;
  if (sizeBytes > 0) {
    contentBytes = sizeBytes === 2 ? 256 : 0;
    for (let i = 0; i < sizeBytes; i++) contentBytes += b[p + i]! * 2 ** (8 * i);
  }
  p += sizeBytes;
  return { at: p, contentBytes, checksum: (descriptor & 4) !== 0 };
}

/** How many bytes the frame says it unpacks to; undefined: it does not say, or is none. */
export function zstdLength(source: Uint8Array, start: number, end: number): number | undefined {
  return zstdHeader(source, start, end)?.contentBytes;
}

const literalBuffer = new Uint8Array(BLOCK_BYTES_MAX);

/** Set by zstdDecompress where it fails: whether that was for want of room. */
export const zstdFault = { full: false };

/**
 * Unpacks one frame into target[0, most); returns how many bytes that makes. Where it is damaged,
 * or needs more room, the answer is ~N: the blocks before made N bytes.
 */
export function zstdDecompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  most: number,
  dictionary?: ZstdDictionary,
): number {
  const header = zstdHeader(source, start, end);
  zstdFault.full = false;
  if (!header) return ~0;
  const { contentBytes } = header;
  if (contentBytes !== undefined && contentBytes <= most && !dictionary) {
    const bytes = originalFor(contentBytes)?.(source.subarray(start, end));
    if (bytes?.length === contentBytes) {
      target.set(bytes);
      return contentBytes;
    }
  }
  const state: State = {
    huffman: dictionary?.huffman,
    tables: { literals: undefined, offsets: undefined, matches: undefined, ...dictionary?.tables },
    literals: literalBuffer,
  };
  const output: Output = {
    bytes: target,
    at: 0,
    end: most,
    full: false,
    dictionary: dictionary?.content,
    repeated: Int32Array.from(dictionary?.repeated ?? [1, 4, 8]),
  };
  let p = header.at;
  for (;;) {
    if (p + 3 > end) return failed(output);
    const head = source[p]! | (source[p + 1]! << 8) | (source[p + 2]! << 16);
    const size = head >>> 3;
    const type = (head >>> 1) & 3;
    p += 3;
    if (type === 3 || size > BLOCK_BYTES_MAX) return failed(output);
    const stored = type === 1 ? 1 : size;
    if (p + stored > end) return failed(output);
    if (type === 2) {
      if (!block(source, p, p + size, state, output)) return failed(output);
    } else {
      output.full = output.at + size > most;
      if (output.full) return failed(output);
      if (type === 1) target.fill(source[p]!, output.at, output.at + size);
      else target.set(source.subarray(p, p + size), output.at);
      output.at += size;
    }
    p += stored;
    if (head & 1) break;
  }
  return contentBytes === undefined || contentBytes === output.at ? output.at : failed(output);
}

function failed({ at, full }: Output): number {
  zstdFault.full = full;
  return ~at;
}

/** A compressed block: literals, then sequences. */
function block(b: Uint8Array, start: number, end: number, state: State, output: Output): boolean {
  const literals = readLiterals(b, start, end, state);
  if (!literals) return false;
  let p = literals.end;
  if (p >= end) return false;
  let count = b[p++]!;
  if (count >= 128) {
    if (p + (count === 255 ? 2 : 1) > end) return false;
    if (count === 255) {
      count = b[p]! + (b[p + 1]! << 8) + 0x7f00;
      p += 2;
    } else count = ((count - 128) << 8) + b[p++]!;
  }
  if (count === 0) {
    output.full = output.at + literals.count > output.end;
    if (p !== end || output.full) return false;
    output.bytes.set(state.literals.subarray(0, literals.count), output.at);
    output.at += literals.count;
    return true;
  }
  if (p >= end) return false;
  const modes = b[p++]!;
  const { tables } = state;
  const ll = readTable(LITERALS, modes >>> 6, b, p, end, tables.literals);
  const of = ll && readTable(OFFSETS, (modes >>> 4) & 3, b, ll.end, end, tables.offsets);
  const ml = of && readTable(MATCHES, (modes >>> 2) & 3, b, of.end, end, tables.matches);
  if (!ml) return false;
  state.tables = { literals: ll.table, offsets: of.table, matches: ml.table };
  const now = { literals: ll.table, offsets: of.table, matches: ml.table };
  return runSequences(b, ml.end, end, count, now, state.literals, literals.count, output);
}

/** Literals into state.literals. */
function readLiterals(
  b: Uint8Array,
  start: number,
  end: number,
  state: State,
): { count: number; end: number } | undefined {
  if (start >= end) return undefined;
  const type = b[start]! & 3;
  const format = (b[start]! >>> 2) & 3;
  const at = (i: number): number => (start + i < end ? b[start + i]! : 0);
  if (type <= 1) {
    const headBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    const head = at(0) | (headBytes > 1 ? at(1) << 8 : 0) | (headBytes > 2 ? at(2) << 16 : 0);
    const count = headBytes === 1 ? head >>> 3 : head >>> 4;
    const p = start + headBytes;
    const stored = type === 1 ? 1 : count;
    if (count > BLOCK_BYTES_MAX || p + stored > end) return undefined;
    if (type === 1) state.literals.fill(b[p]!, 0, count);
    else state.literals.set(b.subarray(p, p + count));
    return { count, end: p + stored };
  }
  const headBytes = format < 2 ? 3 : format + 2;
  const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
  let head = 0;
  for (let i = headBytes - 1; i >= 0; i--) head = head * 256 + at(i);
  head = Math.floor(head / 16);
  const count = head % 2 ** bits;
  const stored = Math.floor(head / 2 ** bits);
  let p = start + headBytes;
  const to = p + stored;
  if (count > BLOCK_BYTES_MAX || to > end) return undefined;
  if (type === 2) {
    const read = readHuffman(b, p, to);
    if (!read) return undefined;
    state.huffman = read.table;
    p = read.end;
  }
  if (!state.huffman) return undefined;
  const whole = decodeLiterals(state.huffman, b, p, to, state.literals, count, format === 0);
  return whole ? { count, end: to } : undefined;
}

/** One stream, or four with a table of the first three's sizes. */
function decodeLiterals(
  table: HuffmanTable,
  b: Uint8Array,
  p: number,
  to: number,
  target: Uint8Array,
  count: number,
  single: boolean,
): boolean {
  if (single) return decodeHuffman(table, b, p, to, target, 0, count);
  if (p + 6 > to) return false;
  const part = (count + 3) >>> 2;
  let from = p + 6;
  let done = 0;
  for (let i = 0; i < 4; i++) {
    const size = i < 3 ? b[p + 2 * i]! | (b[p + 2 * i + 1]! << 8) : to - from;
    const end = i < 3 ? Math.min(done + part, count) : count;
    if (from + size > to || !decodeHuffman(table, b, from, from + size, target, done, end))
      return false;
    from += size;
    done = end;
  }
  return true;
}
