/**
 * Which entries of some sorted sources live on, in order. For each snapshot that somebody has, and
 * for now, the newest entry of a key that it sees is kept; the older ones between two snapshots are
 * not. What a range deletion takes away goes the same way. A deletion itself may go when no
 * snapshot is older than it and nothing outside of the merge can hold an older entry of its key:
 * else an older value would come back.
 */
import { copySpan, sameSpan } from '../../formats/bytes/spans.ts';
import { isDeletion, TYPE } from '../../formats/sstable/entry-block.ts';
import { type Cursor, MergingCursor } from './cursor.ts';
import { covers, type RangeDeletion } from './range-deletions.ts';

export interface MergeRules {
  /** Numbers that somebody reads at, ascending. */
  snapshots: readonly number[];
  /** Whether nothing outside of the merge can hold an entry of the key with a lower number. */
  isOldest(key: Uint8Array, keyStart: number, keyEnd: number, seq: number): boolean;
  /** The same for all keys of a range deletion. */
  isOldestRange(range: RangeDeletion): boolean;
}

export interface MergeCounts {
  read: number;
  kept: number;
  replaced: number;
  deletionsDropped: number;
}

export class Merge {
  readonly counts: MergeCounts = { read: 0, kept: 0, replaced: 0, deletionsDropped: 0 };
  /** Range deletions that live on. */
  readonly ranges: RangeDeletion[] = [];
  readonly #cursor: MergingCursor;
  readonly #rules: MergeRules;
  readonly #all: readonly RangeDeletion[];
  #key: Uint8Array = new Uint8Array(256);
  #keyView = new DataView(this.#key.buffer);
  #keyLength = -1;
  /** Stratum of the entry of this key that came last and hides those behind it; -1: none. */
  #stratum = -1;
  #started = false;

  constructor(cursors: readonly Cursor[], ranges: readonly RangeDeletion[], rules: MergeRules) {
    this.#cursor = new MergingCursor(cursors);
    this.#rules = rules;
    this.#all = ranges;
    for (const range of ranges) {
      if (this.#stratumOf(range.seq) === 0 && rules.isOldestRange(range)) {
        this.counts.deletionsDropped++;
      } else this.ranges.push(range);
    }
  }

  /** How many snapshots are older than the number: entries of one stratum are seen by the same. */
  #stratumOf(seq: number): number {
    const { snapshots } = this.#rules;
    let stratum = 0;
    while (stratum < snapshots.length && snapshots[stratum]! < seq) stratum++;
    return stratum;
  }

  /** The next entry that lives on; undefined: that was all. */
  next(): Cursor | undefined {
    const cursor = this.#cursor;
    if (!this.#started) {
      this.#started = true;
      cursor.seek();
    } else cursor.step();
    for (let top = cursor.top; top; top = cursor.top) {
      this.counts.read++;
      if (this.#keep(top)) {
        this.counts.kept++;
        return top;
      }
      cursor.step();
    }
    return undefined;
  }

  #keep(entry: Cursor): boolean {
    const { keyBytes, keyStart, keyEnd, seq, type } = entry;
    const stratum = this.#stratumOf(seq);
    if (!this.#sameKey(entry)) {
      this.#take(entry);
      this.#stratum = -1;
    }
    if (stratum === this.#stratum) {
      this.counts.replaced++;
      return false;
    }
    if (this.#all.length > 0 && this.#covered(keyBytes.subarray(keyStart, keyEnd), seq, stratum)) {
      this.counts.replaced++;
      return false;
    }
    // An operand is nothing without what is behind it.
    this.#stratum = type === TYPE.merge ? -1 : stratum;
    if (stratum > 0 || !isDeletion(type)) return true;
    if (!this.#rules.isOldest(keyBytes, keyStart, keyEnd, seq)) return true;
    this.counts.deletionsDropped++;
    return false;
  }

  #covered(key: Uint8Array, seq: number, stratum: number): boolean {
    return this.#all.some((range) => {
      return range.seq > seq && this.#stratumOf(range.seq) === stratum && covers(range, key);
    });
  }

  #sameKey({ keyBytes, keyView, keyStart, keyEnd }: Cursor): boolean {
    const length = this.#keyLength;
    if (keyEnd - keyStart !== length) return false;
    return sameSpan(keyBytes, keyView, keyStart, this.#key, this.#keyView, 0, length);
  }

  #take({ keyBytes, keyView, keyStart, keyEnd }: Cursor): void {
    const length = keyEnd - keyStart;
    if (length > this.#key.length) {
      this.#key = new Uint8Array(2 * length);
      this.#keyView = new DataView(this.#key.buffer);
    }
    copySpan(keyBytes, keyView, keyStart, keyEnd, this.#key, this.#keyView, 0);
    this.#keyLength = length;
  }
}
