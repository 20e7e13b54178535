/**
 * The search for the next record when nothing explains a break: from byte to byte, up to an offset
 * at which one begins. A candidate costs a few steps whatever it leads to, so the cost is linear in
 * the bytes skipped.
 */
import { MORE } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import type { Evidence } from './evidence.ts';
import { HEADER_BYTES, KEY_SIZE_AT, TIMESTAMP_AT } from './layout.ts';

/** After so many bytes the search lets others have a turn, and looks whether it is still wanted. */
const STRIDE_BYTES = 1024 * 1024;

export class Search {
  /** Set before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;
  /** Set before a search where this file's clock is not known. */
  atSomeTime = false;
  readonly #chain: Chain;

  constructor(readonly evidence: Evidence) {
    this.#chain = evidence.chain;
  }

  /**
   * The first offset from `from` up to `to` at which a record of `earliest` or later begins and
   * `accept` agrees; undefined if there is none. Keeps the window from `anchor` on, from the
   * search's place if that is undefined.
   */
  async find(
    from: number,
    to: number,
    anchor: number | undefined,
    earliest: number,
    accept: (at: number) => boolean = () => true,
  ): Promise<number | undefined> {
    const chain = this.#chain;
    let at = from;
    while (at < to) {
      const kept = anchor ?? at;
      await chain.fill(kept, at - kept + HEADER_BYTES);
      if (!chain.hasHeader(at)) break;
      const stop = Math.min(to, at + STRIDE_BYTES);
      for (;;) {
        const candidate = this.#candidate(at, stop);
        if (this.zerosOnly) this.#lookForNonZero(at, candidate);
        at = candidate;
        if (at >= stop || !chain.hasHeader(at)) break;
        const answer = this.atSomeTime
          ? this.evidence.beginsAtSomeTime(at)
          : this.evidence.begins(at, earliest);
        if (answer === MORE) {
          const first = anchor ?? at;
          await chain.fill(first, chain.needed - first);
          continue;
        }
        if (answer && accept(at)) return at;
        at++;
      }
    }
    if (this.zerosOnly) this.#lookForNonZero(at, Math.min(chain.end, to));
    return undefined;
  }

  /**
   * The first offset from `at` on with a plausible time and key size, or that a hint names; `stop`
   * or near the window's end if there is none.
   */
  #candidate(at: number, stop: number): number {
    const { view, base, end, keyBytesMax } = this.#chain;
    const { familiar } = this.evidence;
    const low = this.atSomeTime ? 0 : familiar.low;
    const high = this.atSomeTime ? Number.MAX_VALUE : familiar.high;
    const last = Math.min(stop, end - HEADER_BYTES + 1, this.evidence.anchorAfter(at - 1)) - base;
    for (let p = at - base; p < last; p++) {
      const time = view.getFloat64(p + TIMESTAMP_AT, true);
      if (time >= low && time <= high && view.getUint32(p + KEY_SIZE_AT, true) <= keyBytesMax) {
        return base + p;
      }
    }
    return Math.max(at, base + last);
  }

  #lookForNonZero(from: number, to: number): void {
    const { bytes, base } = this.#chain;
    for (let p = from - base; p < to - base; p++) {
      if (bytes[p] !== 0) {
        this.zerosOnly = false;
        return;
      }
    }
  }
}
