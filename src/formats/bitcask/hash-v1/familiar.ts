/**
 * What the records of this file look like, learned from those that were read: when they were
 * written, how long their keys and values are, whether keys are text. Where no checksum can tell a
 * record from bytes of a value, likeness to the records before can.
 */
import { isUtf8 } from 'node:buffer';
import type { Chain } from './chain.ts';
import { HEADER_BYTES, KEY_AT, TIMESTAMP_BYTES } from './layout.ts';

/** Sizes below this are counted one by one, longer ones by their number of bits. */
const EXACT_SIZES = 64;
const BUCKETS = EXACT_SIZES + 26;

/** Until a record was read: 1980 and 2100, in seconds since the epoch. */
const TIME_LOW = 315_532_800;
const TIME_HIGH = 4_102_444_800;
/** Afterwards, times up to so many times earlier or later than those before. */
const TIME_FACTOR = 2;
/** Of clocks that begin at 0 or count something else; a float of other bytes is seldom between. */
const TIME_LEAST = 0.001;
const TIME_MOST = 1e20;
/** What a clock may be set back behind damage, in a file whose times ascend otherwise. */
const SET_BACK_SECONDS = 24 * 3600;
/** One step back in so many records does not count. */
const RECORDS_A_STEP_BACK = 16;

/** So many keys at the front are looked at, then one in as many as the next says. */
const KEYS_READ = 32;
const KEYS_SAMPLE_MASK = 15;
/** Of a long key, so many bytes are looked at. */
const KEY_BYTES_READ = 64;
/** Fewer records than these do not tell what is usual. */
const RECORDS_FAMILIAR_MIN = 8;
/** So many records whose keys are of one size make a rule: with fewer, a counter may reach 10. */
const RECORDS_ALIKE_MIN = 32;

function bucketOf(size: number): number {
  return size < EXACT_SIZES ? size : EXACT_SIZES - 7 + (32 - Math.clz32(size));
}

export class Familiar {
  records = 0;
  /** Times between these are believed. */
  low = TIME_LOW;
  high = TIME_HIGH;
  /** Bytes of the longest record. */
  longest = 0;
  /** The time of the last record whose time is to be believed. */
  last = Number.NEGATIVE_INFINITY;
  readonly #keySizes = new Uint32Array(BUCKETS);
  readonly #valueSizes = new Uint32Array(BUCKETS);
  #keyShortest = Number.POSITIVE_INFINITY;
  #keyLongest = 0;
  #times = 0;
  #stepsBack = 0;
  #textKeys = true;

  /** Learns from a record; of its time, only if it is like those before or after it. */
  note(bytes: Uint8Array, start: number, keySize: number, valueSize: number): void {
    if (this.records < KEYS_READ || (this.records & KEYS_SAMPLE_MASK) === 0) {
      if (this.#textKeys) this.#textKeys = isText(bytes, start + KEY_AT, keySize);
    }
    this.records++;
    this.#keySizes[bucketOf(keySize)]!++;
    this.#valueSizes[bucketOf(valueSize)]!++;
    if (keySize > this.#keyLongest) this.#keyLongest = keySize;
    if (keySize < this.#keyShortest) this.#keyShortest = keySize;
    const total = HEADER_BYTES + keySize + valueSize;
    if (total > this.longest) this.longest = total;
  }

  noteTime(time: number): void {
    // Zero is like nothing but itself: beside other times it would make all small numbers times.
    if (this.#times++ === 0 || this.high === 0) {
      this.low = time / TIME_FACTOR;
      this.high = time * TIME_FACTOR;
    } else if (time > 0) {
      if (time < this.low * TIME_FACTOR) this.low = time / TIME_FACTOR;
      if (time * TIME_FACTOR > this.high) this.high = time * TIME_FACTOR;
    }
    if (time < this.last) this.#stepsBack++;
    this.last = time;
  }

  isTimely(time: number): boolean {
    return time >= this.low && time <= this.high;
  }

  /** One bit turned back makes it a time like those before. */
  isNearlyTimely(time: number): boolean {
    return this.flippedBits(time).length > 0;
  }

  /** The bits that make it such a time, each by itself. */
  flippedBits(time: number): number[] {
    const bytes = new Uint8Array(TIMESTAMP_BYTES);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, time, true);
    const bits: number[] = [];
    for (let bit = 0; bit < 64; bit++) {
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      if (this.isTimely(view.getFloat64(0, true))) bits.push(bit);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
    }
    return bits;
  }

  /** What some clock may tell, if not one like those known. */
  isSomeTime(time: number): boolean {
    return time === 0 || (time >= TIME_LEAST && time <= TIME_MOST);
  }

  /** No record was read yet, or this file's clock does not tell the time of day. */
  get isVague(): boolean {
    return (
      this.#times === 0 || this.low < TIME_LOW / TIME_FACTOR || this.high > TIME_HIGH * TIME_FACTOR
    );
  }

  /** Two times that are like each other, if not like those before. */
  areNear(a: number, b: number): boolean {
    return a >= 0 && b >= a / TIME_FACTOR && b <= a * TIME_FACTOR && Number.isFinite(b);
  }

  /** The earliest time that is to be expected behind a record of `time`. */
  earliestAfter(time: number): number {
    const ascending = this.#stepsBack * RECORDS_A_STEP_BACK <= this.records;
    return ascending ? time - SET_BACK_SECONDS : Number.NEGATIVE_INFINITY;
  }

  /** No record before had a key of about this size: seldom, in any file. */
  isNewKeySize(size: number): boolean {
    return this.#keySizes[bucketOf(size)] === 0;
  }

  /** All keys are of one size, and that is no chance. */
  get hasOneKeySize(): boolean {
    return this.records >= RECORDS_ALIKE_MIN && this.#keyShortest === this.#keyLongest;
  }

  /** How usual such sizes are: only of use to be compared. */
  usual(keySize: number, valueSize: number): number {
    return density(this.#keySizes, keySize) * density(this.#valueSizes, valueSize);
  }

  /** The record at `at`, whose header is in the window, has a key like those before it. */
  hasFamiliarKey(chain: Chain, at: number): boolean {
    const keySize = chain.keySize(at);
    if (keySize === 0 && this.isNewKeySize(0)) return false;
    if (this.records >= RECORDS_FAMILIAR_MIN) {
      if (keySize > 2 * this.#keyLongest) return false;
    } else if (keySize > chain.keyBytesMax) return false;
    if (!this.#textKeys || this.records === 0) return true;
    const start = at - chain.base + KEY_AT;
    return isText(chain.bytes, start, keySize, chain.end - chain.base);
  }
}

/** Records per byte of size in a bucket, and half a record for what may be seen yet. */
function density(counts: Uint32Array, size: number): number {
  const bucket = bucketOf(size);
  const width = size < EXACT_SIZES ? 1 : 2 ** (31 - Math.clz32(size));
  return (counts[bucket]! + 0.5) / width;
}

/** Whether the front of a key is UTF-8; a character that is cut off does not count. */
function isText(bytes: Uint8Array, start: number, size: number, limit = bytes.length): boolean {
  const end = Math.min(start + Math.min(size, KEY_BYTES_READ), limit);
  let at = start;
  while (at < end && bytes[at]! < 0x80) at++;
  if (at >= end) return true;
  let stop = end;
  if (end < start + size) {
    // Back to where the last character begins.
    while (stop > at && stop > end - 3 && (bytes[stop - 1]! & 0xc0) === 0x80) stop--;
    stop = stop > at && bytes[stop - 1]! >= 0xc0 ? stop - 1 : end;
  }
  return isUtf8(bytes.subarray(at, stop));
}
