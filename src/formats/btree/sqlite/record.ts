/**
 * The record format: a header of serial types, then the values.
 *
 *     header size varint, serial types varint …, values …
 *
 *     0 NULL, 1 to 6 integers of 1, 2, 3, 4, 6, 8 bytes, 7 a float, 8 and 9 the integers 0 and 1,
 *     10 and 11 reserved, even from 12 on a blob, odd from 13 on a text
 */
import { OddText, type SqlValue, WholeReal } from '../model.ts';

/** Bytes of the value, by serial type. */
const SHORT = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0];

export function lengthOf(serial: number): number {
  return serial < 12 ? SHORT[serial]! : (serial - 12 - (serial & 1)) / 2;
}

/** Of a value as long as values can be. */
const SERIAL_MAX = 0x7fff_ffff;

/** Columns that are looked at: SQLite allows 32767. */
const COLUMNS_MAX = 32_768;

/**
 * True for a record whose header is in order: its lengths add up, and no column is NULL that must
 * not be. False for one that is not, or that is too unusual to say: RecordHeader then tells.
 */
export function isUsual(
  bytes: Uint8Array,
  at: number,
  payload: number,
  notNull: Uint8Array,
): boolean {
  const size = bytes[at]!;
  if (size >= 0x80 || size < 1 || size > payload) return false;
  const end = at + size;
  let length = size;
  let column = 0;
  for (let p = at + 1; p < end; column++) {
    let serial = bytes[p++]!;
    if (serial >= 0x80) {
      const low = bytes[p++]!;
      if (low >= 0x80 || p > end) return false;
      serial = ((serial & 0x7f) << 7) | low;
    }
    if (serial >= 12) length += (serial - 12) >> 1;
    else if (serial > 9) return false;
    else if (serial > 0) length += SHORT[serial]!;
    else if (notNull[column] === 1) return false;
  }
  return length === payload;
}

/** A record's header, as places in its bytes. Reused: parse() fills it. */
export class RecordHeader {
  columns = 0;
  serials: Int32Array = new Int32Array(64);
  /** Where each value begins in the buffer. */
  starts: Int32Array = new Int32Array(64);
  /** What is wrong; empty: nothing. */
  fault = '';

  /**
   * Reads the header of the record of `payload` bytes at `at`, of which those before `end` are in
   * the buffer. False if it contradicts itself, see `fault`.
   */
  parse(bytes: Uint8Array, at: number, payload: number, end: number): boolean {
    let p = at;
    let size = bytes[p++]!;
    if (size >= 0x80) {
      size = ((size & 0x7f) << 7) | (bytes[p]! & 0x7f);
      if (bytes[p++]! >= 0x80) {
        size = (size << 7) | (bytes[p]! & 0x7f);
        if (bytes[p++]! >= 0x80) return this.#wrong('a header size of more than three bytes');
      }
    }
    this.columns = 0;
    const headerEnd = at + size;
    if (size < 1 || size > payload || headerEnd > end || p > headerEnd) {
      return this.#wrong(`the header has ${size} bytes, the record ${payload}`);
    }
    let value = headerEnd;
    let n = 0;
    let { serials, starts } = this;
    while (p < headerEnd) {
      let serial = bytes[p++]!;
      if (serial >= 0x80) {
        serial &= 0x7f;
        let byte: number;
        let more = 8;
        do {
          byte = bytes[p++]!;
          serial = serial * 128 + (byte & 0x7f);
        } while (byte >= 0x80 && --more > 0);
      }
      if (n === serials.length) {
        if (n >= COLUMNS_MAX) return this.#wrong(`more than ${COLUMNS_MAX} columns`);
        this.#grow();
        ({ serials, starts } = this);
      }
      if (serial === 10 || serial === 11 || serial > SERIAL_MAX) {
        return this.#wrong(`serial type ${serial} is reserved, or of no possible length`);
      }
      serials[n] = serial;
      starts[n++] = value;
      value += serial < 12 ? SHORT[serial]! : (serial - 12 - (serial & 1)) / 2;
    }
    this.columns = n;
    if (p !== headerEnd) return this.#wrong('the last serial type leads out of the header');
    if (value - at !== payload) {
      return this.#wrong(`header and values have ${value - at} bytes, the record ${payload}`);
    }
    return true;
  }

  /**
   * What can be told of a record that contradicts itself, or of which only the bytes before `end`
   * are there: texts and blobs are cut, and what cannot be read is NULL. False: nothing.
   */
  parsePart(bytes: Uint8Array, at: number, end: number): boolean {
    let p = at;
    const next = (): number => {
      let value = 0;
      for (let more = 9; more > 0 && p < end; more--) {
        const byte = bytes[p++]!;
        value = value * 128 + (byte & 0x7f);
        if (byte < 0x80) return value;
      }
      return -1;
    };
    const headerEnd = Math.min(at + next(), end);
    this.columns = 0;
    let value = headerEnd;
    let read = false;
    while (p < headerEnd && this.columns < COLUMNS_MAX) {
      const serial = next();
      if (serial < 0 || serial === 10 || serial === 11 || serial > SERIAL_MAX) break;
      if (this.columns === this.serials.length) this.#grow();
      const length = lengthOf(serial);
      const there = Math.max(0, Math.min(length, end - value));
      const cut = serial < 12 || there === 0 ? 0 : 12 + 2 * there + (serial & 1);
      this.serials[this.columns] = there === length ? serial : cut;
      this.starts[this.columns++] = Math.min(value, end);
      read ||= serial !== 0 && (there > 0 || length === 0);
      value += length;
    }
    return read;
  }

  #grow(): void {
    const serials = new Int32Array(this.serials.length * 2);
    const starts = new Int32Array(serials.length);
    serials.set(this.serials);
    starts.set(this.starts);
    this.serials = serials;
    this.starts = starts;
  }

  #wrong(fault: string): false {
    this.fault = fault;
    return false;
  }

  /** Value `i`, out of the buffer that was parsed. Texts in the database's encoding. */
  value(i: number, bytes: Uint8Array, view: DataView, decode: Decode): SqlValue {
    const serial = this.serials[i]!;
    const at = this.starts[i]!;
    if (serial === 0) return null;
    if (serial < 7) return integerAt(view, at, serial);
    if (serial === 7) return floatAt(view, at);
    if (serial < 10) return serial - 8;
    const end = at + lengthOf(serial);
    return serial % 2 === 1 ? decode(bytes, at, end) : copyOf(bytes, at, end);
  }
}

/** From the pool: a Uint8Array of a few bytes with memory of its own costs more than they do. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

function floatAt(view: DataView, at: number): SqlValue {
  const value = view.getFloat64(at);
  return Number.isInteger(value) ? new WholeReal(value) : value;
}

/** Text out of its bytes. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => string | OddText;

export function integerAt(view: DataView, at: number, serial: number): number | bigint {
  switch (serial) {
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at);
    case 3:
      return view.getInt8(at) * 0x10000 + view.getUint16(at + 1);
    case 4:
      return view.getInt32(at);
    case 5:
      return view.getInt16(at) * 0x1_0000_0000 + view.getUint32(at + 2);
    case 6: {
      const high = view.getInt32(at);
      const low = view.getUint32(at + 4);
      if (high > -0x20_0000 && high < 0x20_0000) return high * 0x1_0000_0000 + low;
      return view.getBigInt64(at);
    }
    default:
      return serial - 8;
  }
}

type DecodeText = (bytes: Uint8Array, start: number, end: number) => string;

/** What is none of the encoding becomes U+FFFD. */
export function decoderOf(encoding: number): DecodeText {
  if (encoding === 1) {
    return (bytes, start, end) =>
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  }
  const decoder = new TextDecoder(encoding === 3 ? 'utf-16be' : 'utf-16le', { ignoreBOM: true });
  return (bytes, start, end) => decoder.decode(bytes.subarray(start, end));
}

/** What is none of the encoding stays the bytes that it is. */
export function exactDecoderOf(encoding: number): Decode {
  const decode = decoderOf(encoding);
  return (bytes, start, end) => {
    const text = decode(bytes, start, end);
    if (!text.includes('\ufffd')) return text;
    const own = bytes.slice(start, end);
    return encodedText(text, encoding).equals(own) ? text : new OddText(own);
  };
}

/** A text as a database of this encoding has it. */
export function encodedText(text: string, encoding: number): Buffer {
  const bytes = Buffer.from(text, encoding === 1 ? 'utf8' : 'utf16le');
  return encoding === 3 ? bytes.swap16() : bytes;
}
