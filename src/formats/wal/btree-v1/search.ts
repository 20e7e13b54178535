/**
 * Looks at entries, and searches for the next one after damage. Every byte offset is a candidate
 * whose data_length is a page size; checksums come from prefix registers, so the cost is linear in
 * the bytes skipped whatever they hold.
 */
import { PrefixCrc } from '../../../shared/crc-shift.ts';
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import type { Window } from '../../bytes/window.ts';
import {
  DATA_LENGTH_AT,
  IMAGE_AT,
  isPageSize,
  OVERHEAD_BYTES,
  PAGE_AT,
  PAGE_BYTES_MAX,
  PAGE_SIZES,
  SEQ_AT,
} from './layout.ts';

/** Images up to this are summed byte by byte, longer ones by prefix registers. */
const DIRECT_CRC_BYTES_MAX = 1024;
/** After so many bytes the search lets others have a turn, and looks whether it is still wanted. */
const STRIDE_BYTES = 1024 * 1024;

/**
 * What an entry at an offset turned out to be. `odd`: the checksum holds, but data_length is no
 * page size. `cut`: the file ends inside it.
 */
export type Check = 'intact' | 'odd' | 'crc-mismatch' | 'bad-length' | 'cut';

export class EntryChecker {
  #prefix: PrefixCrc | undefined;
  /** Of the entry looked at last. */
  seq = 0;
  page = 0;
  dataLength = 0;
  stored = 0;
  computed = 0;
  /** Set by the caller before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;

  constructor(
    readonly window: Window,
    readonly recordBytesMax: number,
  ) {}

  get total(): number {
    return OVERHEAD_BYTES + this.dataLength;
  }

  /**
   * Looks at the entry at file offset `at`; fills the window as needed, keeping all from `anchor`
   * on.
   */
  async check(at: number, anchor = at, dataLengthMax = this.recordBytesMax): Promise<Check> {
    const { window } = this;
    await this.#need(at, OVERHEAD_BYTES, anchor);
    if (window.end < at + OVERHEAD_BYTES) return 'cut';
    const p = at - window.base;
    this.seq = window.view.getUint32(p + SEQ_AT);
    this.page = window.view.getUint32(p + PAGE_AT);
    this.dataLength = window.view.getUint32(p + DATA_LENGTH_AT);
    const { dataLength } = this;
    if (dataLength === 0 || dataLength > dataLengthMax || this.total > this.recordBytesMax) {
      return 'bad-length';
    }
    const { size } = window.source;
    if (size !== undefined && at + this.total > size) return 'cut';
    await this.#need(at, this.total, anchor);
    if (window.end < at + this.total) return 'cut';
    if (!this.holds(at, dataLength)) return 'crc-mismatch';
    return isPageSize(dataLength) ? 'intact' : 'odd';
  }

  /**
   * The page size with which the checksum of the entry at `at` holds, whatever its data_length
   * says; the likely one is tried first. Undefined if there is none.
   */
  async sizeThatHolds(at: number, likely: number, anchor = at): Promise<number | undefined> {
    await this.#need(at, OVERHEAD_BYTES + PAGE_BYTES_MAX, anchor);
    if (isPageSize(likely) && this.#holdsInside(at, likely)) return likely;
    return PAGE_SIZES.find((size) => this.#holdsInside(at, size));
  }

  /** Whether the checksum holds over an image of `size` bytes; the entry must be in the window. */
  holds(at: number, size: number): boolean {
    const { bytes, view, base } = this.window;
    const start = at + IMAGE_AT;
    let register: number;
    if (size <= DIRECT_CRC_BYTES_MAX) {
      register = crc32.update(CRC_INITIAL, bytes, view, start - base, start - base + size);
    } else {
      this.#prefix ??= new PrefixCrc(crc32);
      register = this.#prefix.span(CRC_INITIAL, bytes, view, base, start, start + size);
    }
    this.computed = ~register >>> 0;
    this.stored = view.getUint32(start - base + size);
    return this.computed === this.stored;
  }

  /** The first offset from `from` on with an intact entry; undefined when the file ends first. */
  async find(from: number): Promise<number | undefined> {
    const { window } = this;
    let at = from;
    for (;;) {
      await window.fill(at, OVERHEAD_BYTES);
      if (window.end < at + OVERHEAD_BYTES) break;
      const stop = at + STRIDE_BYTES;
      while (at < stop && at + OVERHEAD_BYTES <= window.end) {
        const candidate = this.#candidate(at, stop);
        if (this.zerosOnly) this.#lookForNonZero(at, candidate);
        at = candidate;
        if (at >= stop || at + OVERHEAD_BYTES > window.end) break;
        const size = window.view.getUint32(at - window.base + DATA_LENGTH_AT);
        if (window.end < at + OVERHEAD_BYTES + size && !window.atEnd) {
          await window.fill(at, OVERHEAD_BYTES + size);
        }
        if (this.#holdsInside(at, size)) return at;
        at++;
      }
    }
    if (this.zerosOnly) this.#lookForNonZero(at, window.end);
    return undefined;
  }

  #holdsInside(at: number, size: number): boolean {
    return at + OVERHEAD_BYTES + size <= this.window.end && this.holds(at, size);
  }

  /**
   * The first offset from `at` on whose data_length is a page size; `stop` or near the window's end
   * if none.
   */
  #candidate(at: number, stop: number): number {
    const { view, base, count } = this.window;
    const last = Math.min(stop - base, count - OVERHEAD_BYTES + 1);
    for (let p = at - base; p < last; p++) {
      if (isPageSize(view.getUint32(p + DATA_LENGTH_AT))) return base + p;
    }
    return Math.max(at, base + last);
  }

  #lookForNonZero(from: number, to: number): void {
    const { bytes, base } = this.window;
    for (let p = from - base; p < to - base; p++) {
      if (bytes[p] !== 0) {
        this.zerosOnly = false;
        return;
      }
    }
  }

  async #need(at: number, length: number, anchor: number): Promise<void> {
    const { window } = this;
    if (window.end < at + length && !window.atEnd) {
      await window.fill(anchor, at - anchor + length);
    }
  }
}
