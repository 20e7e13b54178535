/**
 * A blocked Bloom filter (Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom
 * Filters", 2007): all bits of a key lie in one line of 64 bytes, so a look costs one miss of the
 * processor's cache. Line `hash * lines / 2^32`; bits `(second + i * step) mod 512`, step odd.
 */
import { hashKey, secondHash } from './hash.ts';
import { FILTER_HEAD_BYTES, LINE_BYTES } from './layout.ts';

const LINE_BITS = LINE_BYTES * 8;

/** How many bits of a line a key sets: what least misses, for so many bits a key. */
export function probesFor(bitsPerKey: number): number {
  return Math.min(16, Math.max(1, Math.round(bitsPerKey * 0.6)));
}

/** Gathers hashes, four bytes a key, and makes the filter when their number is known. */
export class FilterBuilder {
  #hashes = new Int32Array(1024);
  #count = 0;

  constructor(readonly bitsPerKey: number) {}

  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#count === this.#hashes.length) {
      const grown = new Int32Array(2 * this.#count);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes[this.#count++] = hashKey(bytes, start, end);
  }

  /** The payload of a filter block. */
  finish(): Uint8Array {
    const lines = Math.max(1, Math.ceil((this.#count * this.bitsPerKey) / LINE_BITS));
    const probes = probesFor(this.bitsPerKey);
    const payload = new Uint8Array(FILTER_HEAD_BYTES + lines * LINE_BYTES);
    const view = new DataView(payload.buffer);
    view.setUint32(0, lines, true);
    view.setUint32(4, probes, true);
    for (let i = 0; i < this.#count; i++) {
      const hash = this.#hashes[i]!;
      const line = FILTER_HEAD_BYTES + lineOf(hash, lines) * LINE_BYTES;
      const second = secondHash(hash);
      const step = (second >>> 9) | 1;
      let bit = second;
      for (let probe = 0; probe < probes; probe++) {
        payload[line + ((bit >>> 3) & 63)]! |= 1 << (bit & 7);
        bit = (bit + step) | 0;
      }
    }
    return payload;
  }
}

function lineOf(hash: number, lines: number): number {
  return Math.floor(((hash >>> 0) * lines) / 0x1_0000_0000);
}

export class LineFilter {
  private constructor(
    readonly bytes: Uint8Array,
    readonly at: number,
    readonly lines: number,
    readonly probes: number,
  ) {}

  /** Of bytes[start, end), which are kept; undefined: that is no filter. */
  static read(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): LineFilter | undefined {
    if (end - start < FILTER_HEAD_BYTES) return undefined;
    const lines = view.getUint32(start, true);
    const probes = view.getUint32(start + 4, true);
    const sound = lines > 0 && probes > 0 && probes <= 64;
    if (!sound || lines * LINE_BYTES !== end - start - FILTER_HEAD_BYTES) return undefined;
    return new LineFilter(bytes, start + FILTER_HEAD_BYTES, lines, probes);
  }

  /** Of a key's `hashKey`: one hash serves the filters of all tables. */
  mayHold(hash: number): boolean {
    const { bytes } = this;
    const line = this.at + lineOf(hash, this.lines) * LINE_BYTES;
    const second = secondHash(hash);
    const step = (second >>> 9) | 1;
    let bit = second;
    for (let probe = this.probes; probe > 0; probe--) {
      if ((bytes[line + ((bit >>> 3) & 63)]! & (1 << (bit & 7))) === 0) return false;
      bit = (bit + step) | 0;
    }
    return true;
  }

  mayContain(key: Uint8Array): boolean {
    return this.mayHold(hashKey(key, 0, key.length));
  }
}
