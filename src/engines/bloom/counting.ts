/**
 * A Bloom filter from which items can be removed: a counter of 4 bits in place of each bit (Fan,
 * Cao, Almeida and Broder, "Summary Cache", 2000). A counter that has reached 15 stays there: how
 * many items share it is not known any more.
 */
import { DdiaError } from '../../shared/errors.ts';
import { positionsOf } from './positions.ts';
import { optimalSize, type Size } from './theory.ts';

const MOST = 15;

export class CountingFilter {
  readonly #positions: Float64Array;
  /** Two to a byte, the even one low. */
  readonly #counters: Uint8Array;
  count = 0;

  private constructor(readonly size: Size) {
    this.#counters = new Uint8Array(Math.ceil(size.m / 2));
    this.#positions = new Float64Array(size.k);
  }

  static create(items: number, p: number): CountingFilter {
    return new CountingFilter(optimalSize(items, p));
  }

  get bytes(): number {
    return this.#counters.length;
  }

  counter(position: number): number {
    const byte = this.#counters[Math.floor(position / 2)]!;
    return position % 2 === 0 ? byte & 15 : byte >>> 4;
  }

  #set(position: number, value: number): void {
    const at = Math.floor(position / 2);
    const byte = this.#counters[at]!;
    this.#counters[at] = position % 2 === 0 ? (byte & 0xf0) | value : (byte & 0x0f) | (value << 4);
  }

  add(item: Uint8Array): void {
    positionsOf(item, this.size, this.#positions);
    for (const position of this.#positions) {
      const value = this.counter(position);
      if (value < MOST) this.#set(position, value + 1);
    }
    this.count++;
  }

  has(item: Uint8Array): boolean {
    positionsOf(item, this.size, this.#positions);
    return this.#positions.every((position) => this.counter(position) > 0);
  }

  /**
   * Throws a DdiaError `not-found`, and changes nothing, if the item is certainly not in it. One that
   * is not and seems to be takes others with it: remove only what was added.
   */
  remove(item: Uint8Array): void {
    if (!this.has(item)) throw new DdiaError('not-found', 'the item is not in the filter');
    for (const position of this.#positions) {
      const value = this.counter(position);
      // Two positions of one item may be the same counter, which was raised twice.
      if (value < MOST && value > 0) this.#set(position, value - 1);
    }
    this.count--;
  }
}
