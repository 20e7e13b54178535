/**
 * A cuckoo filter, to compare with: fingerprints in buckets of four, each in one of two places. Fan
 * and others, "Cuckoo Filter: Practically Better Than Bloom", 2014.
 */
import { DdiaError } from '../../shared/errors.ts';
import { r } from '../../shared/hash/mul64.ts';
import { xxh3 } from '../../shared/hash/xxh3.ts';

const BUCKET = 4;
const KICKS_MAX = 500;
const LOAD = 0.9;
const MIX = 0x5bd1e995;

export class CuckooFilter {
  readonly #slots: Uint16Array;
  readonly #buckets: number;
  readonly #mask: number;
  count = 0;

  constructor(
    buckets: number,
    readonly fingerprintBits: number,
  ) {
    this.#buckets = buckets;
    this.#slots = new Uint16Array(buckets * BUCKET);
    this.#mask = 2 ** fingerprintBits - 1;
  }

  /** A power of two of buckets; fingerprints of log2(2b / p) bits. */
  static for(n: number, p: number): CuckooFilter {
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(1, n / LOAD / BUCKET)));
    const bits = Math.min(16, Math.max(2, Math.ceil(Math.log2((2 * BUCKET) / p))));
    return new CuckooFilter(buckets, bits);
  }

  get bits(): number {
    return this.#slots.length * this.fingerprintBits;
  }

  #places(item: Uint8Array): { print: number; a: number; b: number } {
    xxh3(new DataView(item.buffer, item.byteOffset, item.byteLength), 0, item.length);
    const print = r.high & this.#mask || 1;
    const a = (r.low >>> 0) % this.#buckets;
    return { print, a, b: this.#other(a, print) };
  }

  #other(bucket: number, print: number): number {
    return (bucket ^ (Math.imul(print, MIX) >>> 0)) & (this.#buckets - 1);
  }

  /** Throws when there is no room left to be made. */
  add(item: Uint8Array): void {
    const { print, a, b } = this.#places(item);
    if (this.#put(a, print) || this.#put(b, print)) {
      this.count++;
      return;
    }
    let bucket = b;
    let moved = print;
    for (let kick = 0; kick < KICKS_MAX; kick++) {
      const at = bucket * BUCKET + (kick % BUCKET);
      [moved, this.#slots[at]] = [this.#slots[at]!, moved];
      bucket = this.#other(bucket, moved);
      if (!this.#put(bucket, moved)) continue;
      this.count++;
      return;
    }
    throw new DdiaError('filter-full', `the cuckoo filter is full with ${this.count} items`);
  }

  has(item: Uint8Array): boolean {
    const { print, a, b } = this.#places(item);
    return this.#find(a, print) >= 0 || this.#find(b, print) >= 0;
  }

  /** False, and nothing is changed, where it is not there. */
  remove(item: Uint8Array): boolean {
    const { print, a, b } = this.#places(item);
    const at = Math.max(this.#find(a, print), this.#find(b, print));
    if (at < 0) return false;
    this.#slots[at] = 0;
    this.count--;
    return true;
  }

  #put(bucket: number, print: number): boolean {
    const free = this.#find(bucket, 0);
    if (free >= 0) this.#slots[free] = print;
    return free >= 0;
  }

  #find(bucket: number, print: number): number {
    for (let i = bucket * BUCKET; i < (bucket + 1) * BUCKET; i++) {
      if (this.#slots[i] === print) return i;
    }
    return -1;
  }
}
