/**
 * The forward search: after damage, the next offset at which a record's checksum holds. Every byte
 * offset is a candidate. What makes one is cheap to refute (op, lengths, sequence), and a checksum
 * over a long span comes from prefix registers, so the cost is linear in the bytes skipped whatever
 * they hold.
 */

import { PrefixCrc } from '../../../shared/crc-shift.ts';
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import type { Window } from '../../bytes/window.ts';
import { CRC_AT, KEY_AT, KEY_LENGTH_AT, OP_AT, OP_MAX, OVERHEAD_BYTES, SEQ_AT } from './layout.ts';

/**
 * Records up to this are checked byte by byte; longer ones by prefix registers once there is
 * damage.
 */
const DIRECT_CRC_BYTES_MAX = 2048;

/** What a record at an offset turned out to be. */
export type Check = 'intact' | 'crc-mismatch' | 'bad-op' | 'not-a-record' | 'cut';

/** The sequence number that the next record should not be far from; -1: not known. */
export interface SeqHint {
  last: number;
}

export class RecordChecker {
  #prefix: PrefixCrc | undefined;
  /** Of the record looked at last. */
  keyLength = 0;
  valueLength = 0;
  length = 0;
  op = 0;
  seq = 0;
  computed = 0;
  /** Set by the caller before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;

  constructor(
    readonly window: Window,
    readonly recordBytesMax: number,
  ) {}

  /** 25 + key + value, by the inner lengths. */
  get total(): number {
    return OVERHEAD_BYTES + this.keyLength + this.valueLength;
  }

  /** True where `length` says the same as the two inner lengths. */
  get lengthAgrees(): boolean {
    return this.length + 4 === this.total;
  }

  /**
   * Looks at the record at file offset `at` by its inner lengths; fills the window as needed,
   * keeping all from `anchor` on. `cut`: its lengths are in bounds but the file ends inside.
   */
  async check(at: number, anchor = at, bytesMax = this.recordBytesMax): Promise<Check> {
    const { window } = this;
    await this.#need(at, OVERHEAD_BYTES, anchor);
    if (window.end < at + OVERHEAD_BYTES) return 'cut';
    let p = at - window.base;
    this.length = window.view.getUint32(p, true);
    this.op = window.bytes[p + OP_AT]!;
    this.seq =
      window.view.getUint32(p + SEQ_AT + 4, true) * 0x1_0000_0000 +
      window.view.getUint32(p + SEQ_AT, true);
    const keyLength = window.view.getInt32(p + KEY_LENGTH_AT, true);
    this.keyLength = keyLength;
    this.valueLength = 0;
    if (keyLength < 0 || keyLength + OVERHEAD_BYTES > bytesMax) return 'not-a-record';
    await this.#need(at, OVERHEAD_BYTES + keyLength, anchor);
    if (window.end < at + OVERHEAD_BYTES + keyLength) return 'cut';
    p = at - window.base;
    const valueLength = window.view.getInt32(p + KEY_AT + keyLength, true);
    this.valueLength = valueLength;
    if (valueLength < 0 || this.total > bytesMax) return 'not-a-record';
    await this.#need(at, this.total, anchor);
    if (window.end < at + this.total) return 'cut';
    return this.#verify(at);
  }

  /**
   * The first offset from `from` on at which a record is intact; undefined when the file ends
   * first.
   */
  async find(from: number, hint: SeqHint): Promise<number | undefined> {
    const { window } = this;
    let at = from;
    for (;;) {
      await this.#need(at, OVERHEAD_BYTES);
      if (window.end < at + OVERHEAD_BYTES) {
        if (this.zerosOnly) this.#lookForNonZero(at, window.end);
        return undefined;
      }
      const candidate = this.#nextCandidate(at, from, hint);
      if (this.zerosOnly) this.#lookForNonZero(at, candidate < 0 ? window.end : candidate);
      if (candidate < 0) {
        at = window.end - OVERHEAD_BYTES + 1;
        continue;
      }
      if ((await this.check(candidate)) === 'intact') {
        if (this.lengthAgrees || this.#plausibleSeq(candidate, from, hint)) return candidate;
      }
      at = candidate + 1;
    }
  }

  /** Scans the window's bytes for what may be a record; -1: none before the window's end. */
  #nextCandidate(at: number, from: number, hint: SeqHint): number {
    const { bytes, view, base, count } = this.window;
    const last = count - OVERHEAD_BYTES;
    const keyLengthMax = this.recordBytesMax - OVERHEAD_BYTES;
    for (let p = at - base; p <= last; p++) {
      if (((bytes[p + OP_AT]! - 1) & 0xff) >= OP_MAX) continue;
      const keyLength = view.getInt32(p + KEY_LENGTH_AT, true);
      if (keyLength < 0 || keyLength > keyLengthMax) continue;
      const length = view.getUint32(p, true);
      const valueAt = p + KEY_AT + keyLength;
      if (length >= KEY_AT + keyLength && length <= this.recordBytesMax) {
        if (valueAt + 4 > count) return base + p; // the window must grow to tell
        if (view.getInt32(valueAt, true) === length - KEY_AT - keyLength) return base + p;
      }
      // Its length field disagrees or is nonsense: still a record if its sequence number fits.
      if (this.#plausibleSeqAt(p, base + p - from, hint)) return base + p;
    }
    return -1;
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

  #plausibleSeq(at: number, from: number, hint: SeqHint): boolean {
    return this.#plausibleSeqAt(at - this.window.base, at - from, hint);
  }

  /** Between the last one seen and as many more as the skipped bytes can have held. */
  #plausibleSeqAt(p: number, skipped: number, hint: SeqHint): boolean {
    if (hint.last < 0) return false;
    const { view } = this.window;
    const seq =
      view.getUint32(p + SEQ_AT + 4, true) * 0x1_0000_0000 + view.getUint32(p + SEQ_AT, true);
    return seq > hint.last && seq <= hint.last + 2 + skipped / OVERHEAD_BYTES;
  }

  #verify(at: number): Check {
    const { bytes, view, base } = this.window;
    const p = at - base;
    const keyAt = at + KEY_AT;
    const valueAt = keyAt + this.keyLength + 4;
    const end = at + this.total;
    let register = crc32.updateByte(CRC_INITIAL, this.op);
    if (this.total <= DIRECT_CRC_BYTES_MAX) {
      register = crc32.update(register, bytes, view, keyAt - base, keyAt - base + this.keyLength);
      register = crc32.update(register, bytes, view, valueAt - base, end - base);
    } else {
      this.#prefix ??= new PrefixCrc(crc32);
      const prefix = this.#prefix;
      register = prefix.span(register, bytes, view, base, keyAt, keyAt + this.keyLength);
      register = prefix.span(register, bytes, view, base, valueAt, end);
    }
    this.computed = ~register >>> 0;
    if (this.computed !== view.getUint32(p + CRC_AT, true)) return 'crc-mismatch';
    return this.op >= 1 && this.op <= OP_MAX ? 'intact' : 'bad-op';
  }

  async #need(at: number, length: number, anchor = at): Promise<void> {
    const { window } = this;
    if (window.end < at + length && !window.atEnd) {
      await window.fill(anchor, at - anchor + length);
    }
  }
}
