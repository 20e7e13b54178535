/** Walks the sparse index of a textbook table, entry by entry, through a window of its own. */
import { Window } from '../../bytes/window.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import { type FlatSpec, INDEX_OFFSET_BYTES, readKeyLength, readOffset } from './spec.ts';

export class IndexCursor {
  readonly #window: Window;
  #next: number;
  /** Of the entry that the cursor stands on: where it lies, and what it says. */
  at = 0;
  target = 0;
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  /** How many entries were passed, this one included. */
  count = 0;

  constructor(
    readonly spec: FlatSpec,
    source: ByteSource,
    context: ScanContext,
    from: number,
    /** Where the index ends. */
    readonly to: number,
  ) {
    this.#window = new Window(source, { limits: context.limits, signal: context.signal });
    this.#next = from;
  }

  /** Where the next entry begins; equal to `to` when all were passed. */
  get next(): number {
    return this.#next;
  }

  /** Goes to the next entry. False: there is none, or it does not fit before `to`. */
  async advance(): Promise<boolean> {
    const { spec, to } = this;
    const window = this.#window;
    const at = this.#next;
    const head = spec.keyLengthBytes;
    if (at + head + INDEX_OFFSET_BYTES > to) return false;
    // Most entries lie in the window as it is.
    if (at + head > window.end) await window.fill(at, head + INDEX_OFFSET_BYTES);
    const keyLength = readKeyLength(spec, window.view, at - window.base);
    const end = at + head + keyLength + INDEX_OFFSET_BYTES;
    if (end > to || end - at > window.context.limits.recordBytes) return false;
    if (end > window.end) await window.fill(at, end - at);
    if (end > window.end) return false; // cut while we read
    const p = at - window.base;
    this.at = at;
    this.bytes = window.bytes;
    this.keyStart = p + head;
    this.keyEnd = p + head + keyLength;
    this.target = readOffset(window.view, this.keyEnd);
    this.#next = end;
    this.count++;
    return true;
  }
}

export interface IndexEntry {
  at: number;
  target: number;
  key: Uint8Array;
}

/** The same with a look ahead. */
export class IndexAhead {
  readonly #cursor: IndexCursor;
  readonly #ahead: IndexEntry[] = [];

  constructor(spec: FlatSpec, source: ByteSource, context: ScanContext, from: number, to: number) {
    this.#cursor = new IndexCursor(spec, source, context, from, to);
  }

  /** The entry that comes `index` after the next; undefined: there is none. */
  async peek(index: number): Promise<IndexEntry | undefined> {
    const cursor = this.#cursor;
    while (this.#ahead.length <= index && (await cursor.advance())) {
      const key = cursor.bytes.slice(cursor.keyStart, cursor.keyEnd);
      this.#ahead.push({ at: cursor.at, target: cursor.target, key });
    }
    return this.#ahead[index];
  }

  async take(): Promise<IndexEntry | undefined> {
    await this.peek(0);
    return this.#ahead.shift();
  }
}

export interface IndexWalk {
  /** The entries end where the index does, and point upwards from the first entry on. */
  sound: boolean;
  count: number;
  /** Entries that are in order, before the first that is not. */
  soundUpTo: number;
  /** What is wrong, with both numbers. */
  fault?: string;
  faultAt?: number;
}

/** Walks the index [from, to) of entries that lie in [header, from). */
export async function walkIndex(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
  from: number,
  to: number,
): Promise<IndexWalk> {
  const cursor = new IndexCursor(spec, source, context, from, to);
  let last = -1;
  while (await cursor.advance()) {
    const { target, count, at } = cursor;
    const expected = count === 1 ? spec.headerBytes : undefined;
    const wrong = expected === undefined ? target <= last : target !== expected;
    if (wrong || target >= from) {
      const should = expected ?? `above ${last} and below ${from}`;
      const fault = `index entry ${count - 1} points to ${target}, expected ${should}`;
      return { sound: false, count, soundUpTo: count - 1, fault, faultAt: at };
    }
    last = target;
  }
  const { next, count } = cursor;
  if (next === to) return { sound: true, count, soundUpTo: count };
  const fault = `index entry ${count} at ${next} does not fit before the footer at ${to}`;
  return { sound: false, count, soundUpTo: count, fault, faultAt: next };
}
