/**
 * Keys and values in the order of the keys, either way, as they were at one number: what is
 * written, flushed or compacted later is not seen. It keeps the tables that it reads.
 */
import { compareBytes, isDeletion } from '../../formats/sstable/entry-block.ts';
import { prefixRange } from '../../formats/sstable/range.ts';
import { type Cursor, MergingCursor } from './cursor.ts';
import { covers, type RangeDeletion } from './range-deletions.ts';
import type { TableFile } from './table-file.ts';

export interface ScanOptions {
  /** Inclusive and exclusive bounds, in byte order. */
  from?: Uint8Array | undefined;
  to?: Uint8Array | undefined;
  prefix?: Uint8Array | undefined;
  reverse?: boolean | undefined;
  limit?: number | undefined;
}

export interface KeyValue {
  key: Buffer;
  value: Buffer;
}

export interface ScanSources {
  seq: number;
  cursors: readonly Cursor[];
  ranges: readonly RangeDeletion[];
  tables: readonly TableFile[];
}

export class Scan implements Iterable<KeyValue> {
  readonly #sources: ScanSources;
  readonly #cursor: MergingCursor;
  readonly #from: Uint8Array | undefined;
  readonly #to: Uint8Array | undefined;
  readonly #reverse: boolean;
  #left: number;
  #started = false;
  #open = true;
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;

  constructor(sources: ScanSources, options: ScanOptions) {
    this.#sources = sources;
    this.#cursor = new MergingCursor(sources.cursors);
    const { from, to } = bounds(options);
    this.#from = from;
    this.#to = to;
    this.#reverse = options.reverse ?? false;
    this.#left = options.limit ?? Number.POSITIVE_INFINITY;
    for (const table of sources.tables) table.pin();
  }

  /** Ends the scan, however it is left. Throws `corrupt`. */
  *[Symbol.iterator](): Generator<KeyValue> {
    try {
      for (let pair = this.next(); pair; pair = this.next()) yield pair;
    } finally {
      this.close();
    }
  }

  /** The next pair, the caller's to keep; undefined: there is none. */
  next(): KeyValue | undefined {
    if (!this.#open || this.#left <= 0) return undefined;
    if (!this.#started) {
      this.#started = true;
      if (this.#reverse) this.#cursor.seekBack(this.#to);
      else this.#cursor.seek(this.#from);
    }
    const pair = this.#reverse ? this.#backwards() : this.#forwards();
    if (pair) this.#left--;
    return pair;
  }

  /** Of each key the newest entry comes first: the first one that is not too new decides. */
  #forwards(): KeyValue | undefined {
    const cursor = this.#cursor;
    const { seq } = this.#sources;
    const to = this.#to;
    for (let top = cursor.top; top; top = cursor.top) {
      const { keyBytes, keyStart, keyEnd } = top;
      if (to && compareBytes(keyBytes, keyStart, keyEnd, to, 0, to.length) >= 0) return undefined;
      if (top.seq > seq) {
        cursor.step();
        continue;
      }
      const pair = this.#live(top) ? pairOf(top) : undefined;
      this.#take(top);
      do cursor.step();
      while (cursor.top && this.#isTaken(cursor.top));
      if (pair) return pair;
    }
    return undefined;
  }

  /** Of each key the oldest entry comes first: the last one that is not too new decides. */
  #backwards(): KeyValue | undefined {
    const cursor = this.#cursor;
    const { seq } = this.#sources;
    const from = this.#from;
    for (let top = cursor.top; top; top = cursor.top) {
      const { keyBytes, keyStart, keyEnd } = top;
      if (from && compareBytes(keyBytes, keyStart, keyEnd, from, 0, from.length) < 0)
        return undefined;
      this.#take(top);
      let pair: KeyValue | undefined;
      do {
        if (cursor.top!.seq <= seq)
          pair = this.#live(cursor.top!) ? pairOf(cursor.top!) : undefined;
        cursor.step();
      } while (cursor.top && this.#isTaken(cursor.top));
      if (pair) return pair;
    }
    return undefined;
  }

  #live({ type, seq, keyBytes, keyStart, keyEnd }: Cursor): boolean {
    if (isDeletion(type)) return false;
    const { ranges } = this.#sources;
    if (ranges.length === 0) return true;
    const key = keyBytes.subarray(keyStart, keyEnd);
    return !ranges.some((range) => range.seq > seq && covers(range, key));
  }

  #take({ keyBytes, keyStart, keyEnd }: Cursor): void {
    const length = keyEnd - keyStart;
    if (length > this.#key.length) this.#key = new Uint8Array(2 * length);
    for (let i = 0; i < length; i++) this.#key[i] = keyBytes[keyStart + i]!;
    this.#keyLength = length;
  }

  #isTaken({ keyBytes, keyStart, keyEnd }: Cursor): boolean {
    if (keyEnd - keyStart !== this.#keyLength) return false;
    return compareBytes(keyBytes, keyStart, keyEnd, this.#key, 0, this.#keyLength) === 0;
  }

  /** Lets go of the tables. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const table of this.#sources.tables) table.unpin();
  }
}

function pairOf({
  keyBytes,
  keyStart,
  keyEnd,
  valueBytes,
  valueStart,
  valueEnd,
}: Cursor): KeyValue {
  return {
    key: Buffer.from(keyBytes.subarray(keyStart, keyEnd)),
    value: Buffer.from(valueBytes.subarray(valueStart, valueEnd)),
  };
}

function bounds({ from, to, prefix }: ScanOptions): Pick<ScanOptions, 'from' | 'to'> {
  if (!prefix) return { from, to };
  const range = prefixRange(new Uint8Array(prefix));
  const later = from && Buffer.compare(from, prefix) > 0 ? from : prefix;
  const earlier = range.to && (!to || Buffer.compare(range.to, to) < 0) ? range.to : to;
  return { from: later, to: earlier };
}
