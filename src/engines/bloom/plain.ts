/**
 * The plain filter, and its v1 file: u32 m, u32 k, u32 count, little-endian, then the bits, the
 * lowest of each byte first.
 */
import { DdiaError } from '../../shared/errors.ts';
import { positions } from './hash.ts';
import { BITS_MAX, estimatedCount, expectedRate, optimal, PROBES_MAX } from './parameters.ts';

export const HEADER_BYTES = 12;

export interface FilterStat {
  bits: number;
  probes: number;
  /** Items that were added, as the file counts them. */
  count: number;
  bitsSet: number;
  density: number;
  /** Items that the density speaks for. */
  estimatedCount: number | null;
  /** With as many items as were counted, and with as many bits as are set. */
  expectedRate: number;
  currentRate: number;
  bytes: number;
}

export class BloomFilter {
  #count: number;

  constructor(
    readonly m: number,
    readonly k: number,
    readonly bits: Uint8Array = new Uint8Array(Math.ceil(m / 8)),
    count = 0,
  ) {
    this.#count = count;
  }

  static for(n: number, p: number): BloomFilter {
    const { m, k } = optimal(n, p);
    return new BloomFilter(m, k);
  }

  get count(): number {
    return this.#count;
  }

  /** Returns whether any bit was not set before: if not, it was there, or seemed so. */
  add(item: Uint8Array): boolean {
    const { bits } = this;
    let fresh = false;
    positions(item, this.m, this.k, (at) => {
      const mask = 1 << (at & 7);
      if ((bits[at >>> 3]! & mask) === 0) fresh = true;
      bits[at >>> 3]! |= mask;
      return true;
    });
    this.#count++;
    return fresh;
  }

  has(item: Uint8Array): boolean {
    const { bits } = this;
    return positions(item, this.m, this.k, (at) => (bits[at >>> 3]! & (1 << (at & 7))) !== 0);
  }

  /** What either has. Only of equal parameters: the bits mean other things otherwise. */
  union(other: BloomFilter): BloomFilter {
    if (other.m !== this.m || other.k !== this.k) {
      throw new DdiaError(
        'different-parameters',
        `a filter of ${this.m} bits and ${this.k} probes has no union with one of ${other.m} and ${other.k}`,
        'make both with the same number of items and rate',
      );
    }
    const bits = this.bits.map((byte, i) => byte | other.bits[i]!);
    return new BloomFilter(this.m, this.k, bits, Math.min(BITS_MAX, this.count + other.count));
  }

  get bitsSet(): number {
    let set = 0;
    for (let byte of this.bits) for (; byte !== 0; byte &= byte - 1) set++;
    return set;
  }

  stat(): FilterStat {
    const { m, k, count, bitsSet } = this;
    const estimate = estimatedCount({ m, k }, bitsSet);
    return {
      bits: m,
      probes: k,
      count,
      bitsSet,
      density: bitsSet / m,
      estimatedCount: Number.isFinite(estimate) ? Math.round(estimate) : null,
      expectedRate: expectedRate({ m, k }, count),
      currentRate: (bitsSet / m) ** k,
      bytes: HEADER_BYTES + this.bits.length,
    };
  }

  serialize(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + this.bits.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.m, true);
    view.setUint32(4, this.k, true);
    view.setUint32(8, this.count, true);
    bytes.set(this.bits, HEADER_BYTES);
    return bytes;
  }

  /** Throws a DdiaError for bytes that are no filter. */
  static parse(bytes: Uint8Array): BloomFilter {
    if (bytes.length < HEADER_BYTES) {
      throw notAFilter(`${bytes.length} bytes, a header has ${HEADER_BYTES}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const m = view.getUint32(0, true);
    const k = view.getUint32(4, true);
    const size = Math.ceil(m / 8);
    if (m === 0 || k === 0 || k > PROBES_MAX) throw notAFilter(`${m} bits and ${k} probes`);
    if (bytes.length !== HEADER_BYTES + size) {
      throw notAFilter(`${m} bits take ${size} bytes, the file has ${bytes.length - HEADER_BYTES}`);
    }
    const bits = bytes.slice(HEADER_BYTES);
    const beyond = m % 8 === 0 ? 0 : bits[size - 1]! >>> (m % 8);
    if (beyond !== 0) throw notAFilter(`bits are set behind the last of ${m}`);
    return new BloomFilter(m, k, bits, view.getUint32(8, true));
  }
}

function notAFilter(why: string): DdiaError {
  return new DdiaError('not-a-filter', `no v1 Bloom filter: ${why}`);
}
