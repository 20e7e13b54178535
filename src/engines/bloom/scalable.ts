/**
 * A Bloom filter that grows (Almeida, Baquero, Preguiça and Hutchison, "Scalable Bloom Filters",
 * 2007): when a slice is full, one of twice the room and half the error is begun. Slice i errs in
 * p / 2^(i + 1), so that all together err in less than p, however many there are.
 */
import { BloomFilter } from './plain.ts';
import { optimalSize } from './theory.ts';

const GROWTH = 2;
const TIGHTENING = 0.5;

export class ScalableFilter {
  readonly slices: BloomFilter[] = [];
  #room = 0;
  count = 0;

  constructor(
    readonly firstItems: number,
    readonly p: number,
  ) {
    optimalSize(firstItems, p);
  }

  get bytes(): number {
    return this.slices.reduce((sum, { bits }) => sum + bits.length, 0);
  }

  /** False: it may be in it already, and nothing was changed. */
  add(item: Uint8Array): boolean {
    if (this.has(item)) return false;
    const last = this.slices.at(-1);
    const slice = last && last.count < this.#room ? last : this.#grow();
    slice.add(item);
    this.count++;
    return true;
  }

  has(item: Uint8Array): boolean {
    // The newest slice has the most items.
    return this.slices.findLast((slice) => slice.has(item)) !== undefined;
  }

  #grow(): BloomFilter {
    const number = this.slices.length;
    this.#room = this.firstItems * GROWTH ** number;
    const { m, k } = optimalSize(this.#room, this.p * TIGHTENING ** (number + 1));
    const slice = BloomFilter.of({ m: primeFrom(m), k });
    this.slices.push(slice);
    return slice;
  }
}

/**
 * With a step that shares a divisor with m, positions repeat and a small filter errs more than theory
 * says; a prime shares none.
 */
function primeFrom(least: number): number {
  for (let n = least | 1; ; n += 2) if (isPrime(n)) return n;
}

function isPrime(n: number): boolean {
  for (let divisor = 3; divisor * divisor <= n; divisor += 2) if (n % divisor === 0) return false;
  return true;
}
