/**
 * CRC arithmetic on spans. A CRC register is a polynomial over GF(2) modulo P, and running it over
 * n zero bytes multiplies it by x^(8n). So the register over a span [a, b) follows from the
 * registers at a and at b of one run over the whole file, at a cost that does not depend on the
 * span's length:
 *
 *     register([a, b), from r) = R(b) ^ (r ^ R(a)) * x^(8(b-a))
 *
 * which is what makes a search through a gigabyte of records that are nearly right take linear
 * time. (Method: zlib's crc32_combine by Mark Adler; here with tables of powers, 12 bits of n at a
 * time.)
 */
import type { Crc } from './crc32.ts';

const DIGIT_BITS = 12;
const DIGITS = 3; // spans below 2^36 bytes

/** Product of two polynomials modulo P, reflected: the highest bit is the coefficient of x^0. */
function multiply(polynomial: number, a: number, b: number): number {
  let product = 0;
  while (a !== 0) {
    if (a < 0) product ^= b; // bit 31 set: x^0 is in what remains of a
    a <<= 1;
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1;
  }
  return product;
}

export class CrcShift {
  readonly #polynomial: number;
  /** powers[j << 12 | d] = x^(8 · d · 4096^j) */
  readonly #powers = new Int32Array(DIGITS << DIGIT_BITS);

  constructor(crc: Crc) {
    this.#polynomial = crc.polynomial;
    const one = 1 << 31; // x^0
    let unit = one >>> 8; // x^8
    for (let digit = 0; digit < DIGITS; digit++) {
      let power = one;
      for (let i = 0; i < 1 << DIGIT_BITS; i++) {
        this.#powers[(digit << DIGIT_BITS) | i] = power;
        power = multiply(this.#polynomial, power, unit);
      }
      unit = power; // x^(8 · 4096^(j+1))
    }
  }

  /** The register after `bytes` zero bytes more. */
  shift(register: number, bytes: number): number {
    let rest = bytes;
    let result = register;
    for (let digit = 0; rest > 0; digit++) {
      const low = rest % (1 << DIGIT_BITS);
      if (low !== 0) {
        result = multiply(this.#polynomial, result, this.#powers[(digit << DIGIT_BITS) | low]!);
      }
      rest = Math.floor(rest / (1 << DIGIT_BITS));
    }
    return result;
  }
}

/**
 * The way back over a span of a fixed length: which register must a run have begun with, to end
 * with this one? A step over a zero bit is undone by looking at the highest bit, which the
 * polynomial has and what was shifted has not.
 */
export class CrcOrigin {
  readonly #crc: Crc;
  /** What each bit of the last register was at the beginning of `bytes` zero bytes. */
  readonly #basis = new Int32Array(32);

  constructor(
    crc: Crc,
    readonly bytes: number,
  ) {
    this.#crc = crc;
    for (let bit = 0; bit < 32; bit++) {
      let register = 1 << bit;
      for (let step = 8 * bytes; step > 0; step--) {
        register = register < 0 ? ((register ^ crc.polynomial) << 1) | 1 : register << 1;
      }
      this.#basis[bit] = register;
    }
  }

  /** The register that `bytes[start, start + this.bytes)` turns into `last`. */
  find(last: number, bytes: Uint8Array, view: DataView, start: number): number {
    let rest = last ^ this.#crc.update(0, bytes, view, start, start + this.bytes);
    let register = 0;
    while (rest !== 0) {
      register ^= this.#basis[31 - Math.clz32(rest)]!;
      rest &= ~(1 << (31 - Math.clz32(rest)));
    }
    return register;
  }
}

/** Its tables take milliseconds to make, and are the same for all files. */
const shifts = new Map<Crc, CrcShift>();

function shiftOf(crc: Crc): CrcShift {
  const known = shifts.get(crc) ?? new CrcShift(crc);
  shifts.set(crc, known);
  return known;
}

/** Bytes between checkpoints: what a register at any offset costs at most to finish. */
const STEP_BYTES = 64;

/**
 * Registers at every 64th byte of a file, for as much of it as a sliding window shows. Offsets are
 * those of the file. Memory: 1/16 of the window.
 */
export class PrefixCrc {
  readonly #crc: Crc;
  readonly #shift: CrcShift;
  /** Ring of registers at multiples of STEP_BYTES, from #from up to and with #upTo. */
  #ring = new Int32Array(1024);
  #from = 0;
  #upTo = -1;
  #register = 0;

  constructor(crc: Crc) {
    this.#crc = crc;
    this.#shift = shiftOf(crc);
  }

  /**
   * The register after [start, end), begun with `register`. The bytes from `start` on lie in
   * `bytes`, whose first is at file offset `base`; both ends are inside. Calls may go back, but no
   * further than the window.
   */
  span(
    register: number,
    bytes: Uint8Array,
    view: DataView,
    base: number,
    start: number,
    end: number,
  ): number {
    const first = Math.ceil(start / STEP_BYTES) * STEP_BYTES;
    const last = Math.floor(end / STEP_BYTES) * STEP_BYTES;
    if (last <= first) return this.#crc.update(register, bytes, view, start - base, end - base);
    this.#reach(bytes, view, base, first, last);
    const head = this.#crc.update(register, bytes, view, start - base, first - base);
    const middle = this.#at(last) ^ this.#shift.shift(head ^ this.#at(first), last - first);
    return this.#crc.update(middle, bytes, view, last - base, end - base);
  }

  #at(offset: number): number {
    return this.#ring[(offset / STEP_BYTES) % this.#ring.length]!;
  }

  /** Makes the registers from `first` to `last`, both multiples of STEP_BYTES, available. */
  #reach(bytes: Uint8Array, view: DataView, base: number, first: number, last: number): void {
    if (first < this.#from || first > this.#upTo) {
      this.#from = first;
      this.#upTo = first;
      this.#register = 0; // only differences count, so any start will do
      this.#ring[(first / STEP_BYTES) % this.#ring.length] = 0;
    }
    const slots = (last - first) / STEP_BYTES + 1;
    if (slots > this.#ring.length) this.#grow(slots * 2);
    for (; this.#upTo < last; ) {
      const at = this.#upTo - base;
      this.#register = this.#crc.update(this.#register, bytes, view, at, at + STEP_BYTES);
      this.#upTo += STEP_BYTES;
      this.#ring[(this.#upTo / STEP_BYTES) % this.#ring.length] = this.#register;
    }
    this.#from = Math.max(this.#from, this.#upTo - (this.#ring.length - 1) * STEP_BYTES);
  }

  #grow(slots: number): void {
    const grown = new Int32Array(slots);
    for (let offset = this.#from; offset <= this.#upTo; offset += STEP_BYTES) {
      grown[(offset / STEP_BYTES) % slots] = this.#at(offset);
    }
    this.#ring = grown;
  }
}
