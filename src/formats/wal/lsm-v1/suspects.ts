/**
 * Where a chain breaks, the record at the break may be the one that was hit, or one shortly before
 * it whose length was hit and led here. Suspects are the records before a break that are not handed
 * out yet.
 */
import { CUT, FILE_END, MORE, NO_RECORD } from '../../bytes/chain-window.ts';
import type { Chain } from './chain.ts';
import { LENGTH_BYTES } from './layout.ts';

/**
 * A chain from inside a suspect is followed for this many records, unless it passes the break
 * earlier.
 */
const FOLLOWED_RECORDS_MAX = 64;

/**
 * `torn`: the file ends inside a record like those before it, as an ordinary crash leaves it.
 * `cut`: it ends inside what may be a record, but one like none before. `absurd`: there is no
 * record.
 */
export type BreakKind = 'torn' | 'cut' | 'absurd';

export class Suspects {
  /** Where they begin, in order. */
  readonly starts: number[] = [];
  /** Where their values' lengths stand. */
  readonly #middles: number[] = [];
  /** Where the chain breaks; a suspect too, the first to be looked at. */
  breakAt = 0;
  /** What the chain breaks with. */
  kind: BreakKind = 'absurd';

  begin(): void {
    this.starts.length = 0;
    this.#middles.length = 0;
  }

  add(chain: Chain, start: number): void {
    this.starts.push(start);
    this.#addMiddle(chain, start);
  }

  breaks(chain: Chain, at: number, kind: BreakKind): void {
    this.breakAt = at;
    this.kind = kind;
    this.#addMiddle(chain, at);
  }

  /** The last suspect that begins before `offset`; the break itself, if it does. */
  before(offset: number): number {
    if (this.breakAt < offset) return this.breakAt;
    let found = this.breakAt;
    for (const start of this.starts) if (start < offset) found = start;
    return found;
  }

  /**
   * A chain from `from` bears out that a record begins there: it holds for `recordsMin` records,
   * goes past the break, and is not the chain that broke, nor the same with keys and values in each
   * other's place. Cut behind a key, a log ends exactly for those who read values as keys: that
   * proves nothing. `guilty` is the suspect whose lengths are in doubt; with `swapped`, those of
   * all are.
   */
  areOutdoneBy(
    chain: Chain,
    from: number,
    recordsMin: number,
    guilty: number,
    swapped: boolean,
  ): boolean {
    let at = from;
    for (let records = 0; records < FOLLOWED_RECORDS_MAX; records++) {
      if (at === this.breakAt || this.starts.includes(at)) return false;
      if (!swapped && this.#isMiddle(at, guilty)) return false;
      if (records >= recordsMin && at > this.breakAt) return true;
      const next = chain.next(at);
      switch (next) {
        case NO_RECORD:
          return false;
        case FILE_END:
          return records > 0;
        case CUT:
        case MORE:
          return records >= recordsMin;
        default:
          at = next;
      }
    }
    return true;
  }

  #isMiddle(at: number, guilty: number): boolean {
    const index = this.#middles.indexOf(at);
    return index >= 0 && (this.starts[index] ?? this.breakAt) !== guilty;
  }

  #addMiddle(chain: Chain, start: number): void {
    if (start + LENGTH_BYTES > chain.end) return;
    this.#middles.push(start + LENGTH_BYTES + chain.view.getUint32(start - chain.base));
  }
}
