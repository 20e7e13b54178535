/**
 * The search for the next record when no single bit explains a break: from byte to byte, up to an
 * offset from which a chain of several records holds. A candidate costs at most CHAIN_RECORDS steps
 * whatever it leads to, so the cost is linear in the bytes skipped.
 */
import { CUT, FILE_END, MORE } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import { LENGTH_BYTES } from './layout.ts';

/** So many records in a row are no chance. */
export const CHAIN_RECORDS = 4;
/**
 * A chain of so many is believed if the file ends inside the next record, or if the keys are known.
 */
export const SHORT_CHAIN_RECORDS = 2;
/** After so many bytes the search lets others have a turn, and looks whether it is still wanted. */
const STRIDE_BYTES = 1024 * 1024;

export class Search {
  /** Set before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;

  constructor(readonly chain: Chain) {}

  /**
   * The first offset from `from` up to `to` at which a chain of records begins; undefined if there
   * is none. Keeps the window from `anchor` on, from the search's place if that is undefined.
   * `accept` is asked about chains that hold, and about shorter ones.
   */
  async find(
    from: number,
    to: number,
    anchor: number | undefined,
    accept: (at: number, short: boolean) => boolean = (_at, short) => !short,
  ): Promise<number | undefined> {
    const { chain } = this;
    let at = from;
    while (at < to) {
      await chain.fill(anchor ?? at, at - (anchor ?? at) + LENGTH_BYTES);
      if (at + LENGTH_BYTES > chain.end) break;
      const stop = Math.min(to, at + STRIDE_BYTES);
      for (;;) {
        const candidate = this.#candidate(at, stop);
        if (this.zerosOnly) this.#lookForNonZero(at, candidate);
        at = candidate;
        if (at >= stop || at + LENGTH_BYTES > chain.end) break;
        const answer = chain.walk(at, CHAIN_RECORDS);
        if (answer === MORE) {
          await chain.fill(anchor ?? at, chain.needed - (anchor ?? at));
          continue;
        }
        if (chain.records >= SHORT_CHAIN_RECORDS || answer === FILE_END) {
          if (accept(at, !this.#isStrong(answer))) return at;
        }
        at++;
      }
    }
    if (this.zerosOnly) this.#lookForNonZero(at, Math.min(chain.end, to));
    return undefined;
  }

  /** True if the walk just done is evidence enough that records begin where it did. */
  #isStrong(answer: number): boolean {
    const { records } = this.chain;
    if (answer === FILE_END) return records > 0;
    if (answer === CUT) return records >= SHORT_CHAIN_RECORDS;
    return answer === 0;
  }

  /**
   * The first offset from `at` on with a plausible key length; `stop` or near the window's end if
   * none.
   */
  #candidate(at: number, stop: number): number {
    const { view, base, end, keyBytesMax } = this.chain;
    const last = Math.min(stop, end - LENGTH_BYTES + 1) - base;
    for (let p = at - base; p < last; p++) {
      if ((view.getUint32(p) - 1) >>> 0 < keyBytesMax) return base + p;
    }
    return Math.max(at, base + last);
  }

  #lookForNonZero(from: number, to: number): void {
    const { bytes, base } = this.chain;
    for (let p = from - base; p < to - base; p++) {
      if (bytes[p] !== 0) {
        this.zerosOnly = false;
        return;
      }
    }
  }
}
