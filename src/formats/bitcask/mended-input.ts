/** A store as it is when a plan's mends are put in, and what of it the plan drops. */

import { mendedSource, spanEnd } from '../copy-spans.ts';
import { openedBy } from '../file-set.ts';
import type { LedgerSpan } from '../format.ts';
import type { BitcaskOpened } from './model.ts';

export function mendedInput(
  input: BitcaskOpened,
  ledger: readonly Pick<LedgerSpan, 'file' | 'mends'>[],
): BitcaskOpened {
  const mends = new Map<string, { offset: number; hex: string }[]>();
  for (const span of ledger) {
    if (!span.mends || span.mends.length === 0) continue;
    mends.set(span.file, [...(mends.get(span.file) ?? []), ...span.mends]);
  }
  if (mends.size === 0) return input;
  const { set } = input;
  const open = (name: string) => mendedSource(set.open(name), mends.get(name) ?? []);
  return { ...input, set: openedBy(set, open) };
}

/** The dropped spans of one file. Asked about places in ascending order. */
export class Dropped {
  readonly #spans: readonly LedgerSpan[];
  #next = 0;
  #bytes = 0;

  constructor(ledger: readonly LedgerSpan[], file: string) {
    this.#spans = ledger.filter((span) => span.file === file && span.fate === 'dropped');
  }

  get any(): boolean {
    return this.#spans.length > 0;
  }

  /** Dropped bytes before `offset`; undefined: it is dropped itself. */
  before(offset: number): number | undefined {
    for (; this.#next < this.#spans.length; this.#next++) {
      const span = this.#spans[this.#next]!;
      if (spanEnd(span) > offset) break;
      this.#bytes += span.length;
    }
    const span = this.#spans[this.#next];
    return span && span.offset <= offset ? undefined : this.#bytes;
  }

  /** Of the whole file. */
  get total(): number {
    return this.#spans.reduce((sum, { length }) => sum + length, 0);
  }
}
