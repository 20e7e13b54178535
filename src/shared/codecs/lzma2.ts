/**
 * The decoder of LZMA2, which xz files hold: chunks, stored or compressed with LZMA, which may each
 * reset the state, the properties and the dictionary. After the LZMA specification
 * (https://www.7-zip.org/sdk.html) and the .xz format's
 * (https://tukaani.org/xz/xz-file-format.txt, 5.3.1).
 */
import { CodecFault, tooMuch } from './block-codec.ts';

const STATES = 12;
const POSITIONS = 16;
const PROBABILITY_START = 1024;
const LITERAL = 0x300;
/** Lengths: two choices, low and mid by position, high. */
const LENGTH_MID = 2 + POSITIONS * 8;
const LENGTH_HIGH = LENGTH_MID + POSITIONS * 8;
const LENGTH_ALL = LENGTH_HIGH + 256;

export class Lzma2Decoder {
  out: Buffer;
  count = 0;
  #at: number;
  #end = 0;
  #range = 0;
  #code = 0;
  #dictionary = 0;
  #state = 0;
  readonly #reps = new Int32Array(4);
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  readonly #isMatch = new Uint16Array(STATES * POSITIONS);
  readonly #isRep = new Uint16Array(STATES);
  readonly #isRepG0 = new Uint16Array(STATES);
  readonly #isRepG1 = new Uint16Array(STATES);
  readonly #isRepG2 = new Uint16Array(STATES);
  readonly #isRep0Long = new Uint16Array(STATES * POSITIONS);
  readonly #slots = new Uint16Array(4 * 64);
  readonly #special = new Uint16Array(128);
  readonly #align = new Uint16Array(16);
  readonly #length = new Uint16Array(LENGTH_ALL);
  readonly #repLength = new Uint16Array(LENGTH_ALL);
  #literal = new Uint16Array(0);

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly bytesMax: number,
  ) {
    this.#at = start;
    this.out = Buffer.allocUnsafe(Math.min(bytesMax, (bytes.length - start) * 4 + 1024));
  }

  /** Decodes up to the mark of the end, and returns where that is. */
  run(): number {
    let ready = false;
    let known = false;
    for (;;) {
      const control = this.#byte();
      if (control === 0) return this.#at;
      if (control === 1 || control >= 0xe0) {
        this.#dictionary = this.count;
        ready = true;
      } else if (!ready) throw new CodecFault('LZMA2 begins without a dictionary');
      if (control < 0x80) {
        if (control > 2) throw new CodecFault(`LZMA2 has no chunk ${control}`);
        this.#stored(this.#pair() + 1);
        continue;
      }
      const size = ((control & 0x1f) << 16) + this.#pair() + 1;
      const packed = this.#pair() + 1;
      if (control >= 0xc0) {
        this.#properties(this.#byte());
        known = true;
      } else if (!known) throw new CodecFault('LZMA2 begins without properties');
      if (control >= 0xa0) this.#reset();
      this.#chunk(size, packed);
    }
  }

  #byte(): number {
    if (this.#at >= this.bytes.length) throw new CodecFault('LZMA2 ends too soon');
    return this.bytes[this.#at++]!;
  }

  #pair(): number {
    return this.#byte() * 256 + this.#byte();
  }

  #reserve(more: number): void {
    const wanted = this.count + more;
    if (wanted <= this.out.length) return;
    if (wanted > this.bytesMax) throw tooMuch(this.bytesMax);
    const grown = Buffer.allocUnsafe(Math.min(this.bytesMax, wanted * 2));
    this.out.copy(grown, 0, 0, this.count);
    this.out = grown;
  }

  #stored(size: number): void {
    const there = Math.min(size, this.bytes.length - this.#at);
    this.#reserve(there);
    this.out.set(this.bytes.subarray(this.#at, this.#at + there), this.count);
    this.count += there;
    this.#at += there;
    if (there < size) throw new CodecFault('LZMA2 ends too soon');
  }

  #properties(byte: number): void {
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (pb > 4 || lc + lp > 4) throw new CodecFault(`LZMA has no properties ${byte}`);
    this.#lc = lc;
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
    this.#literal = new Uint16Array(LITERAL << (lc + lp));
  }

  #reset(): void {
    this.#state = 0;
    this.#reps.fill(0);
    const tables = [this.#isMatch, this.#isRep, this.#isRepG0, this.#isRepG1, this.#isRepG2];
    tables.push(this.#isRep0Long, this.#slots, this.#special, this.#align);
    tables.push(this.#length, this.#repLength, this.#literal);
    for (const table of tables) table.fill(PROBABILITY_START);
  }

  #chunk(size: number, packed: number): void {
    const end = this.#at + packed;
    // A chunk that is cut off is decoded as far as it goes: what came out may be asked for.
    this.#end = Math.min(end, this.bytes.length);
    if (this.#end - this.#at < 5) throw new CodecFault('LZMA2 ends too soon');
    this.#reserve(size);
    this.#range = -1;
    this.#at++;
    this.#code = 0;
    for (let i = 0; i < 4; i++) this.#code = (this.#code << 8) | this.bytes[this.#at++]!;
    const target = this.count + size;
    while (this.count < target) this.#symbol(target);
    if (this.#at !== end) throw new CodecFault('a chunk of LZMA2 has another size');
  }

  #bit(table: Uint16Array, index: number): number {
    const probability = table[index]!;
    const bound = Math.imul(this.#range >>> 11, probability);
    let bit = 0;
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      table[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      table[index] = probability - (probability >> 5);
      bit = 1;
    }
    if (this.#range >>> 24 === 0) this.#normalize();
    return bit;
  }

  #normalize(): void {
    if (this.#at >= this.#end) throw new CodecFault('a chunk of LZMA2 ends too soon');
    this.#range <<= 8;
    this.#code = (this.#code << 8) | this.bytes[this.#at++]!;
  }

  #direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.#range >>>= 1;
      const bit = this.#code >>> 0 >= this.#range >>> 0 ? 1 : 0;
      if (bit) this.#code -= this.#range;
      value = (value << 1) | bit;
      if (this.#range >>> 24 === 0) this.#normalize();
    }
    return value;
  }

  #tree(table: Uint16Array, base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.#bit(table, base + node);
    return node - (1 << bits);
  }

  #reverseTree(table: Uint16Array, base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(table, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #symbol(target: number): void {
    const position = this.count - this.#dictionary;
    const at = position & this.#pbMask;
    const state = this.#state;
    if (this.#bit(this.#isMatch, state * POSITIONS + at) === 0) {
      this.#putLiteral(position);
      return;
    }
    let length: number;
    if (this.#bit(this.#isRep, state) === 0) {
      this.#reps.copyWithin(1, 0, 3);
      length = this.#decodeLength(this.#length, at);
      this.#reps[0] = this.#distance(length);
      this.#state = state < 7 ? 7 : 10;
    } else {
      if (this.#repeat(state, at)) {
        this.#state = state < 7 ? 9 : 11;
        this.#copy(1, target);
        return;
      }
      length = this.#decodeLength(this.#repLength, at);
      this.#state = state < 7 ? 8 : 11;
    }
    this.#copy(length + 2, target);
  }

  #putLiteral(position: number): void {
    const { out, count } = this;
    const before = position > 0 ? out[count - 1]! : 0;
    const high = (position & this.#lpMask) << this.#lc;
    const base = LITERAL * (high + (before >> (8 - this.#lc)));
    const table = this.#literal;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = this.#reps[0]! < position ? out[count - this.#reps[0]! - 1]! : 0;
      let offset = 0x100;
      while (symbol < 0x100) {
        match <<= 1;
        const wanted = match & offset;
        const bit = this.#bit(table, base + offset + wanted + symbol);
        symbol = (symbol << 1) | bit;
        offset &= bit ? wanted : ~wanted;
      }
    } else while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(table, base + symbol);
    out[this.count++] = symbol;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Which of the last four distances comes again; true: for a single byte. */
  #repeat(state: number, at: number): boolean {
    const reps = this.#reps;
    if (this.#bit(this.#isRepG0, state) === 0) {
      return this.#bit(this.#isRep0Long, state * POSITIONS + at) === 0;
    }
    let which = 1;
    if (this.#bit(this.#isRepG1, state) !== 0) which = 2 + this.#bit(this.#isRepG2, state);
    const distance = reps[which]!;
    reps.copyWithin(1, 0, which);
    reps[0] = distance;
    return false;
  }

  #decodeLength(table: Uint16Array, at: number): number {
    if (this.#bit(table, 0) === 0) return this.#tree(table, 2 + at * 8, 3);
    if (this.#bit(table, 1) === 0) return 8 + this.#tree(table, LENGTH_MID + at * 8, 3);
    return 16 + this.#tree(table, LENGTH_HIGH, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(this.#slots, Math.min(length, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + this.#reverseTree(this.#special, base - slot, bits);
    return base + (this.#direct(bits - 4) << 4) + this.#reverseTree(this.#align, 0, 4);
  }

  #copy(length: number, target: number): void {
    const distance = this.#reps[0]! + 1;
    const { count } = this;
    if (distance <= 0 || distance > count - this.#dictionary || count + length > target) {
      throw new CodecFault('LZMA copies what is not there');
    }
    const { out } = this;
    for (let i = 0; i < length; i++) out[count + i] = out[count + i - distance]!;
    this.count = count + length;
  }
}
