/**
 * What a lost block means: between which keys entries are missing, and which tables beside this one
 * hold entries of that interval that would show through in their place.
 */

import type { ScanContext } from '../format.ts';
import { numberOrDigits } from '../wal/dump.ts';
import type { EntryBlock } from './entry-block.ts';
import type { TableDamage, TableOpened } from './model.ts';
import { shown } from './order.ts';
import { probeTable } from './probe.ts';
import { keyRange, TableCursor } from './range.ts';
import { openSeekable } from './seekable.ts';

const INTERVALS_TOLD_MAX = 20;
const SIBLINGS_MAX = 64;
/** So many entries of a sibling are counted in an interval. */
const ENTRIES_COUNTED_MAX = 10_000;

interface Interval {
  file: string;
  offset: number;
  length: number;
  entriesAtMost: number | undefined;
  /** Last key before and first key behind the damage; both are there still. */
  after: Uint8Array | undefined;
  before: Uint8Array | undefined;
  bounds: KeyBounds | undefined;
}

/** First and last key of a table, where something else knows them: a manifest. */
export interface KeyBounds {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

export class LostKeys {
  readonly #intervals: Interval[] = [];
  #more = 0;
  #file = '';
  #bounds: KeyBounds | undefined;
  #lastKey: Uint8Array | undefined;
  #open: Interval | undefined;

  constructor(
    readonly input: TableOpened,
    readonly context: ScanContext,
  ) {}

  begin(file: string, bounds?: KeyBounds): void {
    this.#file = file;
    this.#bounds = bounds;
    this.#lastKey = undefined;
    this.#open = undefined;
  }

  block(block: EntryBlock): void {
    if (block.count === 0) return;
    if (this.#open) this.#close(block.key(0).slice());
    this.#lastKey = block.key(block.count - 1).slice();
  }

  damage(damage: TableDamage): void {
    const { offset, length, entriesAtMost } = damage;
    if (this.#open) {
      this.#open.length = offset + length - this.#open.offset;
      this.#open.entriesAtMost = sum(this.#open.entriesAtMost, entriesAtMost);
      return;
    }
    const [file, bounds] = [this.#file, this.#bounds];
    const ends = { after: this.#lastKey, before: undefined, bounds };
    this.#open = { file, offset, length, entriesAtMost, ...ends };
  }

  end(): void {
    if (this.#open) this.#close(undefined);
  }

  #close(before: Uint8Array | undefined): void {
    if (this.#intervals.length < INTERVALS_TOLD_MAX) {
      this.#intervals.push({ ...this.#open!, before });
    } else this.#more++;
    this.#open = undefined;
  }

  /** In words. */
  async told(): Promise<string[]> {
    const lines: string[] = [];
    for (const interval of this.#intervals) {
      const { file, offset, length, entriesAtMost } = interval;
      const most =
        entriesAtMost !== undefined && Number.isFinite(entriesAtMost)
          ? `at most ${entriesAtMost} entries`
          : 'entries';
      lines.push(
        `${file} @ ${offset} +${length}: ${most} with keys ${between(interval)} are lost: older values of them show, deleted keys come back`,
      );
      lines.push(...(await this.#siblings(interval)));
    }
    if (this.#more > 0) lines.push(`… and ${this.#more} more losses, see the ledger`);
    return lines;
  }

  /** Tables beside this one with entries in the interval. */
  async #siblings(interval: Interval): Promise<string[]> {
    const { input, context } = this;
    const { dialect, set } = input;
    const lines: string[] = [];
    const others = set.siblings.filter(
      ({ name }) => name !== interval.file && dialect.fileName.test(name),
    );
    for (const file of others.slice(0, SIBLINGS_MAX)) {
      if (!(await probeTable(dialect, set, file))) continue;
      const source = await openSeekable(input, file, context.limits);
      try {
        const table = await dialect.open(source, context);
        const { after, before, bounds } = interval;
        const range = { from: after ?? bounds?.first, to: before ?? behind(bounds?.last) };
        const cursor = new TableCursor(table, range, false, () => {});
        let entries = 0;
        let seq: { high: number; low: number } | undefined;
        while (entries < ENTRIES_COUNTED_MAX && (await cursor.next())) {
          const { block, index } = cursor;
          // The key at the lower end is there still.
          if (interval.after && block.compareKey(index, interval.after) === 0) continue;
          entries++;
          seq ??= { high: block.seqHigh[index]!, low: block.seqLow[index]! };
        }
        if (entries === 0) continue;
        const digits =
          seq && dialect.hasSeq ? (BigInt(seq.high) << 32n) | BigInt(seq.low) : undefined;
        const of =
          digits === undefined ? '' : ` (the first has seq ${numberOrDigits(String(digits))})`;
        const more = entries >= ENTRIES_COUNTED_MAX ? 'over ' : '';
        lines.push(
          `  ${file.name} has ${more}${entries} entries in that interval${of}: where they are older than what is lost, they show through`,
        );
      } finally {
        source.close?.();
      }
    }
    return lines;
  }
}

/** The key that follows in byte order. */
function behind(key: Uint8Array | undefined): Uint8Array | undefined {
  return key && keyRange(key).to;
}

function between({ after, before, bounds }: Interval): string {
  if (after && before) return `between ${shown(after)} and ${shown(before)}`;
  if (after && bounds) return `behind ${shown(after)}, up to ${shown(bounds.last)}`;
  if (before && bounds) return `from ${shown(bounds.first)} on, before ${shown(before)}`;
  if (bounds) return `from ${shown(bounds.first)} to ${shown(bounds.last)}`;
  if (after) return `behind ${shown(after)}`;
  return before ? `before ${shown(before)}` : 'of any kind';
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
