/** Walks the entries of a table in the order of their keys, either way, from the index on. */
import { compareBytes, EntryBlock } from './entry-block.ts';
import type { OpenTable, TableDamage } from './model.ts';

export interface KeyRange {
  /** Inclusive and exclusive bounds, as bytes. */
  readonly from?: Uint8Array | undefined;
  readonly to?: Uint8Array | undefined;
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  // A Buffer's own slice would share its bytes.
  const to = Uint8Array.from(prefix);
  for (let i = to.length - 1; i >= 0; i--) {
    if (to[i] !== 0xff) {
      to[i]!++;
      return { from: prefix, to: to.subarray(0, i + 1) };
    }
  }
  return { from: prefix };
}

/** The range of one key alone. */
export function keyRange(key: Uint8Array): KeyRange {
  const to = new Uint8Array(key.length + 1);
  to.set(key);
  return { from: key, to };
}

/** Both ranges at once. */
export function narrower(a: KeyRange, b: KeyRange): KeyRange {
  const compare = (x: Uint8Array, y: Uint8Array) => compareBytes(x, 0, x.length, y, 0, y.length);
  const from =
    a.from && b.from ? (compare(a.from, b.from) > 0 ? a.from : b.from) : (a.from ?? b.from);
  const to = a.to && b.to ? (compare(a.to, b.to) < 0 ? a.to : b.to) : (a.to ?? b.to);
  return { from, to };
}

/** Stands on one entry of a table at a time. Damage on the way is told, and read past. */
export class TableCursor {
  readonly block = new EntryBlock();
  index = -1;
  /** The block to be read next. */
  #next: number;
  #started = false;
  #done = false;
  /** There are no bounds. */
  readonly #all: boolean;

  constructor(
    readonly table: OpenTable,
    readonly range: KeyRange,
    readonly reverse: boolean,
    readonly onDamage: (damage: TableDamage) => void,
    /** Which of several inputs it is. */
    readonly rank = 0,
  ) {
    const { from, to } = range;
    this.#all = from === undefined && to === undefined;
    // In another order than that of bytes the bounds say nothing about where to begin.
    const known = table.order === 1;
    if (reverse) this.#next = known && to ? table.seek(to) : table.blocks - 1;
    else this.#next = known && from ? table.seek(from) : 0;
    if (reverse) this.#next = Math.min(this.#next, table.blocks - 1);
  }

  /** True where the cursor needs no reading to go on. */
  get atHand(): boolean {
    return this.reverse ? this.index > 0 : this.index + 1 < this.block.count;
  }

  /**
   * Steps to an entry that is at hand. False, and the cursor is as it was: it is out of the
   * range.
   */
  stepWithin(): boolean {
    const step = this.reverse ? -1 : 1;
    this.index += step;
    if (this.#where() === 0) return true;
    this.index -= step;
    return false;
  }

  /** Goes to the next entry of the range. False: there is none. */
  async next(): Promise<boolean> {
    while (!this.#done) {
      if (!this.#started || !this.#step()) {
        if (!(await this.#load())) return false;
        if (this.index < 0 || this.index >= this.block.count) continue;
      }
      const where = this.#where();
      if (where === 0) return true;
      if (where > 0 && this.table.order === 1) this.#done = true;
    }
    return false;
  }

  #step(): boolean {
    this.index += this.reverse ? -1 : 1;
    return this.index >= 0 && this.index < this.block.count;
  }

  async #load(): Promise<boolean> {
    const { table, block, reverse, range } = this;
    const first = !this.#started;
    const number = this.#next;
    if (number < 0 || number >= table.blocks) {
      this.#done = true;
      return false;
    }
    this.#started = true;
    this.#next += reverse ? -1 : 1;
    for (const damage of await table.read(number, block)) this.onDamage(damage);
    this.index = reverse ? block.count - 1 : 0;
    if (first && table.order === 1 && block.count > 0) {
      if (reverse && range.to) this.index = block.lowerBound(range.to) - 1;
      if (!reverse && range.from) this.index = block.lowerBound(range.from);
    }
    return true;
  }

  /** 0: in the range; below: not there yet; above: past it. */
  #where(): number {
    if (this.#all) return 0;
    const { block, index, range, reverse } = this;
    const under = range.from !== undefined && block.compareKey(index, range.from) < 0;
    const over = range.to !== undefined && block.compareKey(index, range.to) >= 0;
    if (under) return reverse ? 1 : -1;
    if (over) return reverse ? -1 : 1;
    return 0;
  }
}
