/**
 * The adaptive probabilities of LZMA, which its decoder and its encoder keep alike: each is that of
 * a bit being 0, of 2048. After the LZMA specification (https://www.7-zip.org/sdk.html).
 */

const STATES = 12;
const LITERAL = 0x300;
const PROBABILITY_START = 1024;

export const POSITIONS = 16;
/** Of lengths: two choices, low and middle ones by position, high ones. */
export const LENGTH_LOW = 2;
export const LENGTH_MIDDLE = LENGTH_LOW + POSITIONS * 8;
export const LENGTH_HIGH = LENGTH_MIDDLE + POSITIONS * 8;
const LENGTH_ALL = LENGTH_HIGH + 256;

/** Slots of distances below this are followed by bits of a tree of their own. */
export const SPECIAL_SLOTS = 14;
/** Bytes that a match has at least. */
export const MATCH_MIN = 2;

/** What came last; below 7 it was a literal. */
export const afterLiteral = (state: number): number =>
  state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
export const afterMatch = (state: number): number => (state < 7 ? 7 : 10);
export const afterRepeat = (state: number): number => (state < 7 ? 8 : 11);
export const afterShortRepeat = (state: number): number => (state < 7 ? 9 : 11);

export class LzmaModel {
  state = 0;
  /** The last four distances, less one; the last one first. */
  readonly reps = new Int32Array(4);
  lc = 0;
  lpMask = 0;
  pbMask = 0;
  readonly isMatch = new Uint16Array(STATES * POSITIONS);
  readonly isRep = new Uint16Array(STATES);
  readonly isRepG0 = new Uint16Array(STATES);
  readonly isRepG1 = new Uint16Array(STATES);
  readonly isRepG2 = new Uint16Array(STATES);
  readonly isRep0Long = new Uint16Array(STATES * POSITIONS);
  readonly slots = new Uint16Array(4 * 64);
  readonly special = new Uint16Array(128);
  readonly align = new Uint16Array(16);
  readonly length = new Uint16Array(LENGTH_ALL);
  readonly repLength = new Uint16Array(LENGTH_ALL);
  literal = new Uint16Array(0);

  /** False: there are no such properties. */
  properties(byte: number): boolean {
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (pb > 4 || lc + lp > 4) return false;
    this.lc = lc;
    this.lpMask = (1 << lp) - 1;
    this.pbMask = (1 << pb) - 1;
    this.literal = new Uint16Array(LITERAL << (lc + lp));
    return true;
  }

  reset(): void {
    this.state = 0;
    this.reps.fill(0);
    const tables = [this.isMatch, this.isRep, this.isRepG0, this.isRepG1, this.isRepG2];
    tables.push(this.isRep0Long, this.slots, this.special, this.align);
    tables.push(this.length, this.repLength, this.literal);
    for (const table of tables) table.fill(PROBABILITY_START);
  }

  /** Where the probabilities of a literal begin, `before` being the byte in front of it. */
  literalBase(position: number, before: number): number {
    return LITERAL * (((position & this.lpMask) << this.lc) + (before >> (8 - this.lc)));
  }

  /** The table of slots for a match of `length` bytes. */
  static slotBase(length: number): number {
    return Math.min(length - MATCH_MIN, 3) * 64;
  }
}
