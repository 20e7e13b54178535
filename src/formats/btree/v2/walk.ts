/**
 * The walk through the tree of a meta page, from the root down and from left to right: rows and
 * damage alike, in key order. A page whose checksum is not the one that its parent knows is not
 * read at all: it is damaged, in the wrong place, or of another time.
 */
import { bytesValue } from '../../bytes/value.ts';
import type { Check, Said } from '../check.ts';
import { BtreeRow, KIND, type RowVisitor, type Steps, type TreeStat } from '../model.ts';
import { type Bounds, isBounded } from '../range.ts';
import type { V2File } from './file.ts';
import {
  CELLS_AT,
  HEADER_BYTES,
  INTERIOR,
  LEAF,
  META_PAGES,
  OVERFLOW,
  VALUE_BYTES_MAX,
} from './layout.ts';
import { hex, type Meta } from './meta.ts';
import { V2Page } from './page.ts';

type Key = Uint8Array | undefined;

export interface WalkListener {
  leaf?(page: number, leaf: V2Page): void;
  /** Keys from `low` to below `high` were in a page that cannot be read. */
  lost?(low: Key, high: Key): void;
  /** The value of this cell cannot be read. */
  lostValue?(page: number, slot: number, key: Uint8Array): void;
}

export class V2Walk {
  readonly #levels: V2Page[] = [];
  readonly #copies: Uint8Array[] = [];
  readonly #part = new V2Page();
  readonly #row = new BtreeRow();
  readonly stat: TreeStat;
  #before = -1;
  #stopped = false;

  constructor(
    readonly file: V2File,
    readonly check: Check,
    readonly meta: Meta,
    readonly bounds: Bounds = { from: undefined, to: undefined },
    readonly rows: RowVisitor | undefined = undefined,
    readonly listener: WalkListener = {},
  ) {
    const { root, height } = meta;
    this.stat = check.beginTree({ name: 'tree', kind: 'tree', root });
    this.stat.height = height;
    this.#row.tree = 'tree';
  }

  *run(): Steps {
    const { root, rootCrc, height, page } = this.meta;
    if (root !== 0) yield* this.#subtree(root, rootCrc, page, height - 1, undefined, undefined);
  }

  *#subtree(page: number, crc: number, parent: number, level: number, low: Key, high: Key): Steps {
    if (this.#stopped) return;
    const kind = level === 0 ? KIND.leaf : KIND.interior;
    if (!this.#enter(page, parent, kind) || !this.#isDue(page, crc, parent)) {
      this.#lose(low, high);
      return;
    }
    const opened = this.#open(page, parent, level);
    if (opened === undefined) {
      this.#lose(low, high);
      return;
    }
    this.stat.usedBytes += opened.used;
    this.stat.pageBytes += this.file.pageSize;
    this.#keys(opened, page, parent, low, high);
    if (level === 0) {
      yield* this.#leaf(opened, page);
      return;
    }
    this.stat.interior++;
    yield this.check.visited;
    const { from, to } = this.bounds;
    for (let i = 0; i <= opened.cells && !this.#stopped; i++) {
      const under = i === 0 ? low : opened.key(i - 1);
      const over = i < opened.cells ? opened.key(i) : high;
      if (from && over && Buffer.compare(over, from) <= 0) continue;
      if (to && under && Buffer.compare(under, to) >= 0) break;
      yield* this.#subtree(opened.child(i), opened.childCrc(i), page, level - 1, under, over);
    }
  }

  /** Range, and each page once. */
  #enter(page: number, parent: number, kind: number): boolean {
    const { meta, check } = this;
    const end = Math.min(meta.pages, this.file.pageCount);
    if (page < META_PAGES || page >= end) {
      const said = { page: parent, expected: `${META_PAGES} to ${end - 1}`, actual: page };
      this.#tell('child-range', `page ${page} is out of range`, said);
      return false;
    }
    if (check.claim(page, kind)) return true;
    const said = { page, parent, expected: 'a page not yet come to', actual: page };
    this.#tell('page-shared', 'a second reference to the page', said);
    return false;
  }

  /**
   * The checksum is right by itself, and the one that the parent knows. Takes the page into view.
   */
  #isDue(page: number, crc: number, parent: number): boolean {
    const { file } = this;
    if (!file.load(page)) return false;
    const actual = file.crcOf(page);
    const { view, start, bytes, pageSize } = file.pages;
    const stored = view.getUint32(start, true);
    if (actual === crc && stored === crc) return true;
    const said: Said = { page, parent, expected: hex(crc), actual: hex(actual) };
    this.#part.parse(bytes, view, start, pageSize);
    const { page: own, txn } = this.#part;
    if (actual === stored) {
      const what = `the page is whole, but another one than its parent leads to: that of transaction ${txn}`;
      this.#tell('page-stale', what, said);
    } else if (own !== page && file.crcOf(own) === stored) {
      const what = `page ${own} of transaction ${txn} stands in the place of page ${page}`;
      this.#tell('page-misplaced', what, { ...said, expected: page, actual: own });
    } else {
      const diagnosis = isBlank(bytes, start, pageSize) ? 'it is all zeros' : undefined;
      this.#tell('page-checksum', 'the checksum does not hold', { ...said, diagnosis });
    }
    return false;
  }

  /** Parses the page in view, in the copy of its level. */
  #open(page: number, parent: number, level: number): V2Page | undefined {
    const { bytes, start, pageSize } = this.file.pages;
    this.#copies[level] ??= new Uint8Array(pageSize);
    const opened = (this.#levels[level] ??= new V2Page());
    const copy = this.#copies[level];
    copy.set(bytes.subarray(start, start + pageSize));
    const fits = opened.parse(copy, new DataView(copy.buffer), 0, pageSize);
    const due = level === 0 ? LEAF : INTERIOR;
    if (opened.kind !== due || opened.level !== level) {
      const expected = { kind: due, level };
      const actual = { kind: opened.kind, level: opened.level };
      this.#tell('page-type', 'the page is not what its place asks for', {
        page,
        parent,
        expected,
        actual,
      });
      return undefined;
    }
    if (fits) {
      if (opened.isTidy) return opened;
      const what = 'the header does not say where the cells are, or what is free among them';
      const expected = { lowest: opened.lowest, used: opened.used };
      const actual = { lowest: opened.length, garbage: opened.garbage };
      this.#tell('page-overflow', what, {
        page,
        parent,
        at: CELLS_AT,
        length: 4,
        expected,
        actual,
      });
      return opened;
    }
    const what = `${opened.count} cells do not fit into the page`;
    const actual = `${opened.cells} whole cells`;
    this.#tell('page-overflow', what, { page, parent, expected: `${opened.count} cells`, actual });
    this.check.lossy = true;
    return opened;
  }

  #lose(low: Key, high: Key): void {
    this.check.lossy = true;
    this.listener.lost?.(low && new Uint8Array(low), high && new Uint8Array(high));
  }

  #keys(opened: V2Page, page: number, parent: number, low: Key, high: Key): void {
    const wrong = opened.disorder();
    if (wrong >= 0) {
      const expected = { after: bytesValue(opened.key(wrong - 1)) };
      const actual = bytesValue(opened.key(wrong));
      const what = `key ${wrong} is not greater than the one before it`;
      this.#tell('key-order', what, { page, parent, expected, actual });
    }
    const last = opened.cells - 1;
    if (last < 0) return;
    const under = low !== undefined && opened.compare(0, low) < 0;
    const over = high !== undefined && opened.compare(last, high) >= 0;
    if (!under && !over) return;
    const which = under ? 0 : last;
    const expected = { from: low && bytesValue(low), to: high && bytesValue(high) };
    const actual = bytesValue(opened.key(which));
    const what = `key ${which} lies outside the separators above`;
    this.#tell('key-range', what, { page, parent, expected, actual });
  }

  *#leaf(leaf: V2Page, page: number): Steps {
    const { stat, rows, listener, check } = this;
    const { from, to } = this.bounds;
    stat.leaves++;
    stat.keys += leaf.cells;
    if (this.#before >= 0 && page !== this.#before + 1) stat.jumps++;
    this.#before = page;
    listener.leaf?.(page, leaf);
    if (check.visited % 1024 === 0) yield check.visited;
    for (let i = 0; i < leaf.cells && !this.#stopped; i++) {
      const outside = (from && leaf.compare(i, from) < 0) || (to && leaf.compare(i, to) >= 0);
      if (outside) continue;
      const inline = this.file.rowOf(this.#row, leaf, page, i);
      if (!inline && !this.#overflow(leaf, page, i)) continue;
      rows?.row(this.#row);
      if (rows?.done()) this.#stopped = true;
    }
  }

  /** Claims the pages of a value, and puts it together if somebody wants it. */
  #overflow(leaf: V2Page, page: number, slot: number): boolean {
    const { file, rows, stat } = this;
    const { length, page: first, crc: firstCrc } = leaf.overflowOf(slot);
    const room = file.pageSize - HEADER_BYTES;
    const broken = (what: string, at: number, expected: unknown, actual: unknown): boolean => {
      this.#tell('overflow-broken', what, { page: at, parent: page, expected, actual });
      this.listener.lostValue?.(page, slot, leaf.key(slot));
      return false;
    };
    if (length > VALUE_BYTES_MAX) {
      const expected = `at most ${VALUE_BYTES_MAX} bytes`;
      return broken('the value is longer than the layout allows', page, expected, length);
    }
    let next = first;
    let crc = firstCrc;
    for (let done = 0; done < length; done += room) {
      const whole = this.#enter(next, page, KIND.overflow) && this.#isDue(next, crc, page);
      if (!whole) {
        this.listener.lostValue?.(page, slot, leaf.key(slot));
        return false;
      }
      stat.overflow++;
      const { bytes, view, start, pageSize } = file.pages;
      this.#part.parse(bytes, view, start, pageSize);
      const due = Math.min(room, length - done);
      if (this.#part.kind !== OVERFLOW)
        return broken('no overflow page', next, OVERFLOW, this.#part.kind);
      if (this.#part.length !== due) {
        return broken('the page has not its part of the value', next, due, this.#part.length);
      }
      next = this.#part.link;
      crc = this.#part.linkCrc;
    }
    if (next !== 0) return broken('the chain goes on behind the value', page, 0, next);
    if (!rows) return true;
    const value = file.value(leaf, slot);
    // Each of its pages was looked at just now.
    if (!value) return broken('the chain was changed while it was read', page, length, 'less');
    this.#row.valueBytes = value;
    this.#row.valueStart = 0;
    this.#row.valueEnd = length;
    return true;
  }

  #tell(code: string, what: string, said: Said): void {
    this.check.finding(code, what, said);
    if (this.rows?.done()) this.#stopped = true;
  }

  get isBounded(): boolean {
    return isBounded(this.bounds);
  }
}

function isBlank(bytes: Uint8Array, start: number, size: number): boolean {
  for (let at = start; at < start + size; at++) if (bytes[at] !== 0) return false;
  return true;
}
