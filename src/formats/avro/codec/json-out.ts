/**
 * JSON text as bytes in a growing buffer. Readers that print write to it straight from the bytes of
 * the data: no object and, in the usual case, no string a field.
 */
const START_BYTES = 64 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
/** Up to here copying byte by byte beats a call. */
const COPY_SHORT_MAX = 48;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** 1 for bytes that do not stand in a JSON string as they are. */
const ODD = new Uint8Array(256);
for (let i = 0; i < 256; i++) {
  ODD[i] = i < 0x20 || i > 0x7f || i === QUOTE || i === BACKSLASH ? 1 : 0;
}

export class JsonOut {
  bytes = Buffer.allocUnsafe(START_BYTES);
  at = 0;
  #spare = Buffer.alloc(0);

  get text(): string {
    return this.bytes.toString('utf8', 0, this.at);
  }

  reserve(more: number): void {
    const wanted = this.at + more;
    if (wanted <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  /** Bytes that are JSON already. */
  raw(source: Uint8Array): void {
    const { length } = source;
    this.reserve(length);
    const { bytes } = this;
    let { at } = this;
    if (length > COPY_SHORT_MAX) {
      bytes.set(source, at);
      this.at = at + length;
      return;
    }
    for (let i = 0; i < length; i++) bytes[at++] = source[i]!;
    this.at = at;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  /** Text of any content, as it stands. */
  write(text: string): void {
    const { length } = text;
    this.reserve(length * 3);
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        this.at += bytes.write(text, this.at, 'utf8');
        return;
      }
      bytes[at++] = unit;
    }
    this.at = at;
  }

  boolean(value: boolean): void {
    this.write(value ? 'true' : 'false');
  }

  /** An integer of 32 bits. */
  int(value: number): void {
    this.reserve(11);
    const { bytes } = this;
    let n = value;
    if (n < 0) {
      bytes[this.at++] = MINUS;
      n = -n;
    }
    let end = this.at + (n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10_000 ? 4 : long(n));
    this.at = end;
    do {
      const tenth = Math.floor(n / 10);
      bytes[--end] = 0x30 + n - tenth * 10;
      n = tenth;
    } while (n > 0);
  }

  /** `quoted`: in quotes where a number of JavaScript would not be exact. */
  long(value: number | bigint, quoted: boolean): void {
    if (typeof value === 'bigint') {
      this.write(quoted ? `"${value}"` : String(value));
      return;
    }
    if (value === (value | 0)) {
      this.int(value);
      return;
    }
    this.#wide(value);
  }

  /** A safe integer beyond 32 bits, in two halves of digits. */
  #wide(value: number): void {
    if (value < 0) {
      this.byte(MINUS);
      value = -value;
    }
    const high = Math.floor(value / 1_000_000_000);
    if (high > 0) this.long(high, false);
    let low = value - high * 1_000_000_000;
    if (high === 0) {
      this.int(low);
      return;
    }
    this.reserve(9);
    const { bytes } = this;
    this.at += 9;
    for (let i = 1; i <= 9; i++) {
      const tenth = Math.floor(low / 10);
      bytes[this.at - i] = 0x30 + low - tenth * 10;
      low = tenth;
    }
  }

  /** The shortest digits that are this number; words in quotes for what is none. */
  double(value: number): void {
    if (value === (value | 0) && !Object.is(value, -0)) this.int(value);
    else if (Number.isFinite(value)) this.write(Object.is(value, -0) ? '-0.0' : String(value));
    else this.write(`"${value}"`);
  }

  /** A JSON string of bytes that stand in one as they are; false, with nothing written, if not. */
  string(source: Buffer, start: number, end: number): boolean {
    const length = end - start;
    this.reserve(length + 2);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = QUOTE;
    let odd = 0;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      odd |= ODD[byte]!;
      bytes[at++] = byte;
    }
    if (odd !== 0) return false;
    bytes[at++] = QUOTE;
    this.at = at;
    return true;
  }

  hex(source: Uint8Array, start: number, end: number): void {
    this.reserve((end - start) * 2);
    const { bytes } = this;
    let { at } = this;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      bytes[at++] = HEX[byte >> 4]!;
      bytes[at++] = HEX[byte & 15]!;
    }
    this.at = at;
  }

  /** Closes a list whose items have a comma behind them, or that has none. */
  close(open: number, bracket: number): void {
    if (this.bytes[this.at - 1] === open) this.byte(bracket);
    else this.bytes[this.at - 1] = bracket;
  }

  /**
   * Puts pieces that were written one behind the other into another order: piece i ends at
   * `ends[i]`, the first begins at `start`; `order` lists them as they shall stand.
   */
  reorder(start: number, ends: readonly number[], order: readonly number[]): void {
    const length = this.at - start;
    if (this.#spare.length < length) this.#spare = Buffer.allocUnsafe(length * 2);
    const spare = this.#spare;
    let at = 0;
    for (const i of order) {
      const from = i === 0 ? start : ends[i - 1]!;
      at += this.bytes.copy(spare, at, from, ends[i]!);
    }
    spare.copy(this.bytes, start, 0, length);
  }
}

function long(n: number): number {
  if (n < 100_000) return 5;
  if (n < 1_000_000) return 6;
  if (n < 10_000_000) return 7;
  if (n < 100_000_000) return 8;
  return n < 1_000_000_000 ? 9 : 10;
}
