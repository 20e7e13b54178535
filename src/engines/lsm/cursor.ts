/**
 * What stands on one entry at a time of something sorted in internal order: keys upwards, of one
 * key the highest number first. Its fields say where the entry is; they are void after the next
 * step.
 */
import { compareSpans } from '../../formats/bytes/spans.ts';

const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);

export abstract class Cursor {
  valid = false;
  keyBytes: Uint8Array = NOTHING;
  keyView: DataView = NO_VIEW;
  keyStart = 0;
  keyEnd = 0;
  seq = 0;
  type = 0;
  valueBytes: Uint8Array = NOTHING;
  valueView: DataView = NO_VIEW;
  valueStart = 0;
  valueEnd = 0;
  timestamp = Number.NaN;
  /**
   * Of two with the same key and number, which only sources without numbers have, the lower first.
   */
  rank = 0;

  /** To the first entry whose key is not before `key`; absent: to the first. */
  abstract seek(key?: Uint8Array): void;
  /** To the last entry whose key is before `key`; absent: to the last. */
  abstract seekBack(key?: Uint8Array): void;
  abstract next(): void;
  abstract previous(): void;
}

export function compareCursors(a: Cursor, b: Cursor): number {
  const keys = compareSpans(
    a.keyBytes,
    a.keyView,
    a.keyStart,
    a.keyEnd,
    b.keyBytes,
    b.keyView,
    b.keyStart,
    b.keyEnd,
  );
  return keys || b.seq - a.seq || a.rank - b.rank;
}

/** Several cursors as one: a heap, so that a step costs the logarithm of their number. */
export class MergingCursor {
  readonly #heap: Cursor[] = [];
  #forward = true;

  constructor(readonly cursors: readonly Cursor[]) {
    cursors.forEach((cursor, rank) => {
      cursor.rank = rank;
    });
  }

  /** The entry that is first; undefined: there is none any more. */
  get top(): Cursor | undefined {
    return this.#heap[0];
  }

  seek(key?: Uint8Array): void {
    for (const cursor of this.cursors) cursor.seek(key);
    this.#build(true);
  }

  seekBack(key?: Uint8Array): void {
    for (const cursor of this.cursors) cursor.seekBack(key);
    this.#build(false);
  }

  step(): void {
    const heap = this.#heap;
    const top = heap[0]!;
    if (this.#forward) top.next();
    else top.previous();
    if (!top.valid) {
      const last = heap.pop()!;
      if (last === top) return;
      heap[0] = last;
    }
    if (heap.length > 1) this.#sift(0);
  }

  #build(forward: boolean): void {
    this.#forward = forward;
    const heap = this.#heap;
    heap.length = 0;
    for (const cursor of this.cursors) if (cursor.valid) heap.push(cursor);
    for (let i = (heap.length >>> 1) - 1; i >= 0; i--) this.#sift(i);
  }

  #before(a: Cursor, b: Cursor): boolean {
    const order = compareCursors(a, b);
    return this.#forward ? order < 0 : order > 0;
  }

  #sift(from: number): void {
    const heap = this.#heap;
    for (let i = from; ; ) {
      let first = i;
      const left = 2 * i + 1;
      if (left < heap.length && this.#before(heap[left]!, heap[first]!)) first = left;
      if (left + 1 < heap.length && this.#before(heap[left + 1]!, heap[first]!)) first = left + 1;
      if (first === i) return;
      const moved = heap[i]!;
      heap[i] = heap[first]!;
      heap[first] = moved;
      i = first;
    }
  }
}
