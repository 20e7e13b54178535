/**
 * Looks into records of unfamiliar lengths, although the chain goes on behind them: a hit length
 * may lead to where lengths still fit. There are few such records in any log, hit or not.
 */
import type { WalDamage } from '../model.ts';
import { type Chain, leadsTo } from './chain.ts';
import { type Decided, describe, mended, skipped, swallowing } from './damage.ts';
import { explainByOneBit } from './explain.ts';
import type { Familiar } from './familiar.ts';
import { KEY_AT, LENGTH_BYTES } from './layout.ts';
import { Search } from './search.ts';
import { type SwapScale, WEIGHED_BYTES_MAX } from './swap.ts';

/** In bits: evidence for keys and values in each other's place that outweighs an unbroken chain. */
const SWAPPED_BITS = 40;
export class LookInto {
  constructor(
    readonly chain: Chain,
    readonly familiar: Familiar,
    readonly scale: SwapScale,
    readonly file: string,
  ) {}

  /**
   * Whether the record at `start`, whose lengths are unfamiliar, swallowed the beginning of others,
   * so that from its end on keys and values are read in each other's place: unbroken, and all
   * wrong.
   */
  async swallowed(start: number, end: number, reach: number): Promise<Decided | undefined> {
    const { chain } = this;
    // A pipe is not waited for: its records should appear as they come.
    if (!chain.window.source.forwardOnly) await chain.fill(start, end - start + WEIGHED_BYTES_MAX);
    const meets = this.#chainOfSwapped(end);
    if (!meets) return undefined;
    const explained = explainByOneBit(chain, start, reach, meets);
    if (explained) {
      // One of two neighbours: the later one, if a bit of its lengths explains as much.
      const later = this.#isNew(end) ? this.#chainOfSwapped(chain.next(end)) : undefined;
      if (later && explainByOneBit(chain, end, reach, later)) return undefined;
      return mended(chain, this.file, explained);
    }
    // That chain also begins at this very record's value, which is no news.
    const own = start + LENGTH_BYTES + chain.view.getUint32(start - chain.base);
    const search = new Search(chain);
    const takes = (at: number, short: boolean) => !short && at !== own && meets(at);
    const found = await search.find(start + 1, end, start, takes);
    return found === undefined
      ? undefined
      : skipped(chain, describe(chain, this.file, start), found);
  }

  /**
   * Whether the value of the record at `start`, whose lengths are unfamiliar, ends in whole records
   * like those before it, and one bit of a length makes the difference. Both may be meant, so
   * nothing is dropped.
   */
  landed(start: number, end: number, reach: number): WalDamage | undefined {
    const { chain, familiar } = this;
    const explained = explainByOneBit(
      chain,
      start,
      reach,
      (next) => next < end && familiar.leadsTo(chain, next, end, false),
    );
    return explained && swallowing(describe(chain, this.file, start), end, explained);
  }

  /** The record at `at`, if there is one, has unfamiliar lengths. */
  #isNew(at: number): boolean {
    const { view, base } = this.chain;
    if (this.chain.next(at) < 0) return false;
    const keyLength = view.getUint32(at - base);
    const valueLength = view.getUint32(at - base + KEY_AT + keyLength);
    return this.familiar.isNew(keyLength, valueLength);
  }

  /**
   * If much speaks for reading the fields from `at` on as value, key, value, …: whether a chain is
   * the one that reads them so. It goes through the place that is taken for the next record's
   * value_length.
   */
  #chainOfSwapped(at: number): ((from: number) => boolean) | undefined {
    const { chain } = this;
    if (!this.scale.tips(at, SWAPPED_BITS)) return undefined;
    const middle = at + LENGTH_BYTES + chain.view.getUint32(at - chain.base);
    return (from) => leadsTo(chain, from, middle);
  }
}
