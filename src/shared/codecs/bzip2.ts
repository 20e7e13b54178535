/**
 * bzip2, reading. There is no specification but the program (https://sourceware.org/bzip2/) and
 * descriptions of it; the names here are those of Joe Tsai, "BZIP2: Format Specification", 2016.
 *
 * Unpacks into target[0, length); -1: the bytes are no bzip2, or make another number of bytes.
 */
const BLOCK_MAGIC_HIGH = 0x314159;
const BLOCK_MAGIC_LOW = 0x265359;
const END_MAGIC_HIGH = 0x177245;
const END_MAGIC_LOW = 0x385090;
const GROUP_SYMBOLS = 50;
const CODE_BITS_MAX = 20;
const BLOCK_BYTES_UNIT = 100_000;

class Bits {
  #p: number;
  #value = 0;
  #count = 0;
  /** More was asked for than there is. */
  overrun = false;

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly end: number,
  ) {
    this.#p = start;
  }

  /** At most 24 bits, the highest first. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#p >= this.end) this.overrun = true;
      this.#value = ((this.#value << 8) | (this.#p < this.end ? this.bytes[this.#p++]! : 0)) >>> 0;
      this.#count += 8;
    }
    this.#count -= count;
    const result = (this.#value >>> this.#count) & ((1 << count) - 1);
    this.#value &= (1 << this.#count) - 1;
    return result;
  }
}

/** Canonical Huffman codes: by length, the first code and where its symbols begin. */
interface Tree {
  limit: Int32Array;
  base: Int32Array;
  symbols: Uint16Array;
}

function treeOf(lengths: Uint8Array): Tree | undefined {
  const counts = new Int32Array(CODE_BITS_MAX + 2);
  for (const length of lengths) counts[length]!++;
  const limit = new Int32Array(CODE_BITS_MAX + 2).fill(-1);
  const base = new Int32Array(CODE_BITS_MAX + 2);
  const symbols = new Uint16Array(lengths.length);
  let code = 0;
  let index = 0;
  for (let bits = 1; bits <= CODE_BITS_MAX; bits++) {
    base[bits] = index - code;
    for (let s = 0; s < lengths.length; s++) if (lengths[s] === bits) symbols[index++] = s;
    code += counts[bits]!;
    limit[bits] = code - 1;
    if (code > 1 << bits) return undefined;
    code <<= 1;
  }
  return { limit, base, symbols };
}

function decodeSymbol(bits: Bits, { limit, base, symbols }: Tree): number {
  let code = 0;
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    code = (code << 1) | bits.read(1);
    if (code <= limit[length]! && code + base[length]! >= 0) return symbols[code + base[length]!]!;
    if (bits.overrun) return -1;
  }
  return -1;
}

function readUsed(bits: Bits): number[] {
  const ranges = bits.read(16);
  const used: number[] = [];
  for (let i = 0; i < 16; i++) {
    if (!(ranges & (0x8000 >>> i))) continue;
    const map = bits.read(16);
    for (let j = 0; j < 16; j++) if (map & (0x8000 >>> j)) used.push(16 * i + j);
  }
  return used;
}

/** Which tree each group of fifty symbols is coded with. */
function readSelectors(bits: Bits, trees: number): Uint8Array | undefined {
  const selectors = new Uint8Array(bits.read(15));
  const order = Array.from({ length: trees }, (_, i) => i);
  for (let i = 0; i < selectors.length; i++) {
    let j = 0;
    while (bits.read(1)) if (++j >= trees || bits.overrun) return undefined;
    const [tree] = order.splice(j, 1);
    order.unshift(tree!);
    selectors[i] = tree!;
  }
  return selectors;
}

function readTrees(bits: Bits, count: number, symbols: number): Tree[] | undefined {
  const trees: Tree[] = [];
  for (let t = 0; t < count; t++) {
    const lengths = new Uint8Array(symbols);
    let length = bits.read(5);
    for (let s = 0; s < symbols; s++) {
      while (bits.read(1)) {
        length += bits.read(1) ? -1 : 1;
        if (bits.overrun) return undefined;
      }
      if (length < 1 || length > CODE_BITS_MAX) return undefined;
      lengths[s] = length;
    }
    const tree = treeOf(lengths);
    if (!tree) return undefined;
    trees.push(tree);
  }
  return trees;
}

/** Symbols to the last column of the transform: move to front, and runs of the front symbol. */
function readColumn(bits: Bits, most: number): Uint8Array | undefined {
  const used = readUsed(bits);
  const treeCount = bits.read(3);
  if (used.length === 0 || treeCount < 2 || treeCount > 6) return undefined;
  const selectors = readSelectors(bits, treeCount);
  const end = used.length + 1;
  const trees = selectors && readTrees(bits, treeCount, end + 1);
  if (!trees) return undefined;
  const column = new Uint8Array(most);
  let count = 0;
  let run = 0;
  let weight = 1;
  for (let group = 0; group < selectors.length; group++) {
    const tree = trees[selectors[group]!]!;
    for (let i = 0; i < GROUP_SYMBOLS; i++) {
      const symbol = decodeSymbol(bits, tree);
      if (symbol < 0) return undefined;
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > most) return undefined;
        continue;
      }
      if (count + run > most) return undefined;
      if (run > 0) column.fill(used[0]!, count, count + run);
      count += run;
      run = 0;
      weight = 1;
      if (symbol === end) return column.subarray(0, count);
      if (count >= most) return undefined;
      const [byte] = used.splice(symbol - 1, 1);
      used.unshift(byte!);
      column[count++] = byte!;
    }
  }
  return undefined;
}

/** Undoes the transform and the first run-length coding. Returns where in the target that ends. */
function unpackBlock(
  column: Uint8Array,
  origin: number,
  target: Uint8Array,
  at: number,
  to: number,
) {
  const starts = new Int32Array(257);
  for (const byte of column) starts[byte + 1]!++;
  for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
  const next = new Int32Array(column.length);
  for (let i = 0; i < column.length; i++) next[starts[column[i]!]!++] = i;
  let p = next[origin]!;
  let last = -1;
  let same = 0;
  for (let i = 0; i < column.length; i++) {
    const byte = column[p]!;
    p = next[p]!;
    if (same === 4) {
      if (at + byte > to) return -1;
      target.fill(last, at, at + byte);
      at += byte;
      same = 0;
      last = -1;
      continue;
    }
    same = byte === last ? same + 1 : 1;
    last = byte;
    if (at >= to) return -1;
    target[at++] = byte;
  }
  return at;
}

export function bzip2Decompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  length: number,
): number {
  const bits = new Bits(source, start, end);
  if (bits.read(24) !== 0x425a68) return -1; // "BZh"
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) return -1;
  let at = 0;
  for (;;) {
    const high = bits.read(24);
    const low = bits.read(24);
    if (high === END_MAGIC_HIGH && low === END_MAGIC_LOW) return at === length ? at : -1;
    if (high !== BLOCK_MAGIC_HIGH || low !== BLOCK_MAGIC_LOW || bits.overrun) return -1;
    bits.read(16); // the block's checksum, in two halves: what frames it has one of its own
    bits.read(16);
    if (bits.read(1)) return -1; // randomised, as no program since 0.9.0 writes it
    const origin = bits.read(24);
    const column = readColumn(bits, level * BLOCK_BYTES_UNIT);
    if (!column || origin >= column.length) return -1;
    at = unpackBlock(column, origin, target, at, length);
    if (at < 0) return -1;
  }
}
