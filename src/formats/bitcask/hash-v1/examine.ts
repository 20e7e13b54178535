/**
 * Decides about the place where records do not go on, by what loses least: one bit of one size, of
 * the record that leads there or of the one that should begin there; else what lies between and the
 * next record.
 */
import { CUT, MORE } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import { type Decided, describe, type Head, hole, mended, swallowing, tornTail } from './damage.ts';
import type { Evidence } from './evidence.ts';
import { type Explained, explainByOneBit } from './explain.ts';
import { HEADER_BYTES, TIMESTAMP_BYTES } from './layout.ts';
import { Search } from './search.ts';

/** How long a record is assumed to be at most when its sizes are in doubt, unless others were. */
const REACH_BYTES_MIN = 1024 * 1024;
/** How far behind a record of an unlikely time a likelier one is looked for. */
const LATER_BYTES_MAX = 1024 * 1024;
/** How often records by another clock are looked for: it means to search twice. */
const PROSPECTS_MAX = 64;
/** Until so many records were read, nothing is unlike them. */
const RECORDS_KNOWN_MIN = 8;
/** So many times as usual speaks for a size that is there. */
const FAR_MORE_USUAL = 32;

/** `good`: the record is right, and what is behind it is to be looked at; `stands`: so is that. */
export type Opinion = 'good' | 'stands' | Decided;

export class Examiner {
  readonly #chain: Chain;
  readonly #search: Search;
  /** The clock went back behind damage: times prove nothing any more. */
  #clockSetBack = false;
  #prospects = PROSPECTS_MAX;
  /** See #endingWithFile. */
  #lastRecord: Explained | undefined;

  constructor(
    readonly evidence: Evidence,
    readonly file: string,
  ) {
    this.#chain = evidence.chain;
    this.#search = new Search(evidence);
  }

  /** The record at `at` begins there and ends at `next`, where no timely header is. */
  async ofRecord(at: number, next: number): Promise<Opinion> {
    const { evidence } = this;
    const chain = this.#chain;
    await chain.fill(at, next - at + this.#reach + HEADER_BYTES);
    const anchor = evidence.anchorBetween(at, next);
    if (anchor >= 0) return this.#anchored(at, anchor);
    if (this.#isMistimed(next) && (await this.#stands(next, 1, at))) return 'stands';

    const earliest = this.#earliest(chain.timestamp(at));
    const passes = (n: number) =>
      n < next && evidence.begins(n, earliest) === true && evidence.passes(n, next);
    const inside = explainByOneBit(evidence, at, this.#reach, passes);
    if (inside) return mended(chain, this.#describe(at, inside), inside);
    const behind = explainByOneBit(
      evidence,
      at,
      this.#reach,
      (n) => n > next && evidence.begins(n, earliest) === true,
    );
    if (behind && this.#isLikely(at, next, behind) && !this.#isBetween(at, next, behind.next)) {
      return mended(chain, this.#describe(at, behind), behind);
    }
    if (this.#looksLikeHeader(next)) return 'good';
    if (await this.#stands(next, undefined, at)) return 'stands';
    const over = (n: number) => evidence.passes(n, next);
    const found = await this.#search.find(at + 1, next, at, earliest, over);
    if (found !== undefined) return this.#skipped(this.#describe(at), found);
    this.#lastRecord = this.#endingWithFile(at);
    return 'good';
  }

  /**
   * What stands at `at` is no whole record. `isRecord`: it begins like one all the same, so far as
   * could be told from what leads there.
   */
  async ofBreak(at: number, isRecord: boolean): Promise<Decided> {
    const { evidence } = this;
    const chain = this.#chain;
    await chain.fill(at, this.#reach + HEADER_BYTES);
    const head = this.#describe(at);
    const torn = head.timely && this.#isTorn(at, head);
    const earliest = this.#earliest(head.timely ? head.timestamp : evidence.familiar.last);
    if (head.whole && (head.timely || isRecord)) {
      const beyond = await this.#beyondLimit(head);
      if (beyond) return beyond;
      const explained = explainByOneBit(evidence, at, this.#reach, (next) =>
        next === chain.fileEnd
          ? !torn
          : evidence.begins(next, earliest) === true && evidence.anchorBetween(at, next) < 0,
      );
      if (explained) {
        const leads = (from: number) => evidence.leadsTo(from, explained.next);
        const found = await this.#search.find(at + 1, explained.next, at, earliest, leads);
        if (found !== undefined) return this.#skipped(head, found);
        return mended(chain, this.#describe(at, explained), explained);
      }
    }
    return this.#searchBehind(head, torn, earliest);
  }

  /**
   * Whether the record from `at` to `end`, which leads to the next one, swallowed others: a hint
   * names them, or one bit of a size explains them. A value may hold records of its own, but those
   * would hardly be of a time between this record's and the next one's. If they are not, and have
   * keys like this file's, both may be meant, and the answer is a warning.
   */
  swallowed(at: number, end: number): Decided | Decided['damage'] | undefined {
    const { evidence } = this;
    const chain = this.#chain;
    const anchor = evidence.anchorBetween(at, end);
    if (anchor >= 0 && evidence.leadsTo(anchor, end)) return this.#anchored(at, anchor);
    const explained = explainByOneBit(
      evidence,
      at,
      end - at,
      (next) => next < end && evidence.begins(next) === true && evidence.leadsTo(next, end),
    );
    if (!explained) return undefined;
    const head = this.#describe(at, explained);
    if (this.#timesAscend(at, explained.next, end)) return mended(chain, head, explained);
    const isNew = evidence.familiar.isNewKeySize(chain.keySize(explained.next));
    return isNew ? undefined : swallowing(head, end, explained);
  }

  /** A record stands at `at` by its sizes, whatever its time says. */
  stands(at: number): Promise<boolean> {
    return this.#stands(at, undefined, at);
  }

  async #stands(at: number, records: number | undefined, anchor: number): Promise<boolean> {
    const { evidence } = this;
    const chain = this.#chain;
    for (;;) {
      const answer = evidence.stands(at, records);
      if (answer !== MORE) return answer;
      if (chain.needed - at > chain.recordBytesMax) return false;
      await chain.fill(anchor, chain.needed - anchor);
    }
  }

  /** A header whose time would be like those before with one bit turned back. */
  #isMistimed(at: number): boolean {
    const chain = this.#chain;
    const { familiar } = this.evidence;
    return chain.hasHeader(at) && familiar.isNearlyTimely(chain.timestamp(at));
  }

  /** A time like those before, as far as it is there, or a header that was zeroed. */
  #looksLikeHeader(at: number): boolean {
    const chain = this.#chain;
    if (at + TIMESTAMP_BYTES > chain.end) return true;
    const time = chain.timestamp(at);
    if (this.evidence.familiar.isTimely(time)) return true;
    return time === 0 && chain.hasHeader(at) && chain.keySize(at) + chain.valueSize(at) === 0;
  }

  /** At `middle` stands a time between those of the records before and behind it. */
  #isBetween(before: number, middle: number, behind: number): boolean {
    const chain = this.#chain;
    const time = chain.timestamp(middle);
    return time >= chain.timestamp(before) && time <= chain.timestamp(behind);
  }

  /**
   * What would be between the record's end as it is, `next`, and as it is with one bit turned back,
   * is too short for a record, or its sizes are not far more usual as they are.
   */
  #isLikely(at: number, next: number, explained: Explained): boolean {
    if (explained.next - next <= HEADER_BYTES) return true;
    const { familiar } = this.evidence;
    const chain = this.#chain;
    const found = familiar.usual(chain.keySize(at), chain.valueSize(at));
    return found <= FAR_MORE_USUAL * familiar.usual(explained.keySize, explained.valueSize);
  }

  /** Times from the record at `at` over those at `from` and behind it up to `end` never go back. */
  #timesAscend(at: number, from: number, end: number): boolean {
    const chain = this.#chain;
    let last = chain.timestamp(at);
    for (let place = from; place >= 0 && chain.hasHeader(place); place = chain.next(place)) {
      const time = chain.timestamp(place);
      if (!(time >= last)) return false;
      if (place >= end) return true;
      last = time;
    }
    return true;
  }

  /** The file ends inside a record that is like those before, as an ordinary crash leaves it. */
  #isTorn(at: number, { keySize, valueSize }: Head): boolean {
    const { familiar } = this.evidence;
    const chain = this.#chain;
    if (chain.next(at) !== CUT || !familiar.hasFamiliarKey(chain, at)) return false;
    const needed = HEADER_BYTES + keySize + valueSize;
    return familiar.records < RECORDS_KNOWN_MIN || needed <= 2 * familiar.longest;
  }

  /** A record beyond the limit that leads to another one. */
  async #beyondLimit(head: Head): Promise<Decided | undefined> {
    const chain = this.#chain;
    const { source } = chain.window;
    const end = head.offset + HEADER_BYTES + head.keySize + head.valueSize;
    if (end - head.offset <= chain.recordBytesMax || end > chain.fileEnd || source.forwardOnly) {
      return undefined;
    }
    const bytes = new Uint8Array(HEADER_BYTES);
    const got = await source.read(bytes, 0, HEADER_BYTES, end);
    const time = got >= 8 ? new DataView(bytes.buffer).getFloat64(0, true) : Number.NaN;
    if (end < chain.fileEnd && !this.evidence.familiar.isTimely(time)) return undefined;
    return hole(chain, head, end, `the next record is at ${end}`);
  }

  async #searchBehind(head: Head, torn: boolean, earliest: number): Promise<Decided> {
    const { evidence } = this;
    const chain = this.#chain;
    const search = this.#search;
    const from = head.offset + 1;
    const lastRecord = this.#lastRecord;
    this.#lastRecord = undefined;
    search.zerosOnly = chain.bytes[head.offset - chain.base] === 0;
    const never = Number.POSITIVE_INFINITY;
    let found: number | undefined;
    if (torn) {
      // What a crash has cut may hold records of its own.
      const ends = (at: number) =>
        earliest > Number.NEGATIVE_INFINITY || evidence.leadsTo(at, chain.fileEnd);
      found = await search.find(from, never, undefined, earliest, ends);
    } else {
      found = await this.#findAny(head.offset, from);
      if (found !== undefined && chain.timestamp(found) < earliest) {
        const later = await search.find(found + 1, found + LATER_BYTES_MAX, found, earliest);
        if (later === undefined) this.#clockSetBack = true;
        found = later ?? found;
      }
    }
    if (found !== undefined) return this.#skipped(head, found);
    return tornTail(chain, head, chain.fileEnd, search.zerosOnly, undefined, lastRecord);
  }

  /** The next record of whatever time, be it by a clock of its own if this file's is not known. */
  async #findAny(anchor: number, from: number): Promise<number | undefined> {
    const search = this.#search;
    const chain = this.#chain;
    const never = Number.POSITIVE_INFINITY;
    const always = Number.NEGATIVE_INFINITY;
    const { familiar } = this.evidence;
    if (!familiar.isVague || this.#prospects-- <= 0) {
      return search.find(from, never, undefined, always);
    }
    const near = await search.find(from, from + LATER_BYTES_MAX, anchor, always);
    if (near !== undefined) return near;
    search.atSomeTime = true;
    const found = await search.find(from, never, undefined, always);
    search.atSomeTime = false;
    if (found !== undefined) familiar.noteTime(chain.timestamp(found));
    return found;
  }

  /**
   * Bytes behind the last record that begin no other may be the rest of it: the bit of a size with
   * which it would end where the file does. The record is kept as it is.
   */
  #endingWithFile(last: number): Explained | undefined {
    const chain = this.#chain;
    if (chain.end < chain.fileEnd) return undefined;
    const ends = (next: number) => next === chain.fileEnd;
    return explainByOneBit(this.evidence, last, this.#reach, ends);
  }

  #anchored(at: number, anchor: number): Decided {
    const evidence = `a hint says that a record begins at ${anchor}, and one does`;
    const explained = explainByOneBit(this.evidence, at, anchor - at, (next) => next === anchor);
    return hole(this.#chain, this.#describe(at, explained), anchor, evidence, explained);
  }

  #skipped(head: Head, next: number): Decided {
    return hole(this.#chain, head, next, `the next record is at ${next}`);
  }

  /** What stands at `at`; `explained` has the right sizes. */
  #describe(at: number, explained?: Explained): Head {
    const chain = this.#chain;
    const { familiar } = this.evidence;
    const timely = chain.hasHeader(at) && familiar.isTimely(chain.timestamp(at));
    let sizes: { keySize: number; valueSize: number } | undefined;
    if (explained?.only) sizes = explained;
    if (!explained && timely && familiar.hasFamiliarKey(chain, at)) {
      const keySize = chain.keySize(at);
      const isKnown = familiar.records < RECORDS_KNOWN_MIN || !familiar.isNewKeySize(keySize);
      if (isKnown) sizes = { keySize, valueSize: chain.valueSize(at) };
    }
    return describe(chain, this.file, at, timely, sizes);
  }

  #earliest(time: number): number {
    return this.#clockSetBack
      ? Number.NEGATIVE_INFINITY
      : this.evidence.familiar.earliestAfter(time);
  }

  get #reach(): number {
    const { longest } = this.evidence.familiar;
    return Math.min(Math.max(REACH_BYTES_MIN, 2 * longest), this.#chain.recordBytesMax);
  }
}
