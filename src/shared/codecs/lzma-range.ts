/** LZMA's range encoder: bits by their probabilities into bytes, after the LZMA specification. */

/** What one symbol takes at most; a match of a far distance takes some 12. */
const SYMBOL_BYTES_MAX = 32;
/** Bytes that come out when it is flushed. */
const FLUSH_BYTES = 5;

export class RangeEncoder {
  readonly out: Uint8Array;
  count = 0;
  /** Up to 33 bits: the 33rd is a carry into bytes that are out already. */
  #low = 0;
  #range = -1;
  #cache = 0;
  /** The cached byte and the 0xff behind it, which a carry would still change. */
  #pending = 1;

  constructor(readonly bytesMax: number) {
    this.out = new Uint8Array(bytesMax);
  }

  begin(): void {
    this.count = 0;
    this.#low = 0;
    this.#range = -1;
    this.#cache = 0;
    this.#pending = 1;
  }

  /** True while there is room for one more symbol, and for the flush. */
  get hasRoom(): boolean {
    return this.count + this.#pending + SYMBOL_BYTES_MAX + FLUSH_BYTES <= this.bytesMax;
  }

  flush(): void {
    for (let i = 0; i < FLUSH_BYTES; i++) this.#shift();
  }

  #shift(): void {
    const low = this.#low;
    if (low < 0xff00_0000 || low > 0xffff_ffff) {
      const carry = low > 0xffff_ffff ? 1 : 0;
      this.out[this.count++] = this.#cache + carry;
      for (; this.#pending > 1; this.#pending--) this.out[this.count++] = 0xff + carry;
      this.#pending = 0;
      this.#cache = (low >>> 24) & 0xff;
    }
    this.#pending++;
    this.#low = (low & 0x00ff_ffff) * 256;
  }

  bit(table: Uint16Array, index: number, bit: number): void {
    const probability = table[index]!;
    const bound = Math.imul(this.#range >>> 11, probability);
    if (bit === 0) {
      this.#range = bound;
      table[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.#low += bound >>> 0;
      this.#range -= bound;
      table[index] = probability - (probability >> 5);
    }
    while (this.#range >>> 24 === 0) {
      this.#range <<= 8;
      this.#shift();
    }
  }

  /** The `bits` lowest bits of `value`, the highest first, as likely 0 as 1. */
  direct(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) {
      this.#range >>>= 1;
      if ((value >>> i) & 1) this.#low += this.#range;
      while (this.#range >>> 24 === 0) {
        this.#range <<= 8;
        this.#shift();
      }
    }
  }

  tree(table: Uint16Array, base: number, value: number, bits: number): void {
    let node = 1;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = (value >>> i) & 1;
      this.bit(table, base + node, bit);
      node = (node << 1) | bit;
    }
  }

  reverseTree(table: Uint16Array, base: number, value: number, bits: number): void {
    let node = 1;
    for (let i = 0; i < bits; i++) {
      const bit = (value >>> i) & 1;
      this.bit(table, base + node, bit);
      node = (node << 1) | bit;
    }
  }
}
