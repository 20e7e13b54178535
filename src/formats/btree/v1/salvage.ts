/**
 * All keys that can still be read, for a tree that is built anew. Leaves that the walk reaches in
 * order are streamed; all others, leaves out of order and leaves that nobody leads to any more, are
 * held by their keys and merged in. Where several have the same key, what the live tree has wins:
 * it is newer than a leaf that it left behind. Among leaves left behind nothing tells which is
 * newer: the page that was allocated last, the one with the highest number, is taken.
 */
import { bytesValue } from '../../bytes/value.ts';
import { compareKeys } from '../../wal/btree-v1/page.ts';
import { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { Entry } from './bulk-load.ts';
import type { V1File } from './file.ts';
import { TYPE_LEAF } from './layout.ts';
import { isInternal, V1Page } from './page.ts';
import { V1Walk } from './walk.ts';

interface Held {
  key: Uint8Array;
  page: number;
  slot: number;
  live: boolean;
}

/** A value that another one won over. */
export interface Loser {
  page: number;
  slot: number;
  key: Uint8Array;
  /** The page whose value is kept. */
  winner: number;
  /** The value was the same: nothing is lost. */
  same: boolean;
}

export class Salvage {
  /** Reached and in order. */
  readonly stream: number[] = [];
  /** Reached, out of order. */
  readonly disordered = new Set<number>();
  readonly orphans = new Set<number>();
  readonly losers: Loser[] = [];
  liveKeys = 0;
  orphanKeys = 0;
  readonly #held: Held[] = [];
  readonly #page = new V1Page();
  readonly #other = new V1Page();

  constructor(readonly file: V1File) {}

  *collect(): Steps {
    const { file } = this;
    const check = new Check(file, file.pageCount, () => {});
    let last: Uint8Array | undefined;
    const walk = new V1Walk(file, check, undefined, undefined, {
      leaf: ({ page, ordered }) => {
        const leaf = this.#open(page, this.#other);
        if (!leaf) return;
        const { cells } = leaf;
        const follows = last === undefined || cells === 0 || leaf.compareTo(0, last) > 0;
        if (!ordered || !follows) {
          this.disordered.add(page);
          this.#hold(leaf, page, true);
        } else {
          this.stream.push(page);
          if (cells > 0) last = leaf.key(cells - 1);
        }
      },
    });
    yield* walk.run();
    for (let page = 1; page < file.pageCount; page++) {
      if (check.kindOf(page) === KIND.leaf && !this.#isLive(page))
        check.reclaim(page, KIND.unknown);
      // What was come to as an inner page may be a leaf whose type is wrong.
      if (check.reached(page) && check.kindOf(page) !== KIND.interior) continue;
      const leaf = this.#openLeaf(page);
      if (!leaf) continue;
      this.orphans.add(page);
      this.#hold(leaf, page, false);
      if (page % 1024 === 0) yield page;
    }
    this.#held.sort(
      (a, b) =>
        Buffer.compare(a.key, b.key) ||
        Number(b.live) - Number(a.live) ||
        b.page - a.page ||
        a.slot - b.slot,
    );
    this.#settle();
  }

  #isLive(page: number): boolean {
    return this.disordered.has(page) || this.stream.at(-1) === page || this.#streamed().has(page);
  }

  #streamedSet: Set<number> | undefined;
  #streamed(): Set<number> {
    this.#streamedSet ??= new Set(this.stream);
    return this.#streamedSet;
  }

  /**
   * A page that nobody leads to, if it is a leaf by its own word and by its bytes, or by its bytes
   * alone. An inner page that is read as a leaf has no value that is not empty.
   */
  #openLeaf(page: number): V1Page | undefined {
    const { pages, pageSize, pageCount } = this.file;
    const leaf = this.#open(page, this.#page);
    if (!leaf || leaf.cells < leaf.count || leaf.cells === 0) return undefined;
    this.#other.parse(pages.bytes, pages.view, pages.start, pageSize, false);
    const internal = isInternal(this.#other, pageCount);
    const empty = leaf.valueBytes === 0;
    if (leaf.type === TYPE_LEAF) return internal && empty ? undefined : leaf;
    return internal || empty || leaf.disorder() >= 0 ? undefined : leaf;
  }

  #open(page: number, into: V1Page): V1Page | undefined {
    const { pages, pageSize } = this.file;
    if (!pages.load(page)) return undefined;
    into.parse(pages.bytes, pages.view, pages.start, pageSize, true);
    return into;
  }

  #hold(leaf: V1Page, page: number, live: boolean): void {
    for (let slot = 0; slot < leaf.cells; slot++) {
      this.#held.push({ key: leaf.key(slot), page, slot, live });
    }
  }

  /** Goes through the merge once to know who wins. */
  #settle(): void {
    for (const _ of this.#merge((loser) => this.losers.push(loser))) {
      // The entries themselves are of no interest here.
    }
    const lost = new Map<number, number>();
    for (const { page } of this.losers) lost.set(page, (lost.get(page) ?? 0) + 1);
    const keysOf = (page: number) =>
      (this.#open(page, this.#page)?.cells ?? 0) - (lost.get(page) ?? 0);
    for (const page of this.stream) this.liveKeys += keysOf(page);
    for (const page of this.disordered) this.liveKeys += keysOf(page);
    for (const page of this.orphans) this.orphanKeys += keysOf(page);
  }

  /** All entries in key order, each key once. */
  entries(): Iterable<Entry> {
    return this.#merge(() => {});
  }

  *#merge(onLoser: (loser: Loser) => void): Generator<Entry> {
    const entry: Entry = {
      bytes: new Uint8Array(0),
      keyStart: 0,
      keyEnd: 0,
      valueStart: 0,
      valueEnd: 0,
    };
    let at = 0;
    for (const page of this.stream) {
      const count = this.#open(page, this.#page)?.cells ?? 0;
      for (let slot = 0; slot < count; slot++) {
        // The page may have left the cache while others were looked at.
        const leaf = this.#open(page, this.#page)!;
        const key = leaf.key(slot);
        while (at < this.#held.length && Buffer.compare(this.#held[at]!.key, key) < 0) {
          const [first, next] = this.#group(at, onLoser);
          at = next;
          yield this.#fill(entry, first.page, first.slot);
        }
        while (at < this.#held.length && Buffer.compare(this.#held[at]!.key, key) === 0) {
          onLoser(this.#loser(this.#held[at++]!, page, slot));
        }
        yield this.#fill(entry, page, slot);
      }
    }
    while (at < this.#held.length) {
      const [first, next] = this.#group(at, onLoser);
      at = next;
      yield this.#fill(entry, first.page, first.slot);
    }
  }

  /** Held entries with the same key: the first wins. */
  #group(at: number, onLoser: (loser: Loser) => void): [Held, number] {
    const first = this.#held[at]!;
    let next = at + 1;
    while (next < this.#held.length && Buffer.compare(this.#held[next]!.key, first.key) === 0) {
      onLoser(this.#loser(this.#held[next++]!, first.page, first.slot));
    }
    return [first, next];
  }

  #loser({ page, slot, key }: Held, winner: number, winningSlot: number): Loser {
    const mine = this.#open(page, this.#page)!;
    const value = mine.bytes.slice(mine.third[slot], mine.fourth[slot]);
    const won = this.#open(winner, this.#other)!;
    const from = won.third[winningSlot]!;
    const to = won.fourth[winningSlot]!;
    const same = compareKeys(value, 0, value.length, won.bytes, from, to) === 0;
    return { page, slot, key, winner, same };
  }

  #fill(entry: Entry, page: number, slot: number): Entry {
    const leaf = this.#open(page, this.#page)!;
    entry.bytes = leaf.bytes;
    entry.keyStart = leaf.keyStart[slot]!;
    entry.keyEnd = leaf.keyEnd[slot]!;
    entry.valueStart = leaf.third[slot]!;
    entry.valueEnd = leaf.fourth[slot]!;
    return entry;
  }

  /** Every choice, in words. */
  choices(): string[] {
    return this.losers
      .filter(({ same }) => !same)
      .map(({ key, page, winner }) => {
        const name = JSON.stringify(bytesValue(key));
        const live = !this.orphans.has(winner);
        const why = live ? 'of the live tree' : 'which of them is newer, nothing tells';
        return `${name}: the value in page ${winner} is kept (${why}), that in page ${page} set aside`;
      });
  }
}
