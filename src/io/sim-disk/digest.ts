/**
 * A 64-bit hash that tells one state of a disk from another: two lanes of MurmurHash3_x86_32
 * (Austin Appleby) with different constants. Among a million states two that differ are taken for
 * one with a chance of 1 in 40 million. Not for adversaries, nor for files.
 */
export class Digest {
  low = 0x2f0b4c47;
  high = 0x5d58c9a1;
  #words = 0;

  word(value: number): this {
    this.#words++;
    let a = Math.imul(value, 0xcc9e2d51);
    a = Math.imul((a << 15) | (a >>> 17), 0x1b873593);
    a ^= this.low;
    this.low = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    let b = Math.imul(value, 0x239b961b);
    b = Math.imul((b << 16) | (b >>> 16), 0xab0e9789);
    b ^= this.high;
    this.high = (Math.imul((b << 17) | (b >>> 15), 5) + 0x561ccd1b) | 0;
    return this;
  }

  words(values: Uint32Array): this {
    for (let at = 0; at < values.length; at++) this.word(values[at]!);
    return this;
  }

  /** With its length, so that two texts in a row cannot be taken for two others. */
  text(value: string): this {
    this.word(value.length);
    for (let at = 0; at < value.length; at++) this.word(value.charCodeAt(at));
    return this;
  }

  integer(value: number): this {
    return this.word(value | 0).word(Math.floor(value / 0x1_0000_0000));
  }

  /** Call once, at the end. */
  finish(): this {
    const low = finalize(this.low ^ this.#words);
    const high = finalize(this.high ^ this.#words);
    this.low = (low + high) | 0;
    this.high = (this.low + high) | 0;
    return this;
  }

  toString(): string {
    return `${(this.high >>> 0).toString(36)}.${(this.low >>> 0).toString(36)}`;
  }
}

function finalize(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
