/**
 * Decides about a break in the chain, by what loses least: one bit of one length, of the record at
 * the break or of one before it; else a record before it that swallowed others; else whatever lies
 * between the break and the next chain of records.
 */
import { CUT, FILE_END, NO_RECORD } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import { type Decided, describe, type Head, mended, skipped, tornTail } from './damage.ts';
import { type Explained, explainByOneBit } from './explain.ts';
import { Familiar } from './familiar.ts';
import { LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';
import { CHAIN_RECORDS, Search, SHORT_CHAIN_RECORDS } from './search.ts';
import type { BreakKind, Suspects } from './suspects.ts';
import type { SwapScale } from './swap.ts';

/** So many records behind a mended length bear it out. */
const BORN_OUT_RECORDS = 2;
/** So many records in a row are no list of strings in the value that a crash has cut. */
const LONG_CHAIN_RECORDS = 16;
/** In bits: evidence for keys and values in each other's place, shortly before a break. */
const SWAPPED_BITS = 20;

export class Examiner {
  readonly #search: Search;
  /** Of a log that is cut early: what the suspects look like, as nothing else is known. */
  #suspected: Familiar | undefined;
  /** See #endingWithFile. */
  #lastRecord: Explained | undefined;

  constructor(
    readonly chain: Chain,
    readonly familiar: Familiar,
    readonly scale: SwapScale,
    readonly file: string,
  ) {
    this.#search = new Search(chain);
  }

  describe(offset: number): Head {
    return describe(this.chain, this.file, offset);
  }

  /**
   * What the chain breaks with at `at`, by Chain.next's answer; `longest` is the longest record
   * before.
   */
  kindOfBreak(at: number, answer: number, longest: number): BreakKind {
    const { chain, familiar } = this;
    if (answer !== CUT) return 'absurd';
    const { keyLength, valueLength } = this.describe(at);
    const needed = OVERHEAD_BYTES + Math.max(0, keyLength) + Math.max(0, valueLength);
    return needed <= 2 * longest && familiar.isLike(chain, at) ? 'torn' : 'cut';
  }

  /** Explains the break out of what is in the window, which is kept from `anchor` on. */
  async explain(suspects: Suspects, anchor: number, reach: number): Promise<Decided | undefined> {
    const { chain } = this;
    const { breakAt, starts, kind } = suspects;
    const blank = this.familiar.isBlank && kind !== 'absurd';
    this.#suspected = blank ? learned(chain, starts) : undefined;
    const before = starts.toReversed();
    // A chain from inside a record, past the break, proves more than one that begins behind it.
    const inside = this.#oneBit(suspects, before, reach, (next) => next < breakAt);
    if (inside) return mended(chain, this.file, inside);
    const behind = (next: number) => next > breakAt;
    const own =
      this.#oneBit(suspects, [breakAt], reach, behind) ??
      (kind === 'absurd' ? this.#oneBit(suspects, [breakAt], reach) : undefined);
    const explained = own ?? this.#oneBit(suspects, before, reach, behind);
    if (explained && !(await this.#skipsRecords(suspects, anchor, explained.next))) {
      return mended(chain, this.file, explained);
    }
    const found = await this.#search.find(
      anchor + 1,
      breakAt,
      anchor,
      (at, short) =>
        !short &&
        suspects.areOutdoneBy(chain, at, CHAIN_RECORDS, -1, false) &&
        this.#isConvincing(at, kind),
    );
    if (found !== undefined) return this.#hole(this.describe(suspects.before(found)), found);
    this.#lastRecord = this.#endingWithFile(suspects, reach);
    return undefined;
  }

  /**
   * The first of `starts` with a length that one bit mends, so that it leads to where `where`
   * allows; without that, to records that need not be like those before.
   */
  #oneBit(
    suspects: Suspects,
    starts: readonly number[],
    reach: number,
    where?: (next: number) => boolean,
  ): Explained | undefined {
    const { chain } = this;
    const { breakAt, kind } = suspects;
    for (const start of starts) {
      const swapped = this.scale.tips(chain.next(start), SWAPPED_BITS);
      const bornOut = (next: number): boolean => {
        if (where && !where(next)) return false;
        const recordsMin = next < breakAt ? CHAIN_RECORDS : BORN_OUT_RECORDS;
        if (!suspects.areOutdoneBy(chain, next, recordsMin, start, swapped)) return false;
        return (!where || this.#isConvincing(next, kind)) && !this.scale.tipsInSearch(next);
      };
      const explained = explainByOneBit(chain, start, reach, bornOut);
      if (explained) return explained;
    }
    return undefined;
  }

  /** Between the break and `next` known records can be read that lead there: then less is lost. */
  async #skipsRecords({ breakAt }: Suspects, anchor: number, next: number): Promise<boolean> {
    const { chain, familiar } = this;
    const found = await this.#search.find(breakAt, next, anchor, (at) =>
      familiar.leadsTo(chain, at, next, true),
    );
    return found !== undefined;
  }

  /** A chain of records from `at` on is better evidence than a break of this kind is for itself. */
  #isConvincing(at: number, kind: BreakKind): boolean {
    const { chain, familiar } = this;
    if (kind === 'torn') return familiar.leadsTo(chain, at, chain.fileEnd, true);
    if (kind === 'absurd') return familiar.resembles(chain, at);
    const answer = chain.walk(at, LONG_CHAIN_RECORDS);
    if (answer !== 0 && answer !== FILE_END) return false;
    if (chain.records >= CHAIN_RECORDS) return familiar.resembles(chain, at);
    return (this.#suspected ?? familiar).resembles(chain, at, true);
  }

  /**
   * Searches behind a break that nothing before it explains. Where the damaged record's value may
   * still be, which is up to the end of the file if that cuts it and else `longest` bytes, a chain
   * must be of records like those before: a value may hold chains of its own.
   */
  async searchBehind(head: Head, kind: BreakKind, longest: number): Promise<Decided> {
    const { chain } = this;
    const search = this.#search;
    // Taken now: the window moves on.
    const explained = this.#toFileEnd(head.offset);
    search.zerosOnly = true;
    const valueEnd = kind === 'absurd' ? head.offset + longest : Number.POSITIVE_INFINITY;
    const found = await search.find(
      head.offset,
      Number.POSITIVE_INFINITY,
      undefined,
      (at, short) =>
        short
          ? kind === 'absurd' && this.familiar.knows(chain, at, SHORT_CHAIN_RECORDS)
          : at > valueEnd || this.#isConvincing(at, kind),
    );
    if (found !== undefined) return this.#hole(head, found);
    const end = chain.fileEnd;
    const damage = tornTail(chain, head, end, search.zerosOnly, explained, this.#lastRecord);
    return { damage, next: end };
  }

  /**
   * The chain found at `found` may be one of values read as keys: then it begins one field later.
   */
  #hole(head: Head, found: number): Decided {
    const { chain } = this;
    if (this.scale.tipsInSearch(found)) {
      const later = found + LENGTH_BYTES + chain.view.getUint32(found - chain.base);
      if (chain.next(later) !== NO_RECORD) return skipped(chain, head, later);
    }
    return skipped(chain, head, found);
  }

  /**
   * Bytes behind the last record that cannot be the beginning of another may be the rest of it: the
   * bit of its length with which it would end where the file does. The record is kept as it is.
   */
  #endingWithFile(suspects: Suspects, reach: number): Explained | undefined {
    const { chain } = this;
    const last = suspects.starts.at(-1);
    if (last === undefined || suspects.kind !== 'absurd' || chain.end < chain.fileEnd)
      return undefined;
    const explained = explainByOneBit(chain, last, reach, (next) => next === chain.fileEnd);
    return explained?.only ? explained : undefined;
  }

  /**
   * The one bit with which the record at `start` would end where the file does, if its lengths are
   * absurd.
   */
  #toFileEnd(start: number): Explained | undefined {
    const { chain } = this;
    if (chain.next(start) !== NO_RECORD || chain.end < chain.fileEnd) return undefined;
    const reach = chain.fileEnd - start;
    return explainByOneBit(chain, start, reach, (next) => next === chain.fileEnd);
  }
}

function learned(chain: Chain, starts: readonly number[]): Familiar {
  const familiar = new Familiar();
  for (const start of starts) familiar.learn(chain, start);
  return familiar;
}
