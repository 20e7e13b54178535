/**
 * Standard output for data: bytes gathered into large chunks and written synchronously, through
 * partial writes and full pipes, so that a command ends only when what it printed is out. A reader
 * that has gone (`| head`) is no error: ClosedPipe ends the command quietly.
 */
import * as fs from 'node:fs';

export class ClosedPipe extends Error {
  override readonly name = 'ClosedPipe';
}

const CHUNK_BYTES = 64 * 1024;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Two hex digits by byte, the first in the low half. */
const HEX = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  const digits = i.toString(16).padStart(2, '0');
  HEX[i] = digits.charCodeAt(0) | (digits.charCodeAt(1) << 8);
}

/** 1 for bytes that do not stand in a JSON string as they are. */
const ODD = new Uint8Array(256);
for (let i = 0; i < 256; i++) {
  ODD[i] = i < 0x20 || i > 0x7e || i === QUOTE || i === BACKSLASH ? 1 : 0;
}

/** The beginning of a line that is kept for the next is no longer than this. */
const KEPT_BYTES_MAX = 1024;

/** From here on a text is worth a call to native code. */
const CALL_FROM_CHARACTERS = 48;
/** Longer texts go out in pieces. */
const PIECE_CHARACTERS = 1024 * 1024;

/** From here on bytes are looked at four at a time. */
const WORDS_FROM_BYTES = 16;

/**
 * The high bit of some byte is set if any of the four is outside 0x20 to 0x7e, a quote or a
 * backslash. (Bytes of a word at once: Warren, "Hacker's Delight", 6-1. A borrow can set a bit too
 * many, never one too few.)
 */
function oddWord(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  return (
    word |
    (word - 0x20202020) |
    (word + 0x01010101) |
    ((quote - 0x01010101) & ~quote) |
    ((backslash - 0x01010101) & ~backslash)
  );
}

export class Output {
  #bytes = Buffer.allocUnsafe(CHUNK_BYTES);
  #view = viewOf(this.#bytes);
  #count = 0;
  /** The two buffers that bytes came from last, seen as words: keys and values take turns. */
  #source: Uint8Array | undefined;
  #sourceView = this.#view;
  #other: Uint8Array | undefined;
  #otherView = this.#view;
  #keptFrom = -1;
  #sleeper: Int32Array | undefined;

  constructor(readonly fd: number) {}

  /** Makes room for `bytes` more and returns where they go. */
  #reserve(bytes: number): number {
    if (this.#count + bytes > this.#bytes.length) {
      this.flush();
      if (bytes > this.#bytes.length) {
        this.#bytes = Buffer.allocUnsafe(bytes * 2);
        this.#view = viewOf(this.#bytes);
      }
    }
    return this.#count;
  }

  /** Characters below 0x80 only. */
  ascii(text: string): void {
    let at = this.#reserve(text.length);
    const bytes = this.#bytes;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#count = at;
  }

  text(text: string): void {
    if (text.length > PIECE_CHARACTERS) {
      this.#pieces(text);
      return;
    }
    const from = this.#reserve(text.length * 3);
    if (text.length < CALL_FROM_CHARACTERS) {
      const bytes = this.#bytes;
      let odd = 0;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        odd |= code;
        bytes[from + i] = code;
      }
      if (odd < 0x80) {
        this.#count = from + text.length;
        return;
      }
    }
    this.#count = from + this.#bytes.write(text, from, 'utf8');
  }

  /** A long text a piece at a time: room for all of it would be three bytes a character. */
  #pieces(text: string): void {
    for (let at = 0; at < text.length; ) {
      let end = Math.min(text.length, at + PIECE_CHARACTERS);
      const code = text.charCodeAt(end - 1);
      // The halves of a character stay together.
      if (code >= 0xd800 && code < 0xdc00 && end < text.length) end--;
      this.text(text.slice(at, end));
      at = end;
    }
  }

  spaces(count: number): void {
    const at = this.#reserve(count);
    for (let i = at; i < at + count; i++) this.#bytes[i] = SPACE;
    this.#count = at + count;
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
    this.#count = at + 1;
  }

  raw(source: Uint8Array, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const part = Math.min(end - from, CHUNK_BYTES);
      const at = this.#reserve(part);
      this.#bytes.set(source.subarray(from, from + part), at);
      this.#count = at + part;
      from += part;
    }
  }

  hex(source: Uint8Array, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const part = Math.min(end - from, CHUNK_BYTES / 2);
      let at = this.#reserve(part * 2);
      const view = this.#view;
      for (let i = from; i < from + part; i++, at += 2) view.setUint16(at, HEX[source[i]!]!, true);
      this.#count = at;
      from += part;
    }
  }

  /** A safe integer, in decimal. */
  integer(value: number): void {
    if (value < 0 || value > 0xffff_ffff) {
      this.ascii(String(value));
      return;
    }
    let at = this.#reserve(10) + digits(value);
    this.#count = at;
    const bytes = this.#bytes;
    let rest = value;
    do {
      const tenth = Math.floor(rest / 10);
      bytes[--at] = 48 + rest - tenth * 10;
      rest = tenth;
    } while (rest > 0);
  }

  /**
   * A JSON string of bytes that stand in one as they are: printable ASCII but quote and backslash.
   * Returns false, with nothing written, if there is any other byte.
   */
  quoted(source: Uint8Array, start: number, end: number): boolean {
    if (end - start > CHUNK_BYTES - 2) return false;
    let at = this.#reserve(end - start + 2);
    const bytes = this.#bytes;
    bytes[at++] = QUOTE;
    let i = start;
    if (end - start >= WORDS_FROM_BYTES) {
      if (source !== this.#source) this.#turnTo(source);
      const from = this.#sourceView;
      const to = this.#view;
      let odd = 0;
      for (const last = end - 3; i < last; i += 4, at += 4) {
        const word = from.getInt32(i, true);
        to.setInt32(at, word, true);
        odd |= oddWord(word);
      }
      if (odd & 0x80808080) return false;
    }
    let odd = 0;
    for (; i < end; i++) {
      const byte = source[i]!;
      odd |= ODD[byte]!;
      bytes[at++] = byte;
    }
    if (odd !== 0) return false;
    bytes[at++] = QUOTE;
    this.#count = at;
    return true;
  }

  #turnTo(source: Uint8Array): void {
    const view = source === this.#other ? this.#otherView : viewOf(source);
    this.#other = this.#source;
    this.#otherView = this.#sourceView;
    this.#source = source;
    this.#sourceView = view;
  }

  /** Few bytes, from `start` on. */
  short(from: DataView, start: number): void {
    const length = from.byteLength;
    let at = this.#reserve(length);
    const to = this.#view;
    let i = start;
    for (const last = length - 3; i < last; i += 4, at += 4)
      to.setInt32(at, from.getInt32(i, true), true);
    for (; i < length; i++) to.setUint8(at++, from.getUint8(i));
    this.#count = at;
  }

  /** What is printed from here up to `kept` may have to be printed again. */
  keepFrom(): void {
    this.#keptFrom = this.#reserve(KEPT_BYTES_MAX);
  }

  /** A copy of it; undefined: it was too much. */
  kept(): DataView | undefined {
    const from = this.#keptFrom;
    if (from < 0 || this.#count - from > KEPT_BYTES_MAX) return undefined;
    return viewOf(Uint8Array.prototype.slice.call(this.#bytes, from, this.#count));
  }

  flush(): void {
    const end = this.#count;
    this.#count = 0;
    this.#keptFrom = -1;
    if (end > 0) this.put(this.#bytes, end);
  }

  /** Where bytes[0, end) go. */
  put(bytes: Uint8Array, end: number): void {
    let done = 0;
    while (done < end) {
      try {
        done += fs.writeSync(this.fd, bytes, done, end - done);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') throw new ClosedPipe();
        if (code !== 'EAGAIN') throw error;
        // A non-blocking pipe that is full: wait a moment for the reader.
        this.#sleeper ??= new Int32Array(new SharedArrayBuffer(4));
        Atomics.wait(this.#sleeper, 0, 0, 1);
      }
    }
  }
}

function digits(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
