/**
 * Put and delete in a tree whose pages are copied when they change: the way from the root to the
 * leaf is made writable first, then changed; splits and merges go up that way.
 */
import {
  IN_OVERFLOW,
  INTERIOR,
  INTERIOR_CELL_BYTES,
  isInline,
  LEAF,
  LEAF_CELL_BYTES,
  OVERFLOW_REF_BYTES,
  SLOT_BYTES,
} from '../../formats/btree/v2/layout.ts';
import type { Meta } from '../../formats/btree/v2/meta.ts';
import { separator } from '../../formats/btree/v2/separator.ts';
import { balance } from './balance.ts';
import type { Frame } from './frame.ts';
import { freeValue, readValue, writeValue } from './overflow.ts';
import type { Pager } from './pager.ts';
import { SearchKey } from './search.ts';

export class Tree {
  root: Frame | undefined;
  height: number;
  keys: number;
  readonly #search = new SearchKey();
  /** The way down: pages, and which child of each it goes to. */
  readonly path: Frame[] = [];
  readonly index: number[] = [];

  constructor(readonly pager: Pager) {
    const { height, keys } = pager.meta;
    this.root = rootOf(pager, pager.meta);
    this.height = height;
    this.keys = keys;
  }

  get(key: Uint8Array): Buffer | null {
    if (this.root === undefined || !this.#search.set(key)) return null;
    const { pager } = this;
    const search = this.#search;
    let frame = this.root;
    for (let level = this.height - 1; level > 0; level--) {
      const i = search.inInterior(frame);
      frame = pager.child(frame, i);
    }
    const i = search.inLeaf(frame);
    return i < 0 ? null : readValue(pager, frame, i);
  }

  /** Fills path and index; returns the cell in the leaf, or ~ of where it would be. */
  #descend(key: Uint8Array): number {
    const { path, index, pager } = this;
    this.#search.set(key);
    path.length = 0;
    index.length = 0;
    let frame = this.root!;
    path.push(frame);
    for (let level = this.height - 1; level > 0; level--) {
      const i = this.#search.inInterior(frame);
      index.push(i);
      frame = pager.child(frame, i);
      path.push(frame);
    }
    return this.#search.inLeaf(frame);
  }

  /** Makes the way down one of pages that may be changed. */
  #claim(): void {
    const { path, index, pager } = this;
    for (let depth = 0; depth < path.length; depth++) {
      const frame = pager.writable(path[depth]!);
      if (frame === path[depth]) continue;
      path[depth] = frame;
      if (depth === 0) this.root = frame;
      else path[depth - 1]!.setChild(index[depth - 1]!, frame.page, 0);
    }
  }

  /** True if the key was not there. */
  put(key: Uint8Array, value: Uint8Array): boolean {
    if (this.root === undefined) {
      this.root = this.pager.make(LEAF);
      this.height = 1;
    }
    let i = this.#descend(key);
    this.#claim();
    const leaf = this.path.at(-1)!;
    const found = i >= 0;
    if (found) {
      freeValue(this.pager, leaf, i);
      leaf.remove(i);
    } else {
      i = ~i;
      this.keys++;
    }
    const inline = isInline(this.pager.pageSize, key.length, value.length);
    const length = LEAF_CELL_BYTES + key.length + (inline ? value.length : OVERFLOW_REF_BYTES);
    let target = leaf;
    let at = leaf.insert(i, length);
    let right: Frame | undefined;
    if (at < 0) {
      const last = this.index.every((child, depth) => child === this.path[depth]!.count);
      right = this.pager.make(LEAF);
      const from = last && i === leaf.count ? i : middleOf(leaf);
      moveCells(leaf, from, right);
      const inRight = i > from || (i === from && from > 0 && right.count === 0);
      target = inRight ? right : leaf;
      at = target.insert(inRight ? i - from : i, length);
    }
    this.#fill(target, at, key, value, inline);
    if (right) {
      const between = separator(leaf.key(leaf.count - 1), right.key(0));
      this.#addChild(this.path.length - 2, between, right);
    } else if (found) balance(this, this.path.length - 1);
    return !found;
  }

  #fill(leaf: Frame, at: number, key: Uint8Array, value: Uint8Array, inline: boolean): void {
    const { view, bytes } = leaf;
    view.setUint16(at, key.length, true);
    bytes.set(key, at + LEAF_CELL_BYTES);
    const behind = at + LEAF_CELL_BYTES + key.length;
    if (inline) {
      view.setUint16(at + 2, value.length, true);
      bytes.set(value, behind);
      return;
    }
    const ref = writeValue(this.pager, value);
    view.setUint16(at + 2, IN_OVERFLOW, true);
    view.setUint32(behind, value.length, true);
    view.setUint32(behind + 4, ref.page, true);
    view.setUint32(behind + 8, ref.crc, true);
  }

  /** `right` comes behind the child that the way goes to. */
  #addChild(depth: number, key: Uint8Array, right: Frame): void {
    const { pager } = this;
    if (depth < 0) {
      const root = pager.make(INTERIOR, this.height);
      root.setChild(0, this.root!.page, 0);
      root.insertChild(0, key, right.page, 0);
      this.root = root;
      this.height++;
      return;
    }
    const page = this.path[depth]!;
    const i = this.index[depth]!;
    if (!page.isPlace(i, key)) throw pager.misplaced(right.page);
    if (page.insertChild(i, key, right.page, 0)) return;
    const last = this.index.slice(0, depth).every((child, d) => child === this.path[d]!.count);
    // The cell in the middle goes up: its child is the first of the new page.
    const up = last && i === page.count ? page.count - 1 : middleOf(page);
    const upKey = Buffer.from(page.key(up));
    const next = pager.make(INTERIOR, this.height - 1 - depth);
    next.setChild(0, page.child(up + 1), page.childCrc(up + 1));
    moveCells(page, up + 1, next);
    page.remove(up);
    if (i <= up) page.insertChild(i, key, right.page, 0);
    else next.insertChild(i - up - 1, key, right.page, 0);
    this.#addChild(depth - 1, upKey, next);
  }

  /** False if there is no such key. */
  delete(key: Uint8Array): boolean {
    if (this.root === undefined || !this.#search.set(key)) return false;
    const i = this.#descend(key);
    if (i < 0) return false;
    this.#claim();
    const leaf = this.path.at(-1)!;
    freeValue(this.pager, leaf, i);
    leaf.remove(i);
    this.keys--;
    balance(this, this.path.length - 1);
    return true;
  }
}

/** The page that a meta page calls the root. */
export function rootOf(pager: Pager, { root, rootCrc, height }: Meta): Frame | undefined {
  if (root === 0) return undefined;
  const frame = pager.get(root, rootCrc);
  if (frame.isTree && frame.level === height - 1) return frame;
  throw pager.corrupt(root, `is not the root of a tree of height ${height}`);
}

/** The first cell of the second half, by bytes; at least one stays in front of it. */
function middleOf(page: Frame): number {
  const { count, taken } = page;
  let before = 0;
  for (let i = 0; i < count; i++) {
    before += page.cellLength(i) + SLOT_BYTES;
    if (2 * before >= taken) return Math.max(1, page.isLeaf ? Math.min(i + 1, count - 1) : i);
  }
  return count - 1;
}

/** Cells from `from` on. */
function moveCells(page: Frame, from: number, to: Frame): void {
  const count = page.count;
  for (let i = from; i < count; i++) to.copyCell(page, i, i - from);
  for (let i = count - 1; i >= from; i--) page.remove(i);
}

/** What a separator takes in its page. */
export function childBytes(key: Uint8Array): number {
  return INTERIOR_CELL_BYTES + SLOT_BYTES + key.length;
}
