/**
 * The scalable filter: when a slice is full, another is begun, twice as large and twice as
 * strict, so
 * that the rates of all together stay below the one asked for. Almeida and others, "Scalable Bloom
 * Filters", 2007.
 */
import { BloomFilter } from './plain.ts';

const GROWTH = 2;
const TIGHTENING = 0.5;
/** Two hashes for all probes are a little worse than theory where slices are small. */
const RESERVE = 0.8;

export class ScalableFilter {
  readonly slices: BloomFilter[] = [];
  #room = 0;

  constructor(
    readonly firstItems: number,
    readonly p: number,
  ) {}

  get count(): number {
    return this.slices.reduce((sum, { count }) => sum + count, 0);
  }

  get bits(): number {
    return this.slices.reduce((sum, { m }) => sum + m, 0);
  }

  add(item: Uint8Array): void {
    if (this.has(item)) return;
    if (this.#room === 0) this.#grow();
    this.slices.at(-1)!.add(item);
    this.#room--;
  }

  /** The rates of the slices are shares of p, each half of the one before: their sum is below p. */
  #grow(): void {
    const n = this.slices.length;
    this.#room = this.firstItems * GROWTH ** n;
    this.slices.push(BloomFilter.for(this.#room, RESERVE * this.p * TIGHTENING ** (n + 1)));
  }

  has(item: Uint8Array): boolean {
    return this.slices.some((slice) => slice.has(item));
  }
}
