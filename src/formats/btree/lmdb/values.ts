/** Rows of an LMDB tree: keys with their values, wherever those lie. */
import { bytesValue } from '../../bytes/value.ts';
import type { Check, Said } from '../check.ts';
import { BtreeRow, KIND, type RowVisitor, type TreeStat } from '../model.ts';
import type { Bounds } from '../range.ts';
import { u64 } from '../u64.ts';
import type { LmdbFile } from './file.ts';
import {
  FLAGS_AT,
  P_BRANCH,
  P_IGNORED,
  P_LEAF,
  P_LEAF2,
  P_OVERFLOW,
  PAGE_HEADER_BYTES,
  PAGES_AT,
} from './layout.ts';
import type { Database } from './meta.ts';
import { compareSpans, isReversed } from './order.ts';
import { LmdbPage } from './page.ts';

export type Key = Uint8Array | undefined;

export interface ValueOptions {
  readonly rows?: RowVisitor | undefined;
  readonly bounds?: Bounds | undefined;
  /** Pages before this one are taken for pages of the tree; unless given, up to the last in use. */
  readonly end?: number | undefined;
  /** Told where each value lies; of the free database. */
  readonly onValue?:
    | ((bytes: Uint8Array, start: number, end: number, page: number) => void)
    | undefined;
}

export class LmdbValues {
  readonly row = new BtreeRow();
  stat: TreeStat | undefined;
  stopped = false;
  /** Of several values: their key. */
  key: Uint8Array = new Uint8Array(0);
  readonly #sub = new LmdbPage();
  #big = new Uint8Array(0);

  constructor(
    readonly file: LmdbFile,
    readonly check: Check,
    readonly options: ValueOptions,
  ) {}

  get end(): number {
    return this.options.end ?? this.file.live.lastPage + 1;
  }

  plain(leaf: LmdbPage, page: number, i: number): void {
    if (this.stat) this.stat.keys++;
    const { options } = this;
    if (!options.rows && !options.onValue) return;
    const row = this.row;
    row.bytes = leaf.bytes;
    row.keyStart = leaf.keyStart(i);
    row.keyEnd = leaf.keyEnd(i);
    const from = row.keyEnd;
    const to = from + leaf.dataSize(i);
    options.onValue?.(leaf.bytes, from, to, page);
    row.page = page;
    row.slot = leaf.slot(i);
    const at = leaf.leaf2 ? row.keyStart : leaf.node(i);
    row.offset = page * this.file.pageSize + at - leaf.start;
    row.length = to - at;
    this.#emit(leaf.bytes, from, to);
  }

  /** One of several values of a key. */
  value(bytes: Uint8Array, start: number, end: number, page: number, slot: number): void {
    if (this.stat) this.stat.keys++;
    const row = this.row;
    row.bytes = this.key;
    row.keyStart = 0;
    row.keyEnd = this.key.length;
    row.page = page;
    row.slot = slot;
    row.offset = page * this.file.pageSize;
    row.length = end - start;
    this.#emit(bytes, start, end);
  }

  /** The row with its key filled in, and this value. */
  #emit(bytes: Uint8Array, start: number, end: number): void {
    const { rows, bounds } = this.options;
    if (!rows) return;
    const row = this.row;
    row.valueBytes = bytes;
    row.valueStart = start;
    row.valueEnd = end;
    const { from, to } = bounds ?? {};
    const { bytes: key, keyStart, keyEnd } = row;
    if (from && compareSpans(key, keyStart, keyEnd, from, 0, from.length, false) < 0) return;
    if (to && compareSpans(key, keyStart, keyEnd, to, 0, to.length, false) >= 0) return;
    rows.row(row);
    if (rows.done()) this.stopped = true;
  }

  /** Several values in a page within the node. Returns how many. */
  within(
    database: Database,
    leaf: LmdbPage,
    page: number,
    parent: number,
    i: number,
    from: number,
    to: number,
  ): number {
    const sub = this.#sub;
    this.key = leaf.key(i);
    const whole = sub.parse(leaf.bytes, leaf.view, from, to);
    const said = { page, parent };
    if (sub.count !== sub.stated) this.miscounted(sub, page, parent);
    if (!sub.leaf || !whole) {
      const expected = `a leaf of ${sub.count} values within ${to - from} bytes`;
      const actual = `flags ${sub.flags}, ${sub.nodes} of them`;
      this.lose('page-overflow', `the values of node ${leaf.slot(i)} cannot all be read`, {
        ...said,
        expected,
        actual,
      });
      if (!sub.leaf) return 0;
    }
    const reversed = isReversed(database.flags, true);
    this.keys(reversed, sub, page, parent, undefined, undefined, 0);
    for (let slot = 0; slot < sub.nodes && !this.stopped; slot++) {
      this.value(sub.bytes, sub.keyStart(slot), sub.keyEnd(slot), page, leaf.slot(i));
    }
    return sub.nodes;
  }

  /**
   * A value on pages of its own, one behind the other. Returns how many. What is there of one that
   * is cut off, or that ends in pages of another, is a row in part.
   */
  overflow(leaf: LmdbPage, page: number, i: number): number {
    const { file } = this;
    const { pages, pageSize } = file;
    const size = leaf.dataSize(i);
    const first = u64(leaf.view, leaf.keyEnd(i));
    const least = Math.floor((PAGE_HEADER_BYTES - 1 + size) / pageSize) + 1;
    const end = Math.min(file.pageCount, this.end);
    if (this.stat) this.stat.keys++;
    let count = 0;
    if (first < 2 || first + least > end) {
      const what = `the overflow pages of node ${leaf.slot(i)} lead out of the file`;
      this.lose('child-range', what, { page, expected: `2 to ${end - least}`, actual: first });
      if (first >= 2) count = Math.max(0, end - first);
    } else {
      if (!pages.load(first)) return 0;
      count = this.#run(first, least, end, page);
    }
    const own = this.#claimed(first, count, page);
    if (this.stat) this.stat.overflow += own;
    const { rows, onValue } = this.options;
    const whole = own >= least;
    if (whole && size > file.valueBytesMax) {
      const expected = `at most ${file.valueBytesMax}`;
      const said = { page: first, parent: page, expected, actual: size };
      if (rows || onValue) {
        this.tell('page-overflow', 'the value is longer than what is read whole', said);
      }
    }
    const there = Math.max(0, Math.min(least, own) * pageSize - PAGE_HEADER_BYTES);
    const length = Math.min(size, there, file.valueBytesMax);
    if (length === size) onValue?.(this.#bigOf(first, length), PAGE_HEADER_BYTES, size, page);
    if (!rows || (length < size && !rows.parts)) return whole ? own : 0;
    const row = this.row;
    row.bytes = leaf.bytes;
    row.keyStart = leaf.keyStart(i);
    row.keyEnd = leaf.keyEnd(i);
    row.page = page;
    row.slot = leaf.slot(i);
    row.offset = page * pageSize + leaf.node(i) - leaf.start;
    row.length = row.keyEnd + 8 - leaf.node(i);
    row.part = length < size;
    this.#emit(this.#bigOf(first, length), PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + length);
    row.part = false;
    return whole ? own : 0;
  }

  /** The beginning of the run that nobody else has. */
  #claimed(first: number, count: number, parent: number): number {
    const sure = count === 0 || this.#kindOf(first) === P_OVERFLOW;
    for (let n = 0; n < count; n++) {
      // A reference that leads astray takes no page from its tree.
      if (!sure && this.#isNode(first + n)) {
        this.check.lossy = true;
        return n;
      }
      if (this.check.claim(first + n, KIND.overflow)) continue;
      const said = { page: first + n, parent };
      this.lose('page-shared', 'a second reference to an overflow page', said);
      return n;
    }
    return count;
  }

  /** The page's flags; 0: it says that it is another page. */
  #kindOf(page: number): number {
    const { pages } = this.file;
    if (!pages.load(page) || u64(pages.view, pages.start) !== page) return 0;
    return pages.view.getUint16(pages.start + FLAGS_AT, true) & ~P_IGNORED;
  }

  #isNode(page: number): boolean {
    return [P_BRANCH, P_LEAF, P_LEAF | P_LEAF2].includes(this.#kindOf(page));
  }

  /** So many bytes of a value, behind the header of its first page. */
  #bigOf(first: number, length: number): Uint8Array {
    const { file } = this;
    const count = Math.ceil((PAGE_HEADER_BYTES + length) / file.pageSize);
    if (this.#big.length < count * file.pageSize) {
      this.#big = new Uint8Array(count * file.pageSize);
    }
    if (length > 0) file.readRun(first, count, this.#big);
    return this.#big;
  }

  /** How many pages the run in view has: a smaller value keeps the pages of the one before it. */
  #run(first: number, least: number, end: number, parent: number): number {
    const { view, start } = this.file.pages;
    const flags = view.getUint16(start + FLAGS_AT, true);
    const stated = view.getUint32(start + PAGES_AT, true);
    if ((flags & P_OVERFLOW) === 0 || u64(view, start) !== first) {
      const said = { page: first, parent, expected: P_OVERFLOW, actual: flags };
      this.tell('page-type', 'the page is no overflow page', said);
      return least;
    }
    if (stated >= least && first + stated <= end) return stated;
    const expected = `${least} to ${end - first}`;
    const said = { page: first, parent, at: PAGES_AT, length: 4, expected, actual: stated };
    this.tell('overflow-broken', 'the value cannot have so many overflow pages', said);
    return least;
  }

  /** Keys from `first` on ascend within [low, high). */
  keys(
    reversed: boolean,
    page: LmdbPage,
    number: number,
    parent: number,
    low: Key,
    high: Key,
    first: number,
  ): void {
    const { bytes, nodes } = page;
    if (nodes <= first) return;
    let start = page.keyStart(first);
    let end = page.keyEnd(first);
    if (low && compareSpans(bytes, start, end, low, 0, low.length, reversed) < 0) {
      this.#range(page, number, parent, first, low, high);
    }
    for (let i = first + 1; i < nodes; i++) {
      const next = page.keyStart(i);
      const nextEnd = page.keyEnd(i);
      if (compareSpans(bytes, start, end, bytes, next, nextEnd, reversed) >= 0) {
        const expected = { after: bytesValue(bytes, start, end) };
        const said = { page: number, parent, expected, actual: bytesValue(bytes, next, nextEnd) };
        this.tell('key-order', `key ${page.slot(i)} is not greater than the one before it`, said);
        break;
      }
      start = next;
      end = nextEnd;
    }
    if (high && compareSpans(bytes, start, end, high, 0, high.length, reversed) >= 0) {
      this.#range(page, number, parent, nodes - 1, low, high);
    }
  }

  #range(page: LmdbPage, number: number, parent: number, i: number, low: Key, high: Key): void {
    const expected = { from: low && bytesValue(low), to: high && bytesValue(high) };
    const said = { page: number, parent, expected, actual: bytesValue(page.key(i)) };
    this.tell('key-range', `key ${page.slot(i)} lies outside the separators above`, said);
  }

  /** It was read as the nodes that fill it. */
  miscounted({ count, stated }: LmdbPage, page: number, parent: number): void {
    const said = { page, parent, expected: count, actual: stated };
    this.tell('key-count', 'the page does not count its nodes right', said);
  }

  tell(code: string, what: string, said: Said): void {
    this.check.finding(code, what, said);
    if (this.options.rows?.done()) this.stopped = true;
  }

  lose(code: string, what: string, said: Said): void {
    this.check.lossy = true;
    this.tell(code, what, said);
  }
}
