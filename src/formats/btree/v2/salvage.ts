/**
 * All keys that can still be read, for a tree that is built anew. What the walk reaches is
 * streamed. Where it meets a page that cannot be read, the keys of a range are lost; for that
 * range, and for it alone, other leaves are looked at: first those that neither the tree nor the
 * free list has, which is what hung below the lost page; then free pages, which hold older copies.
 * Copy-on-write leaves many of those, so the later transaction goes first, and keys that lie
 * within what a later leaf spans and that it has not were deleted since.
 */
import { bytesValue } from '../../bytes/value.ts';
import { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import { checkFree } from './accounts.ts';
import type { Entry } from './build.ts';
import type { V2File } from './file.ts';
import { inside, type KeyRange, overlaps } from './key-range.ts';
import { META_PAGES } from './layout.ts';
import { type NewestRoot, newestRoot } from './lost-metas.ts';
import type { Meta } from './meta.ts';
import { isNewer } from './newer.ts';
import { V2Page } from './page.ts';
import { V2Walk } from './walk.ts';

/** A key that another leaf than those of the tree has. */
interface Held {
  key: Uint8Array;
  page: number;
  slot: number;
}

/** A leaf beside the tree. */
interface Spare {
  page: number;
  txn: number;
  /** In the free list: superseded, whatever it holds. */
  free: boolean;
}

/** A leaf that was looked at: what it spans and has not was deleted before it was written. */
interface Seen {
  page: number;
  txn: number;
  low: Uint8Array;
  high: Uint8Array;
}

/** Choices that are told one by one. */
const CHOICES_MAX = 100;

export class V2Salvage {
  readonly check: Check;
  /** Leaves of the tree, in order. */
  readonly stream: number[] = [];
  /** By page, cells whose value is lost. */
  readonly lostSlots = new Map<number, Set<number>>();
  readonly lost: KeyRange[] = [];
  /** By page, how many keys of it are taken over. */
  readonly taken = new Map<number, number>();
  readonly orphans = new Set<number>();
  /** By page, cells of leaves beside the tree that are not taken, though no free list has them. */
  readonly losers = new Map<number, Map<number, string>>();
  /** The first of them, in words. */
  readonly choices: string[] = [];
  conflicts = 0;
  /** Keys in free pages that a later leaf has, or has not any more. */
  superseded = 0;
  /** Of the tree that is taken, where no meta page says which. */
  root: number | undefined;
  /** The transaction whose tree is taken, where the live meta page is older than the file. */
  newer: number | undefined;
  liveKeys = 0;
  orphanKeys = 0;
  olderKeys = 0;
  /** Leaves of the tree whose keys do not follow the ones before. */
  readonly #disordered: number[] = [];
  readonly #held: Held[] = [];
  readonly #heldKeys = new Map<string, Held>();

  constructor(readonly file: V2File) {
    this.check = new Check(file, file.pageCount, () => {});
  }

  *collect(): Steps {
    const { file, check } = this;
    let last: Uint8Array | undefined;
    let newest: NewestRoot | undefined;
    let meta: Meta | undefined = file.live.fault === '' ? file.live : undefined;
    yield* newestRoot(file, (found) => (newest = found));
    if (meta && newest) {
      const { txn } = newest;
      yield* isNewer(file, newest, (is) => {
        if (is) this.newer = txn;
      });
    }
    if (!meta || this.newer !== undefined) meta = newest?.meta;
    if (meta) {
      const walk = new V2Walk(file, check, meta, undefined, undefined, {
        leaf: (page, leaf) => {
          const follows = !last || leaf.cells === 0 || leaf.compare(0, last) > 0;
          if (!follows || leaf.disorder() >= 0) {
            this.#disordered.push(page);
            return;
          }
          this.stream.push(page);
          this.liveKeys += leaf.cells;
          this.taken.set(page, leaf.cells);
          if (leaf.cells > 0) last = new Uint8Array(leaf.key(leaf.cells - 1));
        },
        lost: (low, high) => this.lost.push({ low, high }),
        lostValue: (page, slot, key) => this.#loseValue(page, slot, key),
      });
      yield* walk.run();
    }
    if (file.live.fault === '') yield* checkFree(file, check);
    else this.#loseAround(newest);
    for (const page of this.#disordered) this.#takeDisordered(page);
    if (this.lost.length > 0) yield* this.#spares();
    this.#held.sort((a, b) => Buffer.compare(a.key, b.key));
  }

  #loseValue(page: number, slot: number, key: Uint8Array): void {
    const slots = this.lostSlots.get(page) ?? new Set();
    this.lostSlots.set(page, slots.add(slot));
    const copy = new Uint8Array(key);
    this.lost.push({ low: copy, high: new Uint8Array(Buffer.concat([copy, Buffer.of(0)])) });
    // Leaves out of order are counted when they are taken.
    if (!this.taken.has(page)) return;
    this.taken.set(page, this.taken.get(page)! - 1);
    this.liveKeys--;
  }

  /** A root that was found may be that of a part: what lies around its keys is lost to it. */
  #loseAround(newest: NewestRoot | undefined): void {
    const full = this.stream.filter((page) => this.taken.get(page)! > 0);
    const [first, last] = [full[0], full.at(-1)];
    if (!newest || first === undefined || last === undefined) {
      this.lost.push({ low: undefined, high: undefined });
      return;
    }
    this.root = newest.meta.root;
    if (newest.sure) return;
    this.lost.push({ low: undefined, high: new Uint8Array(this.#open(first)!.key(0)) });
    const leaf = this.#open(last)!;
    const end = Buffer.concat([leaf.key(leaf.cells - 1), Buffer.of(0)]);
    this.lost.push({ low: new Uint8Array(end), high: undefined });
  }

  #takeDisordered(page: number): void {
    const leaf = this.#open(page);
    if (!leaf) return;
    let count = 0;
    for (let slot = 0; slot < leaf.cells; slot++) {
      if (this.lostSlots.get(page)?.has(slot)) continue;
      const key = new Uint8Array(leaf.key(slot));
      if (this.#giverOf(key)) {
        this.#tell(key, page, 'a key that the tree has twice: the first is kept');
        continue;
      }
      this.#hold(key, page, slot);
      count++;
    }
    this.taken.set(page, count);
    this.liveKeys += count;
  }

  #hold(key: Uint8Array, page: number, slot: number): void {
    const held = { key, page, slot };
    this.#held.push(held);
    this.#heldKeys.set(nameOf(key), held);
  }

  /** What has given it. Separators that are wrong lead to ranges that are not lost. */
  #giverOf(key: Uint8Array): Omit<Held, 'key'> | undefined {
    return this.#heldKeys.get(nameOf(key)) ?? this.#streamed(key);
  }

  #streamed(key: Uint8Array): Omit<Held, 'key'> | undefined {
    let low = 0;
    let high = this.stream.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const leaf = this.#open(this.stream[middle]!)!;
      if (leaf.cells > 0 && leaf.compare(0, key) > 0) high = middle;
      else low = middle + 1;
    }
    const page = this.stream[low - 1] ?? -1;
    const leaf = this.#open(page);
    for (let slot = 0; leaf && slot < leaf.cells; slot++) {
      if (leaf.compare(slot, key) !== 0) continue;
      return this.lostSlots.get(page)?.has(slot) ? undefined : { page, slot };
    }
    return undefined;
  }

  /** Leaves that are not of the tree, for what it has lost. */
  *#spares(): Steps {
    const { file, check } = this;
    const spares: Spare[] = [];
    for (let page = META_PAGES; page < file.pageCount; page++) {
      const kind = check.kindOf(page);
      const free = kind === KIND.free;
      if (page % 1024 === 0) yield page;
      if (!free && kind !== KIND.unknown) continue;
      if (!file.load(page) || !file.isWhole) continue;
      const leaf = this.#open(page);
      if (!leaf?.leaf || leaf.page !== page || leaf.cells < leaf.count || leaf.cells === 0)
        continue;
      spares.push({ page, txn: leaf.txn, free });
    }
    spares.sort((a, b) => Number(a.free) - Number(b.free) || b.txn - a.txn);
    const spans: Seen[] = [];
    for (const spare of spares) this.#takeSpare(spare, spans);
  }

  #takeSpare(spare: Spare, spans: Seen[]): void {
    const { page, txn, free } = spare;
    const leaf = this.#open(page)!;
    const low = new Uint8Array(leaf.key(0));
    const high = new Uint8Array(leaf.key(leaf.cells - 1));
    if (!this.lost.some((range) => overlaps(range, low, high))) return;
    const keys = Array.from({ length: leaf.cells }, (_, i) => new Uint8Array(leaf.key(i)));
    let count = 0;
    keys.forEach((key, slot) => {
      if (!this.lost.some((range) => inside(range, key))) return;
      const giver = this.#giverOf(key);
      const newer =
        giver ??
        spans.find((s) => Buffer.compare(key, s.low) >= 0 && Buffer.compare(key, s.high) <= 0);
      if (newer) {
        this.#giveWay(spare, slot, key, newer, giver);
        return;
      }
      const opened = this.#open(page)!;
      if (opened.inOverflow(slot) && !this.file.value(this.#copy(page), slot)) {
        if (!free) this.lostSlots.set(page, (this.lostSlots.get(page) ?? new Set()).add(slot));
        this.#tell(key, page, 'its value cannot be read there');
        return;
      }
      this.#hold(key, page, slot);
      count++;
      if (free) this.#tell(key, page, 'taken from an older copy: it may have changed since');
    });
    spans.push({ page, txn, low, high });
    if (count === 0) return;
    this.taken.set(page, count);
    this.orphans.add(page);
    if (free) this.olderKeys += count;
    else this.orphanKeys += count;
  }

  /** A key of a leaf beside the tree that a later one has given, or would have if there was one. */
  #giveWay(
    { page, txn, free }: Spare,
    slot: number,
    key: Uint8Array,
    newer: { page: number },
    giver: { page: number; slot: number } | undefined,
  ): void {
    if (free) {
      this.superseded++;
      return;
    }
    if (giver && this.#sameValue(page, slot, giver)) return;
    const later = `page ${newer.page} of transaction ${this.#open(newer.page)!.txn}`;
    const why = giver ? `${later} has another value` : `${later} has the keys around it, not this`;
    const reason = `of transaction ${txn}, not taken: ${why}`;
    const slots = this.losers.get(page) ?? new Map();
    this.losers.set(page, slots.set(slot, reason));
    this.#tell(key, page, reason);
  }

  #sameValue(page: number, slot: number, other: { page: number; slot: number }): boolean {
    const value = this.#valueOf(page, slot);
    const given = this.#valueOf(other.page, other.slot);
    return value !== undefined && given !== undefined && Buffer.compare(value, given) === 0;
  }

  #valueOf(page: number, slot: number): Uint8Array | undefined {
    const leaf = this.#copy(page);
    if (leaf.inOverflow(slot)) return this.file.value(leaf, slot);
    return leaf.bytes.subarray(leaf.keyEnd(slot), leaf.end[slot]);
  }

  #tell(key: Uint8Array, page: number, what: string): void {
    this.conflicts++;
    if (this.choices.length >= CHOICES_MAX) return;
    this.choices.push(`${JSON.stringify(bytesValue(key))} in page ${page}: ${what}`);
  }

  readonly #page = new V2Page();

  /** Valid until another page is looked at. */
  #open(page: number): V2Page | undefined {
    const { file } = this;
    if (!file.load(page)) return undefined;
    const { bytes, view, start, pageSize } = file.pages;
    this.#page.parse(bytes, view, start, pageSize);
    return this.#page;
  }

  #copy(page: number): V2Page {
    const { file } = this;
    file.load(page);
    const { bytes, start, pageSize } = file.pages;
    const copy = bytes.slice(start, start + pageSize);
    const leaf = new V2Page();
    leaf.parse(copy, new DataView(copy.buffer), 0, pageSize);
    return leaf;
  }

  /** All entries in key order, each key once. */
  *entries(): Generator<Entry> {
    let at = 0;
    for (const page of this.stream) {
      const leaf = this.#copy(page);
      for (let slot = 0; slot < leaf.cells; slot++) {
        const key = leaf.key(slot);
        while (at < this.#held.length && Buffer.compare(this.#held[at]!.key, key) < 0) {
          const { page: other, slot: there } = this.#held[at++]!;
          yield this.#entry(this.#copy(other), there);
        }
        if (!this.lostSlots.get(page)?.has(slot)) yield this.#entry(leaf, slot);
      }
    }
    while (at < this.#held.length) {
      const { page, slot } = this.#held[at++]!;
      yield this.#entry(this.#copy(page), slot);
    }
  }

  #entry(leaf: V2Page, slot: number): Entry {
    const { bytes } = leaf;
    const keyStart = leaf.keyStart(slot);
    const keyEnd = leaf.keyEnd(slot);
    if (!leaf.inOverflow(slot)) {
      const valueEnd = leaf.end[slot]!;
      return { bytes, keyStart, keyEnd, valueBytes: bytes, valueStart: keyEnd, valueEnd };
    }
    const value = this.file.value(leaf, slot)!;
    const valueEnd = value.length;
    return { bytes, keyStart, keyEnd, valueBytes: value, valueStart: 0, valueEnd };
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
