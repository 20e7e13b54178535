/**
 * Decides about one place where no intact fragment of this log stands, on the evidence of the rest
 * of its block. Every way out moves forward.
 */
import type { Window } from '../../bytes/window.ts';
import {
  BLOCK_BYTES,
  FIRST_TYPE,
  FULL_TYPE,
  HEADER_BYTES,
  RECYCLABLE_HEADER_BYTES,
  TYPE_AT,
  ZERO_TYPE,
} from './constants.ts';
import { diagnose, mendOf, operationsMax, operationsThatFit } from './diagnose.ts';
import { framesEnd } from './frames.ts';
import type { FragmentHead, FragmentSink, Gap } from './gap.ts';
import {
  computeCrc,
  dataBytes,
  type HeaderTable,
  intactEnd,
  isRecyclable,
  LEVELDB_HEADERS,
  logNumberAt,
  mask,
  plainType,
} from './header.ts';
import type { LogIdentity } from './identity.ts';
import { FragmentSearch, firstNonZero } from './search.ts';

/** Places between a damaged fragment and its supposed end where it may end in fact. */
const CANDIDATES_MAX = 16;

/** A guess at what the data bytes[start, end) of a damaged fragment holds: `put "user:005"`. */
export type SubjectOf = (bytes: Uint8Array, start: number, end: number) => string | undefined;

export class Examiner {
  readonly #search = new FragmentSearch();
  /** Header bytes that a fragment can have here. */
  readonly #headerSizes: readonly number[];

  constructor(
    readonly window: Window,
    readonly headers: HeaderTable,
    readonly identity: LogIdentity,
    readonly sink: FragmentSink,
    /** Explanations cost more than detection; those that nobody will see are not looked for. */
    private diagnosesLeft: number,
    /** What data seems to hold, for people. */
    readonly subjectOf?: SubjectOf,
  ) {
    this.#headerSizes =
      headers === LEVELDB_HEADERS ? [HEADER_BYTES] : [HEADER_BYTES, RECYCLABLE_HEADER_BYTES];
  }

  /** The rest of the block is in the window, or of the file. Returns where reading goes on. */
  examine(at: number): number {
    const { bytes, base, count } = this.window;
    const p = at - base;
    const blockEnd = p + BLOCK_BYTES - (at % BLOCK_BYTES);
    const end = Math.min(blockEnd, count);
    if (blockEnd - p < HEADER_BYTES) return this.#trailer(p, end);
    const type = bytes[p + TYPE_AT]!;
    const zeroHeader = end - p < HEADER_BYTES || (type === ZERO_TYPE && dataBytes(bytes, p) === 0);
    if (zeroHeader && firstNonZero(bytes, p, end) === end) return this.#zeros(p, end, blockEnd);
    if (end - p < HEADER_BYTES) return this.#gap('damage', p, end);

    const next = this.#intactEnd(p, end);
    if (next < 0) return this.#damaged(p, end, blockEnd);
    // Intact, and not taken by the run: its type is unknown.
    if (this.identity.inStale) return this.stale(p, next);
    const headerBytes = next - p - dataBytes(bytes, p);
    this.sink.fragment(bytes, p + headerBytes, next, at, headerBytes, type, -1);
    return base + next;
  }

  /** The intact fragment [p, next) is not of this log. */
  stale(p: number, next: number): number {
    this.identity.inStale = true;
    const { bytes, view } = this.window;
    const logNumber = logNumberAt(view, p);
    return this.#gap('stale', p, next, isRecyclable(bytes[p + TYPE_AT]!) ? { logNumber } : {});
  }

  /** End of the intact fragment at `p`, of a known type or of any; -1: there is none. */
  #intactEnd(p: number, end: number): number {
    const { bytes, view } = this.window;
    const type = bytes[p + TYPE_AT]!;
    if (this.headers[type] !== 0) return intactEnd(this.headers, bytes, view, p, end);
    if (type === ZERO_TYPE) return -1;
    for (const headerBytes of this.#headerSizes) {
      const next = p + headerBytes + dataBytes(bytes, p);
      if (next <= end && this.#search.holds(this.window, p, next)) return next;
    }
    return -1;
  }

  #trailer(p: number, end: number): number {
    const { bytes, base } = this.window;
    const dirty = firstNonZero(bytes, p, end) < end;
    if (dirty && this.sink.inGap) return this.#gap('damage', p, end);
    this.sink.filler(base + p, end - p, dirty);
    return base + end;
  }

  #zeros(p: number, end: number, blockEnd: number): number {
    const { identity, sink, window } = this;
    // A writer with longer headers leaves a longer trailer.
    if (identity.recyclable && blockEnd - p < RECYCLABLE_HEADER_BYTES) {
      sink.filler(window.base + p, end - p, false);
      return window.base + end;
    }
    return this.#gap('zeros', p, end);
  }

  #damaged(p: number, end: number, blockEnd: number): number {
    const framedEnd = this.#framedEnd(p, end);
    const limit = framedEnd >= 0 ? framedEnd : end;
    // An intact fragment before that may be part of a value, or the length that leads over it is
    // hit.
    const { window, identity } = this;
    let first = -1;
    let found = p;
    for (let i = 0; i < CANDIDATES_MAX; i++) {
      found = this.#search.find(window, identity.searched, found + 1, limit, end);
      if (found < 0) break;
      if (first < 0) first = found;
      if (this.#salvage(p, found)) return window.base + found;
    }
    if (framedEnd >= 0) return this.#damage(p, framedEnd, end, blockEnd, true);
    if (first < 0) {
      const salvaged = this.#salvageLast(p, end, end === blockEnd);
      if (salvaged >= 0) return salvaged;
    }
    const to = first < 0 ? end : first;
    const next = framesEnd(window.bytes, this.headers, p, to, end === blockEnd);
    return this.#damage(p, next < 0 ? to : next, end, blockEnd, next >= 0);
  }

  /** Where the damaged fragment ends, if an intact one follows there; -1 if not. */
  #framedEnd(p: number, end: number): number {
    const { bytes } = this.window;
    const first = this.headers[bytes[p + TYPE_AT]!]!;
    // The type may be what is hit, and with it the size of the header.
    const sizes =
      first === RECYCLABLE_HEADER_BYTES ? this.#headerSizes.toReversed() : this.#headerSizes;
    for (const headerBytes of sizes) {
      const next = p + headerBytes + dataBytes(bytes, p);
      if (next < end && this.#intactEnd(next, end) >= 0) return next;
    }
    return -1;
  }

  /**
   * The length field lies outside the checksum. If that holds up to `next`, where something else
   * begins, the length alone is hit, and nothing is lost.
   */
  #salvage(p: number, next: number): boolean {
    const { window, identity } = this;
    const { bytes, view, base } = window;
    const type = bytes[p + TYPE_AT]!;
    const headerBytes = this.headers[type]!;
    if (headerBytes === 0 || p + headerBytes > next) return false;
    if (headerBytes === RECYCLABLE_HEADER_BYTES && !identity.claims(view, p)) return false;
    if (!this.#search.holds(window, p, next)) return false;
    if (!identity.known) identity.learn(type, isRecyclable(type));
    if (headerBytes === RECYCLABLE_HEADER_BYTES) identity.inStale = false;
    const stored = dataBytes(bytes, p);
    this.sink.fragment(bytes, p + headerBytes, next, base + p, headerBytes, type, stored);
    return true;
  }

  /**
   * As `#salvage`, of the last fragment of its block or file: it ends there, or before a trailer
   * of zeros.
   */
  #salvageLast(p: number, end: number, blockEnds: boolean): number {
    const { bytes, base } = this.window;
    const shortest = blockEnds ? end - RECYCLABLE_HEADER_BYTES : end;
    for (let next = end; next >= shortest; next--) {
      if (next < end && bytes[next] !== 0) break;
      if (this.#salvage(p, next)) return base + next;
    }
    return -1;
  }

  /** Everything in [p, to) is damage; `to` is where reading goes on. */
  #damage(p: number, to: number, end: number, blockEnd: number, framed: boolean): number {
    const { bytes, view } = this.window;
    const type = bytes[p + TYPE_AT]!;
    const length = dataBytes(bytes, p);
    const headerBytes = this.headers[type]!;
    const claimed = p + (headerBytes || HEADER_BYTES) + length;
    const until = framed ? to : claimed;
    const computed = until <= end ? mask(computeCrc(bytes, view, p, until)) : undefined;
    const stored = view.getUint32(p, true);
    const head: FragmentHead = {
      type,
      length,
      headerBytes,
      stored,
      computed,
      blockBytes: blockEnd - p,
      available: end - p,
    };
    const own = headerBytes === RECYCLABLE_HEADER_BYTES && this.identity.claims(view, p);
    const told = framed ? this.#tell(p, to, head) : { records: 0 };
    return this.#gap('damage', p, to, { framed, own, head, ...told });
  }

  /**
   * What can be said of a damaged fragment with an intact frame: cause, cure, and what it held.
   */
  #tell(p: number, to: number, head: FragmentHead): Pick<Gap, 'records'> & Partial<Gap> {
    const { bytes, base } = this.window;
    const { type, stored, computed } = head;
    const data = p + (head.headerBytes || HEADER_BYTES);
    const zero = type === ZERO_TYPE && head.length === 0;
    if (zero || computed === undefined || this.diagnosesLeft-- <= 0) {
      return { records: operationsThatFit(to - data) };
    }
    const found = diagnose(base + p, stored, computed, to - p);
    const mend = found && mendOf(found, base + p, type, (offset) => bytes[offset - base]!);
    // Only the first fragment of a record shows what that is.
    const begins = plainType(type) === FULL_TYPE || plainType(type) === FIRST_TYPE;
    const subject = begins ? this.subjectOf?.(bytes, data, to) : undefined;
    return {
      records: operationsMax(bytes, data, to, type, found, base),
      ...(found && { diagnosis: found.text }),
      ...(mend && { mend }),
      ...(subject !== undefined && { subject }),
    };
  }

  #gap(kind: Gap['kind'], p: number, to: number, more: Partial<Gap> = {}): number {
    const { base } = this.window;
    const plain = { kind, offset: base + p, end: base + to, framed: false, own: false, records: 0 };
    this.sink.gap({ ...plain, ...more });
    return base + to;
  }
}
