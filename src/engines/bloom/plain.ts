/**
 * A Bloom filter: says of an item that it is not in the set, or that it may be. v1 files: m, k and
 * count as u32, little-endian, then the bits, bit i in byte i >> 3 at i & 7.
 */
import { DdiaError } from '../../shared/errors.ts';
import { positionsOf } from './positions.ts';
import { BITS_MAX, estimatedItems, falsePositives, optimalSize, type Size } from './theory.ts';

const HEAD_BYTES = 12;
const K_MAX = 64;

export class BloomFilter {
  readonly #positions: Float64Array;

  private constructor(
    readonly size: Size,
    readonly bits: Uint8Array,
    /** How often an item was added, as far as is known. */
    public count: number,
  ) {
    this.#positions = new Float64Array(size.k);
  }

  static create(items: number, p: number): BloomFilter {
    return BloomFilter.of(optimalSize(items, p));
  }

  static of(size: Size): BloomFilter {
    return new BloomFilter(size, new Uint8Array(Math.ceil(size.m / 8)), 0);
  }

  /** Reads a v1 file. Throws a DdiaError `corrupt`. */
  static parse(bytes: Uint8Array): BloomFilter {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEAD_BYTES) {
      throw new DdiaError('corrupt', `a filter of ${bytes.length} bytes, ${HEAD_BYTES} at least`);
    }
    const [m, k, count] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [
      number,
      number,
      number,
    ];
    const expected = HEAD_BYTES + Math.ceil(m / 8);
    if (m < 1 || k < 1 || k > K_MAX) throw new DdiaError('corrupt', `m is ${m}, k is ${k}`);
    if (bytes.length !== expected) {
      throw new DdiaError('corrupt', `m is ${m}: ${expected} bytes, ${bytes.length} are there`);
    }
    const unused = m % 8 === 0 ? 0 : bytes[bytes.length - 1]! >>> (m % 8);
    if (unused !== 0) throw new DdiaError('corrupt', `bits behind the last one, ${m}, are set`);
    return new BloomFilter({ m, k }, bytes.slice(HEAD_BYTES), count);
  }

  serialize(): Uint8Array {
    const bytes = new Uint8Array(HEAD_BYTES + this.bits.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.size.m, true);
    view.setUint32(4, this.size.k, true);
    view.setUint32(8, Math.min(this.count, BITS_MAX), true);
    bytes.set(this.bits, HEAD_BYTES);
    return bytes;
  }

  /** False: it may have been in it before. */
  add(item: Uint8Array): boolean {
    positionsOf(item, this.size, this.#positions);
    let fresh = false;
    for (const position of this.#positions) {
      const at = Math.floor(position / 8);
      const bit = 1 << (position & 7);
      if ((this.bits[at]! & bit) === 0) fresh = true;
      this.bits[at]! |= bit;
    }
    this.count++;
    return fresh;
  }

  has(item: Uint8Array): boolean {
    positionsOf(item, this.size, this.#positions);
    for (const position of this.#positions) {
      if ((this.bits[Math.floor(position / 8)]! & (1 << (position & 7))) === 0) return false;
    }
    return true;
  }

  /** What is in one or the other. Throws `mismatch` unless both have the same parameters. */
  union(other: BloomFilter): BloomFilter {
    const { m, k } = this.size;
    if (other.size.m !== m || other.size.k !== k) {
      const theirs = `m ${other.size.m} and k ${other.size.k}`;
      throw new DdiaError('mismatch', `filters with m ${m} and k ${k}, and ${theirs}: no union`);
    }
    const bits = this.bits.map((byte, i) => byte | other.bits[i]!);
    return new BloomFilter(this.size, bits, this.count + other.count);
  }

  get bitsSet(): number {
    let set = 0;
    for (const byte of this.bits) {
      for (let rest = byte; rest !== 0; rest &= rest - 1) set++;
    }
    return set;
  }

  /** How many different items are in it, from how many bits are set. */
  get estimatedCount(): number {
    return estimatedItems(this.size, this.bitsSet);
  }

  /** How often `has` errs now. */
  get falsePositiveRate(): number {
    return falsePositives(this.size, this.estimatedCount);
  }
}
