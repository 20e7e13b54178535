/**
 * Reads primitives out of a buffer, fast and strict: every rule that the specification sets is
 * checked, and a breach is thrown as one ready-made object. What exactly is wrong, where, and in
 * which field is found by a second, slow reading of the same datum (walk.ts), so that nothing here
 * has to keep account of it.
 *
 * The end is not looked at for every byte: a position past it, when a datum is done, tells as much.
 */
import { isUtf8 } from 'node:buffer';
import type { Problem } from '../resolve/plan.ts';
import { DEPTH_MAX, EMPTY_ITEMS_MAX } from './limits.ts';

/** Thrown at a breach; has no stack, which would cost more than the reading. */
export const BREACH = { breach: true } as const;

const TEXT_SHORT_MAX = 24;
const TWO_28 = 0x1000_0000;

export class Cursor {
  bytes: Buffer = Buffer.alloc(0);
  /** The next byte, and the first that is not to be read. */
  at = 0;
  end = 0;
  /** A varint that takes more bytes than it needs was read since this was last set to false. */
  overlong = false;
  /** Set when the data cannot become what the reader's schema wants. */
  problem: Problem | undefined = undefined;
  depth = 0;
  blockEnd = -1;
  emptyItems = EMPTY_ITEMS_MAX;

  /** Turns to bytes[start, end). */
  open(bytes: Uint8Array, start: number, end: number): void {
    // Node's own subclass alone has the methods that are called here; a view costs as much as a
    // short datum.
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
    this.end = end;
    this.depth = 0;
    this.emptyItems = EMPTY_ITEMS_MAX;
  }

  fail(): never {
    throw BREACH;
  }

  refuse(problem: Problem): never {
    this.problem = problem;
    throw BREACH;
  }

  enter(): void {
    if (++this.depth > DEPTH_MAX) throw BREACH;
  }

  null(): null {
    return null;
  }

  boolean(): boolean {
    const byte = this.bytes[this.at++]!;
    if (byte > 1) throw BREACH;
    return byte === 1;
  }

  /** A varint whose zig-zag value fits into 32 bits. */
  int(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++]!;
    let n = byte & 0x7f;
    if (byte > 0x7f) {
      byte = bytes[at++]!;
      n |= (byte & 0x7f) << 7;
      if (byte > 0x7f) {
        byte = bytes[at++]!;
        n |= (byte & 0x7f) << 14;
        if (byte > 0x7f) {
          byte = bytes[at++]!;
          n |= (byte & 0x7f) << 21;
          if (byte > 0x7f) return this.#intSlow();
        }
      }
      if (byte === 0) this.overlong = true;
    }
    this.at = at;
    return (n >>> 1) ^ -(n & 1);
  }

  #intSlow(): number {
    const value = this.long();
    if (typeof value !== 'number' || value !== (value | 0)) throw BREACH;
    return value;
  }

  /** A BigInt where a number would not be exact. */
  long(): number | bigint {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++]!;
    let n = byte & 0x7f;
    if (byte > 0x7f) {
      byte = bytes[at++]!;
      n |= (byte & 0x7f) << 7;
      if (byte > 0x7f) {
        byte = bytes[at++]!;
        n |= (byte & 0x7f) << 14;
        if (byte > 0x7f) {
          byte = bytes[at++]!;
          n |= (byte & 0x7f) << 21;
          if (byte > 0x7f) return this.#longBeyond28(n, at);
        }
      }
      if (byte === 0) this.overlong = true;
    }
    this.at = at;
    return (n >>> 1) ^ -(n & 1);
  }

  /** The low 28 bits are `low`; the fifth byte is at `at`. */
  #longBeyond28(low: number, at: number): number | bigint {
    const { bytes } = this;
    let byte = bytes[at++]!;
    let high = byte & 0x7f;
    if (byte > 0x7f) {
      byte = bytes[at++]!;
      high |= (byte & 0x7f) << 7;
      if (byte > 0x7f) {
        byte = bytes[at++]!;
        high |= (byte & 0x7f) << 14;
        if (byte > 0x7f) {
          byte = bytes[at++]!;
          high |= (byte & 0x7f) << 21;
          if (byte > 0x7f) return this.#longBeyond56(low, high, at);
        }
      }
    }
    if (byte === 0) this.overlong = true;
    this.at = at;
    // Halved before it is put together: that is exact below 2^53, and beyond it is made of BigInts.
    if (high >= TWO_28 / 4 - 1) return zigzag(BigInt(high) * BigInt(TWO_28) + BigInt(low));
    const half = high * (TWO_28 / 2) + (low >>> 1);
    return low & 1 ? -half - 1 : half;
  }

  /** The ninth byte is at `at`; a tenth has one bit. */
  #longBeyond56(low: number, high: number, at: number): number | bigint {
    const { bytes } = this;
    let byte = bytes[at++]!;
    let top = byte & 0x7f;
    if (byte > 0x7f) {
      byte = bytes[at++]!;
      if (byte > 1) throw BREACH;
      top |= byte << 7;
    }
    if (byte === 0) this.overlong = true;
    this.at = at;
    const unsigned = (BigInt(top) << 56n) | (BigInt(high) << 28n) | BigInt(low);
    return zigzag(unsigned);
  }

  float(): number {
    const { at } = this;
    if (at + 4 > this.end) throw BREACH;
    this.at = at + 4;
    return this.bytes.readFloatLE(at);
  }

  double(): number {
    const { at } = this;
    if (at + 8 > this.end) throw BREACH;
    this.at = at + 8;
    return this.bytes.readDoubleLE(at);
  }

  /** The length of bytes or of a string, which are there in full. */
  length(): number {
    const n = this.long();
    if (typeof n !== 'number' || n < 0 || n > this.end - this.at) throw BREACH;
    return n;
  }

  bytesValue(): Uint8Array {
    return this.fixed(this.length());
  }

  fixed(size: number): Uint8Array {
    const { at } = this;
    if (size > this.end - at) throw BREACH;
    this.at = at + size;
    // A copy: Buffer's own slice would show what the buffer holds next.
    return Uint8Array.prototype.slice.call(this.bytes, at, at + size);
  }

  string(): string {
    return this.text(this.length());
  }

  /** So many bytes as text; they must be UTF-8. */
  text(length: number): string {
    const { bytes, at } = this;
    const end = at + length;
    if (length > this.end - at) throw BREACH;
    this.at = end;
    if (length <= TEXT_SHORT_MAX) {
      let text = '';
      let i = at;
      for (; i < end; i++) {
        const byte = bytes[i]!;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (i === end) return text;
    }
    const text = bytes.toString('utf8', at, end);
    // What is no UTF-8 becomes U+FFFD, which may also stand there by right.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(at, end))) throw BREACH;
    return text;
  }

  enum(symbols: number): number {
    const index = this.int();
    if (index < 0 || index >= symbols) throw BREACH;
    return index;
  }

  /**
   * Items of the next block of an array or a map, each of `least` bytes or more; 0: the end. Leaves
   * in `blockEnd` where the block ends, if it says; else -1.
   */
  block(least: number): number {
    let count = this.long();
    this.blockEnd = -1;
    if (count === 0) return 0;
    if (typeof count !== 'number') throw BREACH;
    if (count < 0) {
      count = -count;
      const size = this.length();
      this.blockEnd = this.at + size;
    }
    if (least > 0) {
      if (count * least > this.end - this.at) throw BREACH;
    } else if ((this.emptyItems -= count) < 0) throw BREACH;
    return count;
  }

  /** Passes over the items of an array or a map by their sizes, or one by one with `item`. */
  skipBlocks(least: number, item: (cursor: Cursor) => void): void {
    for (;;) {
      const count = this.block(least);
      if (count === 0) return;
      if (this.blockEnd >= 0) this.at = this.blockEnd;
      else for (let i = 0; i < count; i++) item(this);
      if (this.at > this.end) throw BREACH;
    }
  }

  skipText(): void {
    const length = this.length();
    this.at += length;
  }

  skipFixed(size: number): void {
    this.at += size;
  }
}

function zigzag(unsigned: bigint): number | bigint {
  const value = (unsigned >> 1n) ^ -(unsigned & 1n);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
