/**
 * What keys and values of this log look like, learned from the records that were read. Where no
 * checksum can tell a chain of records from a list of strings in some value, likeness to the
 * records before can.
 */
import type { Chain } from './chain.ts';
import { KEY_AT, LENGTH_BYTES } from './layout.ts';

/** Lengths below this are counted one by one, longer ones by their number of bits. */
const EXACT_LENGTHS = 64;
const BUCKETS = EXACT_LENGTHS + 26;
/** Of what all keys begin with, so many bytes are looked at. */
const PREFIX_BYTES_MAX = 8;

/** Fewer records than these do not tell what is usual. */
const RECORDS_FAMILIAR_MIN = 8;
/** Below this many records, keys are taken to be shorter than values. */
const RECORDS_KNOWN_MIN = 32;
/** How many records are compared with those before. */
const RECORDS_COMPARED_MAX = 16;
/** A chain of known records that goes on so long needs no end. */
const RECORDS_CONTINUED_MAX = 64;

function bucketOf(length: number): number {
  return length < EXACT_LENGTHS ? length : EXACT_LENGTHS - 7 + (32 - Math.clz32(length));
}

export class Familiar {
  readonly #keys = new Float64Array(BUCKETS);
  readonly #values = new Float64Array(BUCKETS);
  readonly #firstBytes = new Float64Array(256);
  #differentFirstBytes = 0;
  /** What all keys begin with. */
  readonly #prefix = new Uint8Array(PREFIX_BYTES_MAX);
  #prefixBytes = 0;
  #records = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #longest = 0;

  /** Learns from a record whose key is `bytes[keyStart, keyEnd)`. */
  note(bytes: Uint8Array, keyStart: number, keyEnd: number, valueLength: number): void {
    const keyLength = keyEnd - keyStart;
    this.#keys[bucketOf(keyLength)]!++;
    this.#values[bucketOf(valueLength)]!++;
    if (keyLength > 0 && this.#firstBytes[bytes[keyStart]!]!++ === 0) this.#differentFirstBytes++;
    if (keyLength < this.#shortest) this.#shortest = keyLength;
    if (keyLength > this.#longest) this.#longest = keyLength;
    if (this.#records++ === 0) {
      this.#prefixBytes = Math.min(keyLength, PREFIX_BYTES_MAX);
      for (let i = 0; i < this.#prefixBytes; i++) this.#prefix[i] = bytes[keyStart + i]!;
    } else if (this.#prefixBytes > 0) {
      this.#prefixBytes = this.#commonPrefix(bytes, keyStart, keyEnd);
    }
  }

  /** The same from a record whose lengths are in the window. */
  learn({ view, bytes, base }: Chain, at: number): void {
    const keyStart = at - base + KEY_AT;
    const keyEnd = keyStart + view.getUint32(at - base);
    this.note(bytes, keyStart, keyEnd, view.getUint32(keyEnd));
  }

  get isBlank(): boolean {
    return this.#records === 0;
  }

  /** No record before had such a key length, or none such a value length: seldom, in any file. */
  isNew(keyLength: number, valueLength: number): boolean {
    return this.#keys[bucketOf(keyLength)] === 0 || this.#values[bucketOf(valueLength)] === 0;
  }

  /**
   * The record at `at` has a key about as long as those before it, and begins like one of them.
   * `strict` takes how two or three keys begin for a rule already.
   */
  isLike({ view, bytes, base, end }: Chain, at: number, strict = false): boolean {
    if (at + LENGTH_BYTES >= end) return true;
    const length = view.getUint32(at - base);
    if (length * 2 < this.#shortest || length > this.#longest * 2) return false;
    // Keys that begin with anything tell nothing by how they begin.
    const enough = Math.min(strict ? Math.max(this.#records, 4) : this.#records, 256);
    const tells = this.#differentFirstBytes * 4 <= enough;
    return !tells || this.#firstBytes[bytes[at - base + LENGTH_BYTES]!]! > 0;
  }

  /** The record at `from` is like those before, and so are nearly all of those behind it. */
  resembles(chain: Chain, from: number, strict = false): boolean {
    if (this.#records === 0) return true;
    let at = from;
    let alike = 0;
    let records = 0;
    for (; records < RECORDS_COMPARED_MAX; records++) {
      const next = chain.next(at);
      if (next < 0) break;
      if (this.isLike(chain, at, strict)) alike++;
      else if (records === 0) return false;
      at = next;
    }
    return alike * 4 >= records * 3;
  }

  /**
   * All records from `from` on have keys of lengths that were seen, begin as all keys do, and lead
   * to exactly `place` or go on for long. Until enough was seen, likeness will do if `lenient`.
   */
  leadsTo(chain: Chain, from: number, place: number, lenient: boolean): boolean {
    if (this.#records < RECORDS_FAMILIAR_MIN && !lenient) return false;
    let at = from;
    for (let records = 0; records < RECORDS_CONTINUED_MAX; records++) {
      if (at === place) return records > 0;
      const next = chain.next(at);
      if (next < 0 || at > place) return false;
      if (!this.#isKnown(chain, at)) return false;
      at = next;
    }
    return true;
  }

  /** At least `recordsMin` records from `from` on have such keys. */
  knows(chain: Chain, from: number, recordsMin: number): boolean {
    if (this.#records === 0) return false;
    let at = from;
    for (let records = 0; records < recordsMin; records++) {
      const next = chain.next(at);
      if (next < 0 || !this.#isKnown(chain, at)) return false;
      at = next;
    }
    return true;
  }

  /** The surprise, in bits, of a key of this length and with this first byte; -1: not known. */
  keyBits(length: number, first: number): number {
    let bits = this.#lengthBits(this.#keys, length);
    if (this.#records < RECORDS_KNOWN_MIN) bits += (32 - Math.clz32(length)) / 2;
    if (first < 0) return bits;
    // Against a value's first byte, of which nothing is known: 8 bits.
    return bits - Math.log2((this.#firstBytes[first]! + 0.5) / (this.#records + 128)) - 8;
  }

  /** The surprise, in bits, of a value of this length. */
  valueBits(length: number): number {
    return this.#lengthBits(this.#values, length);
  }

  /**
   * A key as long as one that was seen, that begins as all do; as long as little was seen, one like
   * those.
   */
  #isKnown(chain: Chain, at: number): boolean {
    if (!this.isLike(chain, at, true)) return false;
    if (this.#records < RECORDS_FAMILIAR_MIN) return true;
    const { view, bytes, base, end } = chain;
    const length = view.getUint32(at - base);
    if (this.#keys[bucketOf(length)] === 0) return false;
    const keyStart = at - base + LENGTH_BYTES;
    const keyEnd = Math.min(keyStart + length, end - base);
    // Half of it: where keys count up, its end changes.
    return this.#commonPrefix(bytes, keyStart, keyEnd) * 2 >= this.#prefixBytes;
  }

  #commonPrefix(bytes: Uint8Array, keyStart: number, keyEnd: number): number {
    const most = Math.min(this.#prefixBytes, keyEnd - keyStart);
    let i = 0;
    while (i < most && bytes[keyStart + i] === this.#prefix[i]) i++;
    return i;
  }

  #lengthBits(counts: Float64Array, length: number): number {
    return -Math.log2((counts[bucketOf(length)]! + 0.5) / (this.#records + BUCKETS / 2));
  }
}
