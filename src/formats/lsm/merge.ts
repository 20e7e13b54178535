/** The entries of some cursors in internal order: a heap, the first entry on top. */
import { compareEntries } from '../sstable/entry-copy.ts';
import type { EntryCursor } from './table-cursor.ts';

export class Merge {
  readonly #heap: EntryCursor[] = [];
  readonly #all: readonly EntryCursor[];
  #started = false;

  constructor(
    cursors: readonly EntryCursor[],
    readonly reverse: boolean,
  ) {
    this.#all = cursors;
  }

  close(): void {
    for (const cursor of this.#all) cursor.close();
  }

  /** The next entry if it is at hand without reading; undefined otherwise. */
  ready(): EntryCursor | undefined {
    const top = this.#heap[0];
    if (!top?.atHand || !top.stepWithin()) return undefined;
    if (this.#heap.length > 1) this.#sift(0);
    return this.#heap[0];
  }

  /** The next entry; undefined: that was all. */
  async next(): Promise<EntryCursor | undefined> {
    const heap = this.#heap;
    if (!this.#started) {
      this.#started = true;
      for (const cursor of this.#all) if (await cursor.next()) heap.push(cursor);
      for (let i = (heap.length >>> 1) - 1; i >= 0; i--) this.#sift(i);
      return heap[0];
    }
    const top = heap[0];
    if (!top) return undefined;
    if (!(await top.next())) {
      const last = heap.pop()!;
      if (heap.length === 0) return undefined;
      if (last !== top) heap[0] = last;
    }
    this.#sift(0);
    return heap[0];
  }

  /** Of entries that are the same in all, the one of the upper level is first. */
  #before(a: EntryCursor, b: EntryCursor): boolean {
    const order = compareEntries(a.block, a.index, b.block, b.index) || a.level - b.level;
    return this.reverse ? order > 0 : order < 0;
  }

  #sift(from: number): void {
    const heap = this.#heap;
    let i = from;
    for (;;) {
      let first = i;
      const left = 2 * i + 1;
      if (left < heap.length && this.#before(heap[left]!, heap[first]!)) first = left;
      if (left + 1 < heap.length && this.#before(heap[left + 1]!, heap[first]!)) first = left + 1;
      if (first === i) return;
      [heap[i], heap[first]] = [heap[first]!, heap[i]!];
      i = first;
    }
  }
}
