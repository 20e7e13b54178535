/**
 * What came before of the bytes at a place: the longest match by chains of places whose next four
 * bytes hash alike, and the last place whose next three do.
 */

/** Bytes that a match has at most. */
export const MATCH_MAX = 273;
/** How far back a match reaches: less than this. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

const HASH_BITS = 16;
const SHORT_HASH_BITS = 12;
/** Places of a chain that are looked at. */
const CHAIN_MAX = 16;
/** A match as long as this is taken at once. */
export const NICE = 128;
/** A match of three bytes from farther away costs more than its literals. */
const SHORT_DISTANCE_MAX = 4096;

export class Matches {
  /** Of the best match at the last place: its bytes, 0 for none, and its distance less one. */
  length = 0;
  distance = 0;
  readonly #heads = new Int32Array(1 << HASH_BITS).fill(-1);
  readonly #shortHeads = new Int32Array(1 << SHORT_HASH_BITS).fill(-1);
  readonly #before: Int32Array;
  readonly #mask: number;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    let size = 1024;
    while (size < bytes.length && size < WINDOW_BYTES) size *= 2;
    this.#before = new Int32Array(size);
    this.#mask = size - 1;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Makes the place known without a look at it. */
  skip(at: number): void {
    if (at + 4 > this.bytes.length) return;
    this.#enter(at, this.#view.getUint32(at, true));
  }

  #enter(at: number, word: number): number {
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const head = this.#heads[hash]!;
    this.#heads[hash] = at;
    this.#before[at & this.#mask] = head;
    this.#shortHeads[Math.imul(word << 8, 0x9e3779b1) >>> (32 - SHORT_HASH_BITS)] = at;
    return head;
  }

  /** Looks for the longest match of the bytes at `at`, and makes the place known. */
  find(at: number): void {
    this.length = 0;
    const { bytes } = this;
    const most = Math.min(MATCH_MAX, bytes.length - at);
    if (most < 4) return;
    const word = this.#view.getUint32(at, true);
    const short = this.#shortHeads[Math.imul(word << 8, 0x9e3779b1) >>> (32 - SHORT_HASH_BITS)]!;
    let place = this.#enter(at, word);
    if (short >= 0 && at - short <= SHORT_DISTANCE_MAX) this.#better(at, short, most, 3);
    const oldest = Math.max(0, at - this.#mask);
    for (let i = 0; i < CHAIN_MAX && place >= oldest; i++) {
      const { length } = this;
      if (bytes[place + length] === bytes[at + length]) this.#better(at, place, most, 4);
      if (this.length >= Math.min(NICE, most)) return;
      place = this.#before[place & this.#mask]!;
    }
  }

  #better(at: number, place: number, most: number, least: number): void {
    const length = this.common(at, place, most);
    if (length < least || length <= this.length) return;
    this.length = length;
    this.distance = at - place - 1;
  }

  /** How many bytes at `at` are those at `place`, up to `most`. */
  common(at: number, place: number, most: number): number {
    const { bytes } = this;
    let length = 0;
    while (length < most && bytes[place + length] === bytes[at + length]) length++;
    return length;
  }
}
