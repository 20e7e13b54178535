/**
 * Whether a record begins at an offset. For it speak a time like those of the records before, sizes
 * that lead to another such header or to the end of the file, a key like those before, and a hint
 * that says so.
 */
import { CUT, FILE_END, MORE, NO_RECORD } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import type { Familiar } from './familiar.ts';

/** A chain is looked at for so many records. */
const WALKED_RECORDS_MAX = 4;
/** So many records in a row are no chance. */
const CHAIN_RECORDS = 2;
/** The same where their times are like none before. */
const UNTIMELY_RECORDS = 3;
/** How far a chain is followed to see where it leads. */
const FOLLOWED_RECORDS_MAX = 256;
/** So many places that a hint names in one record are looked at. */
const ANCHORS_TRIED_MAX = 8;

const NO_ANCHORS = new Float64Array(0);

export class Evidence {
  constructor(
    readonly chain: Chain,
    readonly familiar: Familiar,
    readonly anchors: Float64Array = NO_ANCHORS,
  ) {}

  /** A whole header with a time like those before, and sizes that are possible. */
  isHeader(at: number): boolean {
    const { chain, familiar } = this;
    if (!chain.hasHeader(at) || !familiar.isTimely(chain.timestamp(at))) return false;
    const next = chain.next(at);
    return next !== NO_RECORD;
  }

  /**
   * A record begins at `at`, of `earliest` or later, and is whole. Answers true or false, or MORE
   * if the window does not tell.
   */
  begins(at: number, earliest = Number.NEGATIVE_INFINITY): boolean | typeof MORE {
    const { chain, familiar } = this;
    if (!this.isHeader(at)) return this.#isAnchored(at);
    if (chain.timestamp(at) < earliest || !familiar.hasFamiliarKey(chain, at)) return false;
    const first = chain.next(at);
    if (first < 0 || this.anchorBetween(at, first) >= 0) return false;
    let next = first;
    for (let records = 1; records < WALKED_RECORDS_MAX; records++) {
      const answer = chain.next(next);
      if (answer === MORE) return records >= CHAIN_RECORDS || MORE;
      if (answer === FILE_END || answer === CUT) return true;
      if (answer === NO_RECORD || !familiar.isTimely(chain.timestamp(next))) {
        return records >= CHAIN_RECORDS || !familiar.isNewKeySize(chain.keySize(at));
      }
      next = answer;
    }
    return true;
  }

  /**
   * The same where this file's clock is not known: a longer chain, of times that are like each
   * other.
   */
  beginsAtSomeTime(at: number): boolean | typeof MORE {
    const { chain, familiar } = this;
    let place = at;
    let last = Number.NaN;
    for (let records = 0; records < WALKED_RECORDS_MAX; records++) {
      const next = chain.next(place);
      if (next === MORE) return MORE;
      if (next === FILE_END) return records >= CHAIN_RECORDS;
      if (next < 0) return next === CUT && records >= UNTIMELY_RECORDS;
      const time = chain.timestamp(place);
      if (!familiar.isSomeTime(time) || chain.keySize(place) === 0) return false;
      if (records > 0 && !familiar.areNear(last, time)) return false;
      last = time;
      place = next;
    }
    return true;
  }

  /**
   * Records begin at `at` by their sizes alone, whatever their times say. `records`: so many in a
   * row do, or one that leads to a header or to the end of the file.
   */
  stands(at: number, records = UNTIMELY_RECORDS): boolean | typeof MORE {
    const { chain } = this;
    let place = at;
    for (let done = 0; done < records; done++) {
      const next = chain.next(place);
      if (next === MORE) return MORE;
      if (next === FILE_END) return done > 0;
      if (next === CUT) return done >= CHAIN_RECORDS;
      if (next < 0) return false;
      if (chain.next(next) === MORE) return MORE;
      if (next === chain.fileEnd || this.isHeader(next)) return true;
      place = next;
    }
    return records > 1;
  }

  /** The chain from `from` on goes through `place`, as far as it is followed. */
  leadsTo(from: number, place: number): boolean {
    const { chain } = this;
    let at = from;
    for (let records = 0; records < FOLLOWED_RECORDS_MAX; records++) {
      if (at >= place) return at === place;
      const next = chain.next(at);
      if (next < 0) return next === MORE;
      at = next;
    }
    return true;
  }

  /** The chain from `from` on goes beyond `place`, and not through it. */
  passes(from: number, place: number): boolean {
    const { chain } = this;
    let at = from;
    for (let records = 0; records < FOLLOWED_RECORDS_MAX && at < place; records++) {
      at = chain.next(at);
      if (at < 0) return false;
    }
    return at > place;
  }

  /** The first offset of a hint's that is beyond `at`; infinite: none. */
  anchorAfter(at: number): number {
    const { anchors } = this;
    let low = 0;
    let high = anchors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (anchors[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return anchors[low] ?? Number.POSITIVE_INFINITY;
  }

  /** A place strictly between two where a hint says that a record begins, and one can; -1: none. */
  anchorBetween(from: number, to: number): number {
    let at = this.anchorAfter(from);
    for (let tried = 0; tried < ANCHORS_TRIED_MAX && at < to; tried++) {
      if (this.isHeader(at)) return at;
      at = this.anchorAfter(at);
    }
    return -1;
  }

  /** A hint says that a record begins at `at`, and the sizes there are possible. */
  #isAnchored(at: number): boolean {
    return this.anchorAfter(at - 1) === at && this.chain.hasHeader(at) && this.chain.next(at) >= 0;
  }
}
