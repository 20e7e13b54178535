/**
 * The filter: Bloom, all probes of a key in one line of 64 bytes. XXH3 of the user key; its low
 * half
 * chooses the line, its high half the bits.
 */
import { mulHigh, r } from '../../../shared/hash/mul64.ts';
import { xxh3 } from '../../../shared/hash/xxh3.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import {
  FILTER_BITS_PER_KEY,
  FILTER_HEAD_BYTES,
  FILTER_LINE_BYTES,
  FILTER_PROBES,
} from './layout.ts';

const GOLDEN = 0x9e3779b9 | 0;

/** Holds the hashes of keys, eight bytes each, until it is known how many there are. */
export class FilterWriter {
  #low = new Int32Array(1024);
  #high = new Int32Array(1024);
  #count = 0;

  add(view: DataView, start: number, end: number): void {
    if (this.#count === this.#low.length) {
      const low = new Int32Array(2 * this.#count);
      const high = new Int32Array(2 * this.#count);
      low.set(this.#low);
      high.set(this.#high);
      this.#low = low;
      this.#high = high;
    }
    xxh3(view, start, end);
    this.#low[this.#count] = r.low;
    this.#high[this.#count++] = r.high;
  }

  /** u32 lines, u32 probes, the lines. */
  finish(): Uint8Array {
    const lines = Math.max(
      1,
      Math.ceil((this.#count * FILTER_BITS_PER_KEY) / 8 / FILTER_LINE_BYTES),
    );
    const bytes = new Uint8Array(FILTER_HEAD_BYTES + lines * FILTER_LINE_BYTES);
    const view = viewOf(bytes);
    view.setUint32(0, lines, true);
    view.setUint32(4, FILTER_PROBES, true);
    for (let i = 0; i < this.#count; i++) {
      const at = FILTER_HEAD_BYTES + (mulHigh(this.#low[i]!, lines) >>> 0) * FILTER_LINE_BYTES;
      let h = this.#high[i]!;
      for (let j = 0; j < FILTER_PROBES; j++, h = Math.imul(h, GOLDEN)) {
        bytes[at + (h >>> 26)]! |= 1 << ((h >>> 23) & 7);
      }
    }
    return bytes;
  }
}

export class FilterReader {
  private constructor(
    readonly bytes: Uint8Array,
    readonly lines: number,
    readonly probes: number,
  ) {}

  /** Undefined: the sizes do not fit. */
  static of(bytes: Uint8Array): FilterReader | undefined {
    if (bytes.length < FILTER_HEAD_BYTES) return undefined;
    const view = viewOf(bytes);
    const lines = view.getUint32(0, true);
    const probes = view.getUint32(4, true);
    const fits = bytes.length === FILTER_HEAD_BYTES + lines * FILTER_LINE_BYTES;
    return fits && lines > 0 && probes > 0 && probes < 32
      ? new FilterReader(bytes, lines, probes)
      : undefined;
  }

  mayContain(view: DataView, start: number, end: number): boolean {
    xxh3(view, start, end);
    const at = FILTER_HEAD_BYTES + (mulHigh(r.low, this.lines) >>> 0) * FILTER_LINE_BYTES;
    let h = r.high;
    for (let i = 0; i < this.probes; i++, h = Math.imul(h, GOLDEN)) {
      if ((this.bytes[at + (h >>> 26)]! & (1 << ((h >>> 23) & 7))) === 0) return false;
    }
    return true;
  }
}
