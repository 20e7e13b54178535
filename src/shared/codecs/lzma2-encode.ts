/**
 * The encoder of LZMA2, for xz: greedy with a look at the next place, as the fast modes of xz-utils
 * are. No package for Node that needs no compiler has one: @napi-rs/lzma stores, those in plain
 * JavaScript pack 0.25 MB a second.
 *
 *     chunk   0xe0 | size-1 high 5 bits, size-1 u16, packed-1 u16, properties, packed bytes
 *             0xe0: dictionary, properties and state begin anew; 0xc0: properties and state;
 *             0xa0: state; 0x80: nothing does, and no properties follow
 *     stored  1: dictionary begins anew, or 2; size-1 u16, bytes
 *     end     0
 *
 * https://tukaani.org/xz/xz-file-format.txt 5.3.1; numbers are big-endian.
 */
import { MATCH_MAX, Matches, NICE, WINDOW_BYTES } from './lzma-matches.ts';
import {
  afterLiteral,
  afterMatch,
  afterRepeat,
  LENGTH_HIGH,
  LENGTH_LOW,
  LENGTH_MIDDLE,
  LzmaModel,
  MATCH_MIN,
  POSITIONS,
  SPECIAL_SLOTS,
} from './lzma-model.ts';
import { RangeEncoder } from './lzma-range.ts';

/** As the filter's flags name the window: 2 << (code / 2 + 11) for even ones. */
export const DICTIONARY_CODE = (Math.log2(WINDOW_BYTES) - 12) * 2;

/** lc 3, lp 0, pb 2: what everybody takes. */
const PROPERTIES = (2 * 5 + 0) * 9 + 3;
const CHUNK_BYTES_MAX = 2 * 1024 * 1024;
const PACKED_BYTES_MAX = 65_536;
/** Shorter matches are not worth their distance. */
const SHORTEST = 3;
/** A distance of so many bits less makes up for a byte less. */
const NEAR_BITS = 7;

/** The chunks of LZMA2, and the mark of their end. */
export function lzma2Encode(bytes: Uint8Array): Uint8Array[] {
  return new Encoder(bytes).run();
}

class Encoder {
  readonly #model = new LzmaModel();
  readonly #range = new RangeEncoder(PACKED_BYTES_MAX);
  readonly #matches: Matches;
  readonly #chunks: Uint8Array[] = [];
  #at = 0;
  /** The place that `#matches` was asked about last. */
  #found = -1;
  /** Of the best of the last four distances: its bytes, and which it is. */
  #repeated = 0;
  #which = 0;

  constructor(readonly bytes: Uint8Array) {
    this.#matches = new Matches(bytes);
    this.#model.properties(PROPERTIES);
  }

  run(): Uint8Array[] {
    const { length } = this.bytes;
    let control = 0xe0;
    while (this.#at < length) {
      const from = this.#at;
      if (control > 0x80) this.#model.reset();
      this.#range.begin();
      const to = Math.min(length, from + CHUNK_BYTES_MAX);
      while (this.#at < to && this.#range.hasRoom) this.#symbol(to);
      this.#range.flush();
      if (this.#range.count < this.#at - from) {
        this.#packed(from, control);
        control = 0x80;
      } else {
        this.#stored(from, control === 0xe0);
        // The state went on over bytes that the decoder takes as they are.
        control = control >= 0xc0 ? 0xc0 : 0xa0;
      }
    }
    this.#chunks.push(Uint8Array.of(0));
    return this.#chunks;
  }

  #packed(from: number, control: number): void {
    const { count, out } = this.#range;
    const size = this.#at - from - 1;
    const head = [control | (size >> 16), (size >> 8) & 255, size & 255];
    head.push((count - 1) >> 8, (count - 1) & 255);
    if (control >= 0xc0) head.push(PROPERTIES);
    this.#chunks.push(Uint8Array.from(head), out.slice(0, count));
  }

  /** What packing does not make smaller is no more than a chunk of stored bytes may be. */
  #stored(from: number, first: boolean): void {
    const size = this.#at - from - 1;
    this.#chunks.push(Uint8Array.of(first ? 1 : 2, size >> 8, size & 255));
    this.#chunks.push(this.bytes.subarray(from, this.#at));
  }

  #symbol(to: number): void {
    const at = this.#at;
    this.#find(at);
    const { distance } = this.#matches;
    const length = Math.min(this.#matches.length, to - at);
    this.#repeat(at, to);
    const repeated = this.#repeated;
    if (repeated >= MATCH_MIN && isRepeatBetter(repeated, length, distance)) {
      this.#putRepeat(this.#which, repeated);
    } else if (length < SHORTEST || this.#isNextBetter(at, to, length, distance)) {
      this.#putLiteral(at);
    } else this.#putMatch(distance, length);
    for (let place = this.#found + 1; place < this.#at; place++) this.#matches.skip(place);
    this.#found = Math.max(this.#found, this.#at - 1);
  }

  #find(at: number): void {
    if (this.#found >= at) return;
    this.#matches.find(at);
    this.#found = at;
  }

  /** The longest run of bytes that one of the last distances gives. */
  #repeat(at: number, to: number): void {
    const { reps } = this.#model;
    const most = Math.min(MATCH_MAX, to - at);
    this.#repeated = 0;
    for (let i = 0; i < 4; i++) {
      const place = at - reps[i]! - 1;
      if (place < 0) continue;
      const length = this.#matches.common(at, place, most);
      if (length <= this.#repeated) continue;
      this.#repeated = length;
      this.#which = i;
    }
  }

  /** Whether a literal and then what can be had at the next place is less than the match here. */
  #isNextBetter(at: number, to: number, length: number, distance: number): boolean {
    if (length >= NICE || at + 1 >= to) return false;
    this.#find(at + 1);
    const matches = this.#matches;
    const next = Math.min(matches.length, to - at - 1);
    if (next >= SHORTEST) {
      const far = matches.distance;
      if (next > length + 1 || (next >= length && far < distance)) return true;
      if (next === length + 1 && far >>> NEAR_BITS <= distance) return true;
      if (next + 1 >= length && distance >>> NEAR_BITS > far) return true;
    }
    this.#repeat(at + 1, to);
    return this.#repeated >= length - 1;
  }

  #putLiteral(at: number): void {
    const { bytes } = this;
    const model = this.#model;
    const range = this.#range;
    const { state, literal } = model;
    range.bit(model.isMatch, state * POSITIONS + (at & model.pbMask), 0);
    const base = model.literalBase(at, at > 0 ? bytes[at - 1]! : 0);
    const value = bytes[at]!;
    if (state < 7) range.tree(literal, base, value, 8);
    else {
      // Behind a match the byte that would have gone on with it says what is not likely.
      let match = bytes[at - model.reps[0]! - 1]!;
      let offset = 0x100;
      let symbol = 1;
      for (let i = 7; i >= 0; i--) {
        match <<= 1;
        const bit = (value >>> i) & 1;
        const other = match & offset;
        range.bit(literal, base + offset + other + symbol, bit);
        symbol = (symbol << 1) | bit;
        offset &= bit ? other : ~other;
      }
    }
    model.state = afterLiteral(state);
    this.#at++;
  }

  /** That a match comes, and whether of a distance that was one before. Returns its position. */
  #begin(repeated: 0 | 1): number {
    const { isMatch, isRep, state, pbMask } = this.#model;
    const position = this.#at & pbMask;
    this.#range.bit(isMatch, state * POSITIONS + position, 1);
    this.#range.bit(isRep, state, repeated);
    return position;
  }

  #putMatch(distance: number, length: number): void {
    const model = this.#model;
    const { state, reps } = model;
    const position = this.#begin(0);
    reps.copyWithin(1, 0, 3);
    reps[0] = distance;
    this.#putLength(model.length, position, length);
    this.#putDistance(distance, LzmaModel.slotBase(length));
    model.state = afterMatch(state);
    this.#at += length;
  }

  #putRepeat(which: number, length: number): void {
    const model = this.#model;
    const range = this.#range;
    const { state, reps } = model;
    const position = this.#begin(1);
    range.bit(model.isRepG0, state, which === 0 ? 0 : 1);
    if (which === 0) range.bit(model.isRep0Long, state * POSITIONS + position, 1);
    else {
      range.bit(model.isRepG1, state, which === 1 ? 0 : 1);
      if (which > 1) range.bit(model.isRepG2, state, which - 2);
      const distance = reps[which]!;
      reps.copyWithin(1, 0, which);
      reps[0] = distance;
    }
    this.#putLength(model.repLength, position, length);
    model.state = afterRepeat(state);
    this.#at += length;
  }

  #putLength(table: Uint16Array, position: number, length: number): void {
    const range = this.#range;
    const value = length - MATCH_MIN;
    range.bit(table, 0, value < 8 ? 0 : 1);
    if (value < 8) {
      range.tree(table, LENGTH_LOW + position * 8, value, 3);
      return;
    }
    range.bit(table, 1, value < 16 ? 0 : 1);
    if (value < 16) range.tree(table, LENGTH_MIDDLE + position * 8, value - 8, 3);
    else range.tree(table, LENGTH_HIGH, value - 16, 8);
  }

  /** The slot says the two highest bits and how many there are; the rest follows. */
  #putDistance(distance: number, slotBase: number): void {
    const { slots, special, align } = this.#model;
    const range = this.#range;
    const high = 31 - Math.clz32(distance);
    const slot = distance < 4 ? distance : 2 * high + ((distance >>> (high - 1)) & 1);
    range.tree(slots, slotBase, slot, 6);
    if (slot < 4) return;
    const bits = high - 1;
    const base = (2 | (slot & 1)) << bits;
    const rest = distance - base;
    if (slot < SPECIAL_SLOTS) range.reverseTree(special, base - slot, rest, bits);
    else {
      range.direct(rest >>> 4, bits - 4);
      range.reverseTree(align, 0, rest & 15, 4);
    }
  }
}

/** A distance that is known already saves the bits of a new one. */
function isRepeatBetter(repeated: number, length: number, distance: number): boolean {
  if (repeated + 1 >= length) return true;
  if (repeated + 2 >= length && distance > 512) return true;
  return repeated + 3 >= length && distance > 32_768;
}
