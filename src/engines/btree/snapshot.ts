/**
 * The tree as it was at one moment. Its pages are not changed and not used again until it is
 * closed: close it, or read it to its end.
 */
import { LEAF_CELL_BYTES } from '../../formats/btree/v2/layout.ts';
import type { Frame } from './frame.ts';
import { readValue } from './overflow.ts';
import type { Pager } from './pager.ts';
import { SearchKey } from './search.ts';

export interface ScanOptions {
  /** Inclusive and exclusive bounds, in byte order. */
  from?: Uint8Array | undefined;
  to?: Uint8Array | undefined;
  reverse?: boolean | undefined;
  limit?: number | undefined;
}

export interface KeyValue {
  key: Buffer;
  value: Buffer;
}

export class Snapshot {
  readonly #pager: Pager;
  readonly #root: Frame | undefined;
  readonly #onClose: () => void;
  readonly #search = new SearchKey();
  #closed = false;

  constructor(
    pager: Pager,
    root: Frame | undefined,
    readonly height: number,
    readonly size: number,
    onClose: () => void,
  ) {
    this.#pager = pager;
    this.#root = root;
    this.#onClose = onClose;
    pager.hold();
  }

  get(key: Uint8Array): Buffer | null {
    if (this.#root === undefined || !this.#search.set(key)) return null;
    let frame = this.#root;
    for (let level = this.height - 1; level > 0; level--) {
      const i = this.#search.inInterior(frame);
      frame = this.#pager.child(frame, i);
    }
    const i = this.#search.inLeaf(frame);
    return i < 0 ? null : readValue(this.#pager, frame, i);
  }

  /** Keys and values from `from` to below `to`, ascending or descending. */
  *scan({ from, to, reverse = false, limit = Number.POSITIVE_INFINITY }: ScanOptions = {}) {
    let left = limit;
    if (this.#root === undefined || left <= 0) return;
    for (const [leaf, at] of this.#cells(from, to, reverse)) {
      const cell = leaf.cell(at);
      const keyAt = cell + LEAF_CELL_BYTES;
      const key = Buffer.from(leaf.bytes.subarray(keyAt, keyAt + leaf.view.getUint16(cell, true)));
      yield { key, value: readValue(this.#pager, leaf, at) } as KeyValue;
      if (--left <= 0) return;
    }
  }

  *#cells(from: Uint8Array | undefined, to: Uint8Array | undefined, reverse: boolean) {
    const path: Frame[] = [];
    const index: number[] = [];
    const start = reverse ? to : from;
    /** The key that was told last: what comes next lies beyond it. */
    let last: Uint8Array | undefined;
    let leaves = 0;
    let frame = this.#root!;
    for (let level = this.height - 1; level > 0; level--) {
      const i = start ? this.#childAt(frame, start) : reverse ? frame.count : 0;
      path.push(frame);
      index.push(i);
      frame = this.#pager.child(frame, i);
    }
    let at = start ? this.#cellAt(frame, start) : reverse ? frame.count : 0;
    if (reverse) at--;
    const stop = reverse ? from : to;
    for (;;) {
      const step = reverse ? -1 : 1;
      const some = at >= 0 && at < frame.count;
      if (some) this.#checkPlace(frame, at, last ?? start, reverse, last === undefined);
      for (; at >= 0 && at < frame.count; at += step) {
        if (stop) {
          const order = Buffer.compare(frame.key(at), stop);
          if (reverse ? order < 0 : order >= 0) return;
        }
        yield [frame, at] as const;
      }
      if (some) last = frame.key(reverse ? 0 : frame.count - 1);
      const next = this.#nextLeaf(path, index, reverse);
      if (next === undefined) return;
      // However the pages lead to each other: a tree has no more leaves than pages.
      if (++leaves > this.#pager.high) {
        throw this.#pager.corrupt(next.page, 'is come to again and again');
      }
      frame = next;
      at = reverse ? frame.count - 1 : 0;
    }
  }

  /** A page has its keys in order; that pages have is looked at from one to the next. */
  #checkPlace(
    leaf: Frame,
    at: number,
    before: Uint8Array | undefined,
    reverse: boolean,
    orEqual: boolean,
  ): void {
    if (before === undefined) return;
    const order = Buffer.compare(leaf.key(at), before);
    if (reverse ? order < 0 : order > 0 || (orEqual && order === 0)) return;
    throw this.#pager.misplaced(leaf.page);
  }

  #childAt(frame: Frame, key: Uint8Array): number {
    // A bound may be longer than any key: then it lies behind all that begin as it does.
    return this.#search.set(key) ? this.#search.inInterior(frame) : search(frame, key, true);
  }

  /** The first cell that is not less. */
  #cellAt(frame: Frame, key: Uint8Array): number {
    if (!this.#search.set(key)) return search(frame, key, false);
    const at = this.#search.inLeaf(frame);
    return at < 0 ? ~at : at;
  }

  #nextLeaf(path: Frame[], index: number[], reverse: boolean): Frame | undefined {
    let depth = path.length - 1;
    while (depth >= 0 && index[depth] === (reverse ? 0 : path[depth]!.count)) depth--;
    if (depth < 0) return undefined;
    index[depth]! += reverse ? -1 : 1;
    let frame = path[depth]!;
    for (;;) {
      const i = index[depth]!;
      frame = this.#pager.child(frame, i);
      depth++;
      if (depth >= path.length) return frame;
      path[depth] = frame;
      index[depth] = reverse ? frame.count : 0;
    }
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    this.#pager.letGo();
  }
}

function search(frame: Frame, key: Uint8Array, orEqual: boolean): number {
  let i = 0;
  while (i < frame.count) {
    const order = Buffer.compare(frame.key(i), key);
    if (orEqual ? order > 0 : order >= 0) break;
    i++;
  }
  return i;
}
