/** Huffman codes of literals (RFC 8878, 4.2). */
import { BackwardBits, viewFor } from './bits.ts';
import { readFse } from './fse.ts';

const CODE_BITS_MAX = 11;

export interface HuffmanTable {
  log: number;
  /** By the next `log` bits: symbol in the low byte, width above. */
  entries: Uint16Array;
}

/** Reads a tree's description. Undefined: it is none. */
export function readHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): { table: HuffmanTable; end: number } | undefined {
  if (start >= end) return undefined;
  const head = bytes[start]!;
  const weights = new Uint8Array(256);
  let count: number;
  let to: number;
  if (head >= 128) {
    count = head - 127;
    to = start + 1 + ((count + 1) >>> 1);
    if (to > end) return undefined;
    for (let i = 0; i < count; i++) {
      const pair = bytes[start + 1 + (i >>> 1)]!;
      weights[i] = i & 1 ? pair & 15 : pair >>> 4;
    }
  } else {
    to = start + 1 + head;
    if (to > end) return undefined;
    count = readWeights(bytes, start + 1, to, weights);
    if (count < 0) return undefined;
  }
  const table = tableOf(weights, count);
  return table && { table, end: to };
}

/** Weights that are FSE-coded themselves, with two states that take turns. Returns how many. */
function readWeights(bytes: Uint8Array, start: number, end: number, weights: Uint8Array): number {
  const read = readFse(bytes, start, end, 13, 6);
  if (!read) return -1;
  const { table } = read;
  const stream = new BackwardBits();
  if (!stream.open(bytes, read.end, end)) return -1;
  let a = stream.read(table.log);
  let b = stream.read(table.log);
  if (stream.left < 0) return -1;
  let count = 0;
  for (;;) {
    if (count >= 254) return -1;
    weights[count++] = table.symbol[a]!;
    if (stream.left < table.bits[a]!) {
      weights[count++] = table.symbol[b]!;
      return count;
    }
    a = table.base[a]! + stream.read(table.bits[a]!);
    if (count >= 254) return -1;
    weights[count++] = table.symbol[b]!;
    if (stream.left < table.bits[b]!) {
      weights[count++] = table.symbol[a]!;
      return count;
    }
    b = table.base[b]! + stream.read(table.bits[b]!);
  }
}

/** The last weight is what is missing to a power of two. */
function tableOf(weights: Uint8Array, count: number): HuffmanTable | undefined {
  let sum = 0;
  for (let i = 0; i < count; i++) if (weights[i]! > 0) sum += 1 << (weights[i]! - 1);
  if (sum === 0 || count > 255) return undefined;
  const log = 32 - Math.clz32(sum);
  const rest = (1 << log) - sum;
  if (log > CODE_BITS_MAX || (rest & (rest - 1)) !== 0) return undefined;
  weights[count] = 32 - Math.clz32(rest);
  const entries = new Uint16Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    const width = log + 1 - weight;
    const span = 1 << (weight - 1);
    for (let s = 0; s <= count; s++) {
      if (weights[s] !== weight) continue;
      entries.fill(s | (width << 8), at, at + span);
      at += span;
    }
  }
  return at === 1 << log ? { log, entries } : undefined;
}

const stream = new BackwardBits();

/** Decodes one stream into target[at, to). False: it does not fit. */
export function decodeHuffman(
  { log, entries }: HuffmanTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  to: number,
): boolean {
  if (!stream.open(bytes, start, end)) return false;
  let { left } = stream;
  const view = viewFor(bytes);
  const mask = (1 << log) - 1;
  // The word that is read may reach behind the stream, but not behind the bytes.
  const last = bytes.length - 4;
  // Two symbols from one word, as long as there are words enough.
  for (const stop = to - 1; at < stop && left >= 32; at += 2) {
    const from = left - 25;
    const p = start + (from >>> 3);
    if (p > last) break;
    const word = view.getInt32(p, true) >>> (from & 7);
    const first = entries[(word >>> (25 - log)) & mask]!;
    const rest = 25 - (first >>> 8);
    const second = entries[(word >>> (rest - log)) & mask]!;
    target[at] = first & 0xff;
    target[at + 1] = second & 0xff;
    left -= (first >>> 8) + (second >>> 8);
  }
  stream.left = left;
  for (; at < to; at++) {
    const entry = entries[stream.peek(log)]!;
    target[at] = entry & 0xff;
    stream.left -= entry >>> 8;
  }
  return stream.left === 0;
}
