/**
 * Range deletions, cut into stretches that do not overlap, each with the highest sequence number
 * that covers it: what a reader of the newest state asks.
 */
import { compareBytes, type EntryBlock } from '../sstable/entry-block.ts';

export interface DeletedRange {
  begin: Uint8Array;
  end: Uint8Array;
  seq: bigint;
  file: string;
}

export class RangeCover {
  /** As they were added. */
  readonly ranges: DeletedRange[] = [];
  #bounds: Uint8Array[] = [];
  /** Of the stretch from each bound to the next: 0n where nothing covers it. */
  #seqs: bigint[] = [];

  constructor(readonly order: 1 | -1) {}

  /**
   * Takes the range deletions of a table, as far as they lie within its range: what lies beyond is
   * another table's (RocksDB's TruncatedRangeDelIterator). `to` is exclusive.
   */
  add(block: EntryBlock, from?: Uint8Array, to?: Uint8Array): void {
    for (let i = 0; i < block.count; i++) {
      let begin: Uint8Array = block.key(i).slice();
      let end: Uint8Array = block.value(i)?.slice() ?? begin;
      if (from && this.#compare(begin, from) < 0) begin = from;
      if (to && this.#compare(end, to) > 0) end = to;
      if (this.#compare(begin, end) >= 0) continue;
      const seq = (BigInt(block.seqHigh[i]!) << 32n) | BigInt(block.seqLow[i]!);
      this.ranges.push({ begin, end, seq, file: block.file });
    }
  }

  seal(): this {
    const ranges = this.ranges;
    const bounds = ranges.flatMap(({ begin, end }) => [begin, end]);
    bounds.sort((a, b) => this.#compare(a, b));
    this.#bounds = bounds.filter((one, i) => i === 0 || this.#compare(one, bounds[i - 1]!) !== 0);
    this.#seqs = this.#bounds.map(() => 0n);
    // The highest first: each stretch is taken once, and passed over by way of `next` after that.
    ranges.sort((a, b) => (a.seq < b.seq ? 1 : a.seq > b.seq ? -1 : 0));
    const next = new Uint32Array(this.#bounds.length + 1).map((_, i) => i);
    const free = (from: number): number => {
      let i = from;
      while (next[i] !== i) {
        next[i] = next[next[i]!]!;
        i = next[i]!;
      }
      return i;
    };
    for (const { begin, end, seq } of ranges) {
      const to = this.#find(end);
      for (let i = free(this.#find(begin)); i < to; i = free(i)) {
        this.#seqs[i] = seq;
        next[i] = i + 1;
      }
    }
    return this;
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    return compareBytes(a, 0, a.length, b, 0, b.length) * this.order;
  }

  /** The bound that is `key`. */
  #find(key: Uint8Array): number {
    return this.#upper((bound) => this.#compare(bound, key) < 0);
  }

  #upper(before: (bound: Uint8Array) => boolean): number {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.#bounds[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a range deletion that is newer than the entry covers it. */
  covers(block: EntryBlock, index: number): boolean {
    if (this.#bounds.length === 0) return false;
    const order = this.order;
    const behind = this.#upper((bound) => block.compareKey(index, bound) * order >= 0);
    const seq = behind === 0 ? 0n : this.#seqs[behind - 1]!;
    if (seq === 0n) return false;
    return seq > ((BigInt(block.seqHigh[index]!) << 32n) | BigInt(block.seqLow[index]!));
  }
}
