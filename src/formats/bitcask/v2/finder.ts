/**
 * The search behind damage: the next offset at which a record stands, of this place or of any
 * other. The checksum of a head tells which seed it was made with, whatever that was; if the body
 * was made with the same, a whole record stands there, and the seed tells where it belongs.
 *
 * Every byte offset is a candidate. Most are refuted by their fields; a checksum over a long span
 * comes from prefix registers, so the cost is linear in the bytes skipped whatever they hold.
 */
import { CrcOrigin, PrefixCrc } from '../../../shared/crc-shift.ts';
import { crc32c } from '../../../shared/crc32.ts';
import type { Window } from '../../bytes/window.ts';
import {
  BODY_CRC_AT,
  DELETE,
  FLAGS_AT,
  FLAGS_KNOWN,
  HEAD_BYTES,
  HEAD_CRC_AT,
  KIND_AT,
} from './layout.ts';
import { headMakesSense, recordBytesOf } from './record.ts';

/** Bodies up to this are summed byte by byte. */
const DIRECT_CRC_BYTES_MAX = 256;
/** Candidates looked at before signals and timers get a turn. */
const SEARCH_STEP_BYTES = 64 * 1024;

/** What a stamp is XORed with gives the other: the file's crc and the record's offset. */
export const stampOf = (fileCrc: number, offset: number): number => (fileCrc ^ offset) >>> 0;

let headOrigin: CrcOrigin | undefined;

/** The stamp that the head at bytes[at] was made with, if it is a head at all. */
export function solveStamp(bytes: Uint8Array, view: DataView, at: number): number {
  headOrigin ??= new CrcOrigin(crc32c, HEAD_BYTES - BODY_CRC_AT);
  const last = ~view.getInt32(at + HEAD_CRC_AT, true);
  return ~headOrigin.find(last, bytes, view, at + BODY_CRC_AT) >>> 0;
}

export class RecordFinder {
  /** Where the record was found, its bytes, and its stamp: file_crc ^ offset. */
  at = 0;
  total = 0;
  stamp = 0;
  /** Set by the caller before a search; false afterwards if a byte that was skipped is not zero. */
  zerosOnly = true;
  #prefix: PrefixCrc | undefined;

  constructor(
    readonly window: Window,
    readonly recordBytesMax: number,
  ) {}

  /** Makes [at, at + length) available, as far as the file goes, keeping all from `anchor` on. */
  async need(at: number, length: number, anchor = at): Promise<void> {
    const { window } = this;
    if (window.end < at + length && !window.atEnd) {
      await window.fill(anchor, at - anchor + length);
    }
  }

  /**
   * The first offset from `from` on at which a record is whole, or a head stands whose stamp is one
   * that `own` tells of its offset. False when the file ends first.
   */
  async find(from: number, own: (stamp: number, at: number) => boolean): Promise<boolean> {
    const { window } = this;
    this.zerosOnly = true;
    let at = from;
    for (;;) {
      await this.need(at, HEAD_BYTES);
      if (window.end < at + HEAD_BYTES) {
        this.#lookForNonZero(at, window.end);
        return false;
      }
      const limit = Math.min(window.end - HEAD_BYTES + 1, at + SEARCH_STEP_BYTES);
      const candidate = this.#nextCandidate(at, limit);
      this.#lookForNonZero(at, candidate);
      at = candidate;
      if (candidate === limit) {
        // Gives others a turn.
        await window.fill(at, HEAD_BYTES);
        continue;
      }
      if (await this.#look(candidate, own)) return true;
      this.#lookForNonZero(candidate, candidate + 1);
      at++;
    }
  }

  /**
   * Whether a record of any place stands whole at `at`, whose head is in the window; all from
   * `anchor` on stays there.
   */
  async standsAt(at: number, anchor: number): Promise<boolean> {
    const { bytes, view, base } = this.window;
    if (this.#nextCandidate(at, at + 1) !== at) return false;
    const stamp = solveStamp(bytes, view, at - base);
    const total = recordBytesOf(view, at - base);
    await this.need(at, total, anchor);
    return this.window.end >= at + total && this.bodyHolds(at, total, stamp);
  }

  /** Whether the body of the record at `at`, which is in the window, was made with this stamp. */
  bodyHolds(at: number, total: number, stamp: number): boolean {
    return this.bodyCrc(at, total, stamp) === this.#bodyStored(at);
  }

  /** The checksum of the body as it should be, a signed integer. */
  bodyCrc(at: number, total: number, stamp: number): number {
    const { bytes, view, base } = this.window;
    const bodyAt = at + HEAD_BYTES;
    const end = at + total;
    if (end - bodyAt <= DIRECT_CRC_BYTES_MAX) {
      return ~crc32c.update(~stamp, bytes, view, bodyAt - base, end - base);
    }
    this.#prefix ??= new PrefixCrc(crc32c);
    return ~this.#prefix.span(~stamp, bytes, view, base, bodyAt, end);
  }

  #bodyStored(at: number): number {
    return this.window.view.getInt32(at - this.window.base + BODY_CRC_AT, true);
  }

  async #look(at: number, own: (stamp: number, at: number) => boolean): Promise<boolean> {
    const { window } = this;
    const p = at - window.base;
    this.at = at;
    this.total = recordBytesOf(window.view, p);
    this.stamp = solveStamp(window.bytes, window.view, p);
    if (own(this.stamp, at)) return true;
    await this.need(at, this.total);
    return window.end >= at + this.total && this.bodyHolds(at, this.total, this.stamp);
  }

  /** The first offset in [from, to) whose fields may be those of a head; `to` if there is none. */
  #nextCandidate(from: number, to: number): number {
    const { bytes, view, base, end, atEnd, source } = this.window;
    const fileEnd = atEnd ? end : (source.size ?? Number.POSITIVE_INFINITY);
    const bytesMax = this.recordBytesMax;
    for (let at = from; at < to; at++) {
      const p = at - base;
      const kind = bytes[p + KIND_AT]!;
      if (kind === 0 || kind > DELETE || bytes[p + FLAGS_AT]! > FLAGS_KNOWN) continue;
      const total = recordBytesOf(view, p);
      if (total > bytesMax || at + total > fileEnd || !headMakesSense(bytes, view, p)) continue;
      return at;
    }
    return to;
  }

  #lookForNonZero(from: number, to: number): void {
    if (!this.zerosOnly) return;
    const { bytes, base } = this.window;
    for (let p = from - base; p < to - base; p++) {
      if (bytes[p] !== 0) {
        this.zerosOnly = false;
        return;
      }
    }
  }
}
