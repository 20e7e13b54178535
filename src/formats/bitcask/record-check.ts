/**
 * Records whose checksum tells where they are: a head with CRC-32, key length and value length,
 * then key and value, all big-endian, the checksum over everything from some byte of the head to
 * the record's end. Is there an intact one at this offset, which is the next, and which flipped
 * bit of a length explains one that is not?
 *
 * Every byte offset is a candidate of the search. Most are refuted by their lengths; a checksum
 * over a long span comes from prefix registers, so the cost is linear in the bytes skipped whatever
 * they hold.
 */
import { PrefixCrc } from '../../shared/crc-shift.ts';
import { CRC_INITIAL, crc32 } from '../../shared/crc32.ts';
import type { Window } from '../bytes/window.ts';

/** Where a layout's head has what. */
export interface RecordFrame {
  /** Bytes before the key. The stored checksum is the first four. */
  readonly headBytes: number;
  /** The first byte that the checksum covers. */
  readonly coveredFrom: number;
  readonly keyLengthAt: number;
  readonly keyLengthBytes: 2 | 4;
  readonly valueLengthAt: number;
}

/** What a record at an offset turned out to be. `cut`: the file ends inside. */
export type RecordCheckResult = 'intact' | 'crc-mismatch' | 'not-a-record' | 'cut';

/** A length with one bit turned back, with which the checksum holds. */
export interface LengthFlip {
  field: 'key' | 'value';
  /** Of the byte that is hit, from the record's start, and the bit in it. */
  byte: number;
  bit: number;
  keyLength: number;
  valueLength: number;
}

/** Spans up to this are checked byte by byte during a search. */
const DIRECT_CRC_BYTES_MAX = 256;
/** Candidates looked at before signals and timers get a turn. */
const SEARCH_STEP_BYTES = 64 * 1024;
/** How far a record may reach for a flipped length to be looked for. */
const LENGTH_FLIP_BYTES_MAX = 4 * 1024 * 1024;

export class RecordCheck {
  /** Of the record looked at last. */
  keyLength = 0;
  valueLength = 0;
  /** The checksum as it should be; only after `intact` and `crc-mismatch`. */
  computed = 0;
  /** Set by the caller before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;
  /** Until the first damage every byte is summed once, and straight through is fastest. */
  #damaged = false;
  #prefix: PrefixCrc | undefined;
  readonly #head: Uint8Array;
  readonly #headView: DataView;
  /** Whether zeros make an intact record: where they do not, long stretches of them cost little. */
  readonly #zerosHold: boolean;

  constructor(
    readonly window: Window,
    readonly frame: RecordFrame,
    readonly recordBytesMax: number,
  ) {
    this.#head = new Uint8Array(frame.headBytes);
    this.#headView = new DataView(this.#head.buffer);
    this.#zerosHold = crc32.of(this.#head, frame.coveredFrom) === 0;
  }

  /** Bytes of the record by its lengths. */
  get total(): number {
    return this.frame.headBytes + this.keyLength + this.valueLength;
  }

  /**
   * Looks at the record at file offset `at`; fills the window as needed, keeping all from `anchor`
   * on. A record of more than `bytesMax` bytes is none.
   */
  async check(at: number, anchor = at, bytesMax = this.recordBytesMax): Promise<RecordCheckResult> {
    const { window, frame } = this;
    await this.need(at, frame.headBytes, anchor);
    this.keyLength = 0;
    this.valueLength = 0;
    if (window.end < at + frame.headBytes) return 'cut';
    this.#readLengths(window.view, at - window.base);
    const { total } = this;
    if (total > bytesMax) return 'not-a-record';
    const { size } = window.source;
    if (size !== undefined && at + total > size) return 'cut';
    await this.need(at, total, anchor);
    if (window.end < at + total) return 'cut';
    return this.#holds(at, total) ? 'intact' : 'crc-mismatch';
  }

  /**
   * The first offset in [from, to) at which a record is intact; undefined when there is none before
   * `to` or the file's end. Keeps the window from `anchor` on, from the search's place if that is
   * undefined.
   */
  async find(
    from: number,
    to = Number.POSITIVE_INFINITY,
    anchor?: number,
  ): Promise<number | undefined> {
    const { window, frame } = this;
    this.#damaged = true;
    let at = from;
    while (at < to) {
      await this.need(at, frame.headBytes, anchor ?? at);
      if (window.end < at + frame.headBytes) {
        this.#lookForNonZero(at, Math.min(window.end, to));
        return undefined;
      }
      const last = Math.min(window.end - frame.headBytes + 1, to, at + SEARCH_STEP_BYTES);
      const candidate = this.#searchWindow(at, last);
      this.#lookForNonZero(at, candidate);
      at = candidate;
      // Either intact, or the window must grow to tell.
      if (candidate === last) continue;
      if ((await this.check(candidate, anchor ?? candidate)) === 'intact') return candidate;
      at = candidate + 1;
      this.#lookForNonZero(candidate, at);
    }
    return undefined;
  }

  /**
   * The one flipped bit of a length with which the record at `at` checks. Its head is in the
   * window; all from there on stays in it.
   */
  async flippedLength(at: number): Promise<LengthFlip | undefined> {
    const { window, frame } = this;
    const head = this.#head;
    const start = at - window.base;
    head.set(window.bytes.subarray(start, start + frame.headBytes));
    const key = { field: 'key', at: frame.keyLengthAt, bytes: frame.keyLengthBytes } as const;
    const value = { field: 'value', at: frame.valueLengthAt, bytes: 4 } as const;
    this.#damaged = true;
    for (const { field, at: fieldAt, bytes } of [key, value]) {
      for (let bit = 0; bit < 8 * bytes; bit++) {
        const byte = fieldAt + bytes - 1 - (bit >>> 3);
        head[byte]! ^= 1 << (bit & 7);
        this.#readLengths(this.#headView, 0);
        const holds = await this.#holdsWithHead(at);
        head[byte]! ^= 1 << (bit & 7);
        if (!holds) continue;
        const { keyLength, valueLength } = this;
        return { field, byte, bit: bit & 7, keyLength, valueLength };
      }
    }
    return undefined;
  }

  /** Makes [at, at + length) available, as far as the file goes, keeping all from `anchor` on. */
  async need(at: number, length: number, anchor = at): Promise<void> {
    const { window } = this;
    if (window.end < at + length && !window.atEnd) {
      await window.fill(anchor, at - anchor + length);
    }
  }

  #readLengths(view: DataView, p: number): void {
    const { keyLengthAt, keyLengthBytes, valueLengthAt } = this.frame;
    this.keyLength =
      keyLengthBytes === 2 ? view.getUint16(p + keyLengthAt) : view.getUint32(p + keyLengthAt);
    this.valueLength = view.getUint32(p + valueLengthAt);
  }

  /**
   * The first offset in [from, to) that is an intact record, or may be one that reaches beyond the
   * window; `to` if there is none.
   */
  #searchWindow(from: number, to: number): number {
    const { view, base, end, source, atEnd } = this.window;
    const { frame, recordBytesMax } = this;
    const fileEnd = atEnd ? end : (source.size ?? Number.POSITIVE_INFINITY);
    const { headBytes, keyLengthAt, keyLengthBytes, valueLengthAt } = frame;
    const short = keyLengthBytes === 2;
    const skipZeros = !this.#zerosHold;
    for (let at = from; at < to; at++) {
      const p = at - base;
      const valueLength = view.getUint32(p + valueLengthAt);
      if (valueLength > recordBytesMax) continue;
      const keyLength = short ? view.getUint16(p + keyLengthAt) : view.getUint32(p + keyLengthAt);
      const total = headBytes + keyLength + valueLength;
      if (total > recordBytesMax || at + total > fileEnd) continue;
      if (total === headBytes && skipZeros && isZero(view, p)) continue;
      if (at + total > end || this.#holds(at, total)) return at;
    }
    return to;
  }

  /** All of the record is in the window. The checksum of no bytes is 0: zeros are no record. */
  #holds(at: number, total: number): boolean {
    const { coveredFrom } = this.frame;
    this.computed = 0;
    if (total <= coveredFrom) return false;
    this.computed = ~this.#sum(CRC_INITIAL, at + coveredFrom, at + total) >>> 0;
    return this.computed === this.window.view.getUint32(at - this.window.base);
  }

  /** The same with the head of `#head` in place of the one in the file. */
  async #holdsWithHead(at: number): Promise<boolean> {
    const { window, frame, total } = this;
    const { size } = window.source;
    if (total > Math.min(this.recordBytesMax, LENGTH_FLIP_BYTES_MAX)) return false;
    if (total <= frame.coveredFrom) return false;
    if (size !== undefined && at + total > size) return false;
    await this.need(at, total);
    if (window.end < at + total) return false;
    const { headBytes, coveredFrom } = frame;
    const register = crc32.update(CRC_INITIAL, this.#head, this.#headView, coveredFrom, headBytes);
    return ~this.#sum(register, at + headBytes, at + total) === this.#headView.getInt32(0);
  }

  /** The register after the window's [from, to), which may be summed many times over. */
  #sum(register: number, from: number, to: number): number {
    const { bytes, view, base } = this.window;
    if (!this.#damaged || to - from <= DIRECT_CRC_BYTES_MAX) {
      return crc32.update(register, bytes, view, from - base, to - base);
    }
    this.#prefix ??= new PrefixCrc(crc32);
    return this.#prefix.span(register, bytes, view, base, from, to);
  }

  #lookForNonZero(from: number, to: number): void {
    const { bytes, base } = this.window;
    if (!this.zerosOnly) return;
    for (let p = from - base; p < to - base; p++) {
      if (bytes[p] !== 0) {
        this.zerosOnly = false;
        return;
      }
    }
  }
}

/** Of a head whose sizes are 0: the other eight bytes. */
function isZero(view: DataView, p: number): boolean {
  return view.getUint32(p) === 0 && view.getUint32(p + 4) === 0;
}
