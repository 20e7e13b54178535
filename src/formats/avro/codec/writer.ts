/** Puts primitives into a growing buffer, in Avro's binary encoding. */
import { isText } from '../schema/defaults.ts';

const START_BYTES = 1024;
const TEXT_SHORT_MAX = 40;
const TWO_28 = 0x1000_0000;

export class Writer {
  bytes = Buffer.allocUnsafe(START_BYTES);
  at = 0;

  /** What was written since the last reset; valid until the next write. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  reset(): void {
    this.at = 0;
  }

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    const wanted = this.at + more;
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  boolean(value: boolean): void {
    this.reserve(1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  /** An integer of 32 bits. */
  int(value: number): void {
    this.reserve(5);
    const { bytes } = this;
    let { at } = this;
    let n = ((value << 1) ^ (value >> 31)) >>> 0;
    while (n > 0x7f) {
      bytes[at++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    bytes[at++] = n;
    this.at = at;
  }

  /** A safe integer, or a BigInt of 64 bits. */
  long(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#bigLong(value);
      return;
    }
    if (value >= -0x4000_0000 && value < 0x4000_0000) {
      this.int(value);
      return;
    }
    this.reserve(10);
    const { bytes } = this;
    let { at } = this;
    // In two parts, of 28 bits and the rest: 2 * value may not be exact any more.
    const positive = value < 0 ? -(value + 1) : value;
    const high = Math.floor(positive / (TWO_28 / 2));
    const low = (positive - high * (TWO_28 / 2)) * 2 + (value < 0 ? 1 : 0);
    bytes[at] = (low & 0x7f) | 0x80;
    bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80;
    bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80;
    bytes[at + 3] = ((low >>> 21) & 0x7f) | 0x80;
    at += 4;
    let rest = high;
    while (rest > 0x7f) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
    this.at = at;
  }

  #bigLong(value: bigint): void {
    this.reserve(10);
    let n = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (n > 0x7fn) {
      this.bytes[this.at++] = Number(n & 0x7fn) | 0x80;
      n >>= 7n;
    }
    this.bytes[this.at++] = Number(n);
  }

  float(value: number): void {
    this.reserve(4);
    this.bytes.writeFloatLE(value, this.at);
    this.at += 4;
  }

  double(value: number): void {
    this.reserve(8);
    this.bytes.writeDoubleLE(value, this.at);
    this.at += 8;
  }

  /** With its length before it. */
  data(value: Uint8Array): void {
    this.int(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** False, with nothing written, for what is no Unicode text. */
  string(value: string): boolean {
    const { length } = value;
    if (length <= TEXT_SHORT_MAX) {
      this.reserve(length + 1);
      const { bytes, at } = this;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at + 1 + i] = unit;
      }
      if (i === length) {
        bytes[at] = length << 1;
        this.at = at + 1 + length;
        return true;
      }
    }
    const size = Buffer.byteLength(value, 'utf8');
    if (size !== length && !isText(value)) return false;
    this.int(size);
    this.reserve(size);
    this.bytes.write(value, this.at, size, 'utf8');
    this.at += size;
    return true;
  }
}
