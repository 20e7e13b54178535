/**
 * The counting filter: counters of four bits, two to a byte, so that items can be removed. A
 * counter
 * that reached 15 stays there: nobody knows how often it was counted.
 */
import { DdiaError } from '../../shared/errors.ts';
import { positions } from './hash.ts';
import { optimal } from './parameters.ts';

const COUNTER_MAX = 15;

export class CountingFilter {
  readonly counters: Uint8Array;
  #count = 0;

  constructor(
    readonly m: number,
    readonly k: number,
  ) {
    this.counters = new Uint8Array(Math.ceil(m / 2));
  }

  static for(n: number, p: number): CountingFilter {
    const { m, k } = optimal(n, p);
    return new CountingFilter(m, k);
  }

  get count(): number {
    return this.#count;
  }

  #get(at: number): number {
    return (this.counters[at >>> 1]! >>> ((at & 1) * 4)) & COUNTER_MAX;
  }

  #set(at: number, value: number): void {
    const shift = (at & 1) * 4;
    const kept = this.counters[at >>> 1]! & ~(COUNTER_MAX << shift);
    this.counters[at >>> 1] = kept | (value << shift);
  }

  add(item: Uint8Array): void {
    positions(item, this.m, this.k, (at) => {
      const value = this.#get(at);
      if (value < COUNTER_MAX) this.#set(at, value + 1);
      return true;
    });
    this.#count++;
  }

  has(item: Uint8Array): boolean {
    return positions(item, this.m, this.k, (at) => this.#get(at) > 0);
  }

  /** Throws, and changes nothing, when the item is not there. */
  remove(item: Uint8Array): void {
    if (!this.has(item)) {
      throw new DdiaError('not-in-filter', 'the item is not in the filter: nothing was removed');
    }
    positions(item, this.m, this.k, (at) => {
      const value = this.#get(at);
      if (value < COUNTER_MAX && value > 0) this.#set(at, value - 1);
      return true;
    });
    this.#count--;
  }
}
