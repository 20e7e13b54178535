/**
 * The blocked filter: all probes of an item in one line of 64 bytes, which is one miss of a cache.
 * Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007. Lines fill
 * unevenly, so it takes more bits for the same rate: `for` asks how many.
 */

import { mulHigh, r } from '../../shared/hash/mul64.ts';
import { xxh3 } from '../../shared/hash/xxh3.ts';

export const LINE_BITS = 512;
const LINE_BYTES = LINE_BITS / 8;
const GOLDEN = 0x9e3779b9 | 0;
const PROBES_MAX = 24;
/** Steps in which bits a key are tried. */
const STEP = 0.05;

export class BlockedFilter {
  readonly bytes: Uint8Array;
  count = 0;

  constructor(
    readonly lines: number,
    readonly k: number,
  ) {
    this.bytes = new Uint8Array(lines * LINE_BYTES);
  }

  static for(n: number, p: number): BlockedFilter {
    for (let bitsPerKey = 1; ; bitsPerKey += STEP) {
      const lines = Math.max(1, Math.ceil((n * bitsPerKey) / LINE_BITS));
      const k = Math.max(1, Math.min(PROBES_MAX, Math.round(bitsPerKey * 0.6)));
      if (blockedRate(lines, k, n) <= p || bitsPerKey > 100) return new BlockedFilter(lines, k);
    }
  }

  get bits(): number {
    return this.lines * LINE_BITS;
  }

  add(item: Uint8Array): void {
    const at = this.#line(item);
    let h = r.high;
    for (let i = 0; i < this.k; i++, h = Math.imul(h, GOLDEN)) {
      this.bytes[at + (h >>> 26)]! |= 1 << ((h >>> 23) & 7);
    }
    this.count++;
  }

  has(item: Uint8Array): boolean {
    const at = this.#line(item);
    let h = r.high;
    for (let i = 0; i < this.k; i++, h = Math.imul(h, GOLDEN)) {
      if ((this.bytes[at + (h >>> 26)]! & (1 << ((h >>> 23) & 7))) === 0) return false;
    }
    return true;
  }

  /** Where the item's line begins; leaves the hash in r. */
  #line(item: Uint8Array): number {
    xxh3(new DataView(item.buffer, item.byteOffset, item.byteLength), 0, item.length);
    return (mulHigh(r.low, this.lines) >>> 0) * LINE_BYTES;
  }
}

/** The rate of lines that have Poisson many items each. */
export function blockedRate(lines: number, k: number, n: number): number {
  const mean = n / lines;
  let rate = 0;
  let weight = Math.exp(-mean);
  for (let items = 0; items < mean + 20 * Math.sqrt(mean) + 20; items++) {
    const set = 1 - (1 - 1 / LINE_BITS) ** (k * items);
    rate += weight * set ** k;
    weight *= mean / (items + 1);
  }
  return rate;
}
