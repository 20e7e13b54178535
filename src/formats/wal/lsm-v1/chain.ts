/**
 * Chains of records, as the lengths alone tell them. Without checksums a chain is all the evidence
 * there is: a record is as good as the records behind it.
 *
 * In a chain a key has 1 to keyBytesMax bytes. An empty one would make a record of every eight zero
 * bytes; scan.ts says where it is believed.
 */
import { ChainWindow, CUT, FILE_END, MORE, NO_RECORD } from '../../bytes/chain-window.ts';
import type { Window } from '../../bytes/window.ts';
import { KEY_AT, KEY_BYTES_PLAUSIBLE, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';

export class Chain extends ChainWindow {
  /** Of the walk done last: its records, and the offset behind them. */
  records = 0;
  stoppedAt = 0;

  constructor(window: Window, recordBytesMax: number) {
    super(window, recordBytesMax, KEY_BYTES_PLAUSIBLE);
  }

  /** Where the record at `at` ends, or one of the negative answers above. */
  next(at: number): number {
    if (at + LENGTH_BYTES > this.end) return this.#short(at, this.keyBytesMax, at);
    const keyLength = this.view.getUint32(at - this.base);
    if (keyLength === 0 || keyLength > this.keyBytesMax) return NO_RECORD;
    return this.nextAfterKey(at, keyLength);
  }

  /** The same for a record whose key length is believed. */
  nextAfterKey(at: number, keyLength: number): number {
    const valueLengthAt = at + KEY_AT + keyLength;
    const valueMax = this.recordBytesMax - OVERHEAD_BYTES - keyLength;
    if (valueLengthAt + LENGTH_BYTES > this.end) return this.#short(valueLengthAt, valueMax, at);
    const valueLength = this.view.getUint32(valueLengthAt - this.base);
    if (valueLength > valueMax) return NO_RECORD;
    const end = valueLengthAt + LENGTH_BYTES + valueLength;
    return end > this.fileEnd ? CUT : end;
  }

  /**
   * Follows the chain from `from` for up to `recordsMax` records. Returns what ended it, or 0: it
   * holds. Looks no further than a record may be long.
   */
  walk(from: number, recordsMax: number): number {
    const farthest = from + this.recordBytesMax;
    let at = from;
    let answer = 0;
    this.records = 0;
    while (this.records < recordsMax) {
      answer = this.next(at);
      if (answer < 0) break;
      at = answer;
      answer = 0;
      this.records++;
      if (at > farthest) break;
    }
    this.stoppedAt = at;
    return answer;
  }

  /** A length, up to `most`, of which the window does not have all bytes. */
  #short(lengthAt: number, most: number, recordAt: number): number {
    if (lengthAt === this.fileEnd && recordAt === lengthAt) return FILE_END;
    if (lengthAt < this.fileEnd && this.end < this.fileEnd) {
      this.needed = Math.min(lengthAt + LENGTH_BYTES, this.fileEnd);
      return MORE;
    }
    // The file ends inside it. Those bytes that are there are the high ones: can they begin such a
    // length?
    let least = 0;
    for (let at = lengthAt; at < lengthAt + LENGTH_BYTES; at++) {
      least = least * 256 + (at < this.end ? this.bytes[at - this.base]! : 0);
    }
    return least <= most ? CUT : NO_RECORD;
  }
}

/** How far a chain is followed to see where it leads. */
const FOLLOWED_RECORDS_MAX = 4096;

/** The chain from `from` on goes through `place`, as far as it is followed. */
export function leadsTo(chain: Chain, from: number, place: number): boolean {
  let at = from;
  for (let records = 0; records < FOLLOWED_RECORDS_MAX; records++) {
    if (at >= place) return at === place;
    const next = chain.next(at);
    if (next < 0) return next === MORE;
    at = next;
  }
  return true;
}
