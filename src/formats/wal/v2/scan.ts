/**
 * Reads a segment of the hardened log, block by block. Drawn in layout.ts. A fragment checks only
 * behind the one it was written behind; after damage reading goes on with the next fragment if the
 * damaged one's frame and stored checksum lead there, else at the next block.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { WalRecord, type WalScanContext, type WalVisitor } from '../model.ts';
import { SegmentEnd } from './end.ts';
import { examineFragment, fragmentHolds, nonZero } from './examine.ts';
import { type BlockHeader, decodeBlockHeader } from './headers.ts';
import { Identity } from './identity.ts';
import { IntactRun } from './intact-run.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  blockStart,
  FIRST,
  FRAGMENT_BYTES_MIN,
  FRAGMENT_HEADER_BYTES,
  FULL,
  LAST,
  MARK,
  MARK_BYTES,
  MIDDLE,
} from './layout.ts';
import { Losses } from './losses.ts';
import { findMark } from './mark.ts';
import { visitOperations } from './payload.ts';
import { Pieces } from './pieces.ts';

export class V2Scan {
  readonly #window: Window;
  readonly #losses: Losses;
  readonly #record = new WalRecord();
  readonly #run: IntactRun;
  readonly #identity: Identity;
  /** The crc that the next fragment continues; -1: not known. */
  #chain = -1;
  readonly #pieces: Pieces;
  /** True while fragments may belong to a record that began before the block the scan begins at. */
  #joining: boolean;
  /**
   * File offset behind the last whole record or mark, and the crc there: when damage is told, that
   * of what stands before it.
   */
  readonly whole = new SegmentEnd();
  readonly end = new SegmentEnd();

  constructor(
    readonly source: ByteSource,
    readonly context: WalScanContext,
    readonly visitor: WalVisitor,
  ) {
    this.#window = new Window(source, context);
    this.#losses = new Losses(source.name, visitor, context.limits.findings);
    this.#identity = new Identity(source.name, context, this.#losses);
    this.#record.file = source.name;
    this.#run = new IntactRun(this.#record, visitor, (problem) => this.#undecodable(problem));
    this.#pieces = new Pieces(context.limits.recordBytes);
    this.#joining = (context.from ?? 0) >= BLOCK_BYTES;
  }

  /** The segment's header, if it is intact. */
  get header() {
    return this.#identity.header;
  }

  get #stopped(): boolean {
    return this.visitor.done?.() ?? false;
  }

  async run(): Promise<void> {
    const window = this.#window;
    // To begin within the segment is to begin at a block: its header has all it takes.
    const first = Math.floor((this.context.from ?? 0) / BLOCK_BYTES);
    for (let block = first; !this.#stopped; block++) {
      const at = block * BLOCK_BYTES;
      if (window.end < at + BLOCK_BYTES && !window.atEnd) await window.fill(at, BLOCK_BYTES);
      const available = Math.min(BLOCK_BYTES, window.end - at);
      if (available <= 0) break;
      if (block === 0) this.#chain = this.#identity.readHeader(window, available, this.visitor);
      if (this.#identity.refused) return;
      this.#block(block, at, available);
    }
    if (this.#stopped) return;
    this.#abandonPieces(window.end);
    this.#losses.endOfFile(window.end);
    this.#identity.leave(this.end.chain);
  }

  #block(block: number, at: number, available: number): void {
    const { bytes, view, base } = this.#window;
    const start = at - base;
    const end = start + available;
    const headerAt = start + blockStart(block) - BLOCK_HEADER_BYTES;
    if (headerAt + BLOCK_HEADER_BYTES > end) {
      if (headerAt === end) return; // a segment without records yet
      const from = Math.min(end, block === 0 ? start : headerAt);
      this.#tailOrLoss(from, end, 'the block header is cut');
      return;
    }
    const firstNonZero = nonZero(bytes, headerAt, end);
    if (firstNonZero < 0) {
      // Behind a header, zeros were allocated ahead. Without one, nothing of the segment is there.
      if (block > 0 || this.#identity.header) this.#losses.zeros(base + headerAt, base + end);
      else if (!this.#identity.told) {
        const message = 'zeros where the segment header and its records belong';
        this.#losses.add('zero-header', base + start, base + end, message);
      }
      return;
    }
    const header = decodeBlockHeader(bytes, view, headerAt);
    const chain = this.#chainOf(header, block, headerAt, end);
    if (chain === undefined) {
      this.#chain = -1;
      return;
    }
    this.#chain = chain;
    this.#fragments(headerAt + BLOCK_HEADER_BYTES, end, start + BLOCK_BYTES);
  }

  /** The value that the block's chain begins with; undefined: the block is lost, and told. */
  #chainOf(header: BlockHeader, block: number, headerAt: number, end: number): number | undefined {
    const { bytes, view, base } = this.#window;
    const offset = base + headerAt;
    if (header.intact) {
      const problem = this.#identity.misplaced(header, block);
      if (problem) {
        this.#abandonPieces(offset);
        this.#losses.add('misplaced-block', offset, base + end, problem);
        return undefined;
      }
      const expected = this.#chain;
      if (expected >= 0 && header.previousChain !== expected) {
        if (!this.#losses.pending) {
          this.#losses.note(
            'chain-broken',
            offset,
            BLOCK_HEADER_BYTES,
            `block ${block} continues ${hex32(header.previousChain)}, the block before ends with ` +
              `${hex32(expected)}: what stood between is cut out or replaced`,
          );
        }
        this.#abandonPieces(offset);
      }
      return header.crc;
    }
    // Header hit: what the fragments behind it continue is its stored crc, or the one its fields
    // give.
    const computed =
      ~crc32c.update(-1, bytes, view, headerAt + 4, headerAt + BLOCK_HEADER_BYTES) >>> 0;
    const message = `block header ${block}: stored ${hex32(header.crc)}, computed ${hex32(computed)}`;
    const next = headerAt + BLOCK_HEADER_BYTES;
    for (const chain of [header.crc, computed]) {
      if (fragmentHolds(bytes, view, next, end, chain)) {
        this.#losses.noteFlips('crc-mismatch', offset, BLOCK_HEADER_BYTES, message, {
          stored: header.crc,
          computed,
          crcAt: offset,
          dataAt: offset + 4,
          dataBytes: BLOCK_HEADER_BYTES - 4,
        });
        return chain;
      }
    }
    this.#tailOrLoss(headerAt, end, message);
    return undefined;
  }

  /**
   * Visits the fragments in [start, end); `blockEnd` is where the block ends if the file does not
   * before.
   */
  #fragments(start: number, end: number, blockEnd: number): void {
    const { bytes, view, base } = this.#window;
    let p = start;
    while (p + FRAGMENT_BYTES_MIN <= end) {
      p = this.#intactRun(p, end);
      if (p + FRAGMENT_BYTES_MIN > end || this.#stopped) break;
      const length = view.getUint16(p + 4, true);
      const type = bytes[p + 6]!;
      const next = p + FRAGMENT_HEADER_BYTES + length;
      const sound = length > 0 && type >= FULL && type <= MARK && next <= end;
      const crc = sound ? ~crc32c.update(~this.#chain, bytes, view, p + 4, next) >>> 0 : 0;
      if (!sound || crc !== view.getUint32(p, true)) {
        const resumed = this.#badFragment(p, end);
        if (resumed < 0) return;
        p = resumed;
        continue;
      }
      this.#chain = crc;
      this.#fragment(type, p, p + FRAGMENT_HEADER_BYTES, next);
      p = next;
    }
    if (this.#stopped) return;
    if (p < end && nonZero(bytes, p, end) >= 0) {
      const message = `${end - p} bytes of padding, expected zeros`;
      if (end === blockEnd) this.#losses.note('bad-padding', base + p, end - p, message);
      else
        this.#tailOrLoss(p, end, `${end - p} bytes, a fragment has at least ${FRAGMENT_BYTES_MIN}`);
    }
  }

  /**
   * Visits whole records as long as nothing else is to be thought of, which is nearly always.
   * Returns where that ends.
   */
  #intactRun(start: number, end: number): number {
    if (this.#pieces.begun || this.#losses.pending) return start;
    const { bytes, view, base } = this.#window;
    const run = this.#run;
    const p = run.visit(bytes, view, base, start, end, this.#chain);
    if (p > start) {
      this.#joining = false;
      this.#chain = run.chain;
      this.end.mark = 0;
      this.end.position = base + p;
      this.end.chain = this.#chain;
      this.whole.position = this.end.position;
      this.whole.chain = this.#chain;
    }
    return p;
  }

  /** Returns where in the block reading goes on; -1: not in this block. */
  #badFragment(p: number, end: number): number {
    const { bytes, view, base } = this.#window;
    const what = examineFragment(bytes, view, p, end, this.#chain);
    if (what.kind === 'zeros') {
      this.#losses.zeros(base + p, base + end);
      this.#chain = this.end.chain;
      return -1;
    }
    const { message, chain, next } = what;
    this.#chain = chain;
    if (what.kind === 'lost') {
      const upTo = next < 0 ? end : next;
      const { place } = this.#identity;
      const mark = place ? findMark(bytes, view, p + 1, upTo, place, base) : -1;
      this.#tailOrLoss(p, mark < 0 ? upTo : mark, message);
      if (mark >= 0) return this.#goOnAtMark(mark);
    } else if (what.kind === 'framed') {
      this.#abandonPieces(base + p);
      const dataAt = base + p + 4;
      const { computed } = what;
      const place = { crcAt: base + p, dataAt, dataBytes: base + next - dataAt };
      const mismatch = { stored: chain, computed, ...place };
      this.#losses.addFlips('crc-mismatch', base + p, base + next, message, mismatch);
    } else {
      const offset = base + what.at;
      this.#losses.note('crc-mismatch', base + p, FRAGMENT_HEADER_BYTES, message, {
        diagnosis: what.diagnosis(offset),
        mend: { offset, hex: what.right },
      });
      this.#fragment(what.type, p, p + FRAGMENT_HEADER_BYTES, next);
    }
    return next;
  }

  /** Behind a mark that checks on its own, what its chain says is as good as any. */
  #goOnAtMark(p: number): number {
    const next = p + FRAGMENT_HEADER_BYTES + MARK_BYTES;
    this.#chain = this.#window.view.getUint32(p, true);
    this.#fragment(MARK, p, p + FRAGMENT_HEADER_BYTES, next);
    return next;
  }

  #fragment(type: number, p: number, payload: number, next: number): void {
    const { bytes, view, base } = this.#window;
    const { end } = this;
    const joining = this.#joining;
    this.#joining = joining && type === MIDDLE;
    end.mark = 0;
    if (type === FULL) {
      this.#abandonPieces(base + p);
      this.#deliver(bytes, view, payload, next, base + p, base + next);
    } else if (type === MARK) {
      this.#abandonPieces(base + p);
      this.#losses.settle(base + p);
      end.mark = bytes[payload]!;
      end.markNextSeq = next - payload >= 9 ? view.getBigUint64(payload + 1, true) : 0n;
    } else if (type === FIRST) {
      this.#abandonPieces(base + p);
      this.#losses.settle(base + p);
      this.#pieces.begin(base + p);
      this.#keep(payload, next);
    } else if (joining) {
      this.#losses.settle(base + p);
    } else if (!this.#pieces.begun) {
      const message = `a ${type === LAST ? 'last' : 'middle'} fragment without its first`;
      this.#losses.add('fragment', base + p, base + next, message);
    } else {
      this.#keep(payload, next);
      if (type === LAST && this.#pieces.begun) {
        const { bytes: whole, view: wholeView, count } = this.#pieces;
        this.#deliver(whole, wholeView, 0, count, this.#pieces.end(), base + next);
      }
    }
    end.position = base + next;
    end.chain = this.#chain;
    // The rest of a record that is lost is intact, and yet nothing to go on behind.
    if (type === FIRST || this.#pieces.begun || this.#joining || this.#losses.pending) return;
    this.whole.position = end.position;
    this.whole.chain = end.chain;
  }

  #keep(from: number, to: number): void {
    const { bytes, base } = this.#window;
    const { start, count } = this.#pieces;
    if (this.#pieces.add(bytes, from, to)) return;
    const message = `a record of over ${count} bytes, the limit is ${this.#pieces.bytesMax}`;
    this.#losses.add('bad-length', start, base + to, message);
  }

  #deliver(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    offset: number,
    offsetEnd: number,
  ): void {
    this.#losses.settle(offset);
    const record = this.#record;
    record.offset = offset;
    record.length = offsetEnd - offset;
    const problem = visitOperations(bytes, view, start, end, record, this.visitor);
    if (problem) this.#undecodable(problem);
  }

  #undecodable(problem: string): void {
    const { offset, length } = this.#record;
    this.#losses.note('bad-op', offset, length, `the checksum holds, but: ${problem}`);
  }

  /** A record that was begun and is not finished is lost from its start on. */
  #abandonPieces(upTo: number): void {
    if (!this.#pieces.begun) return;
    this.#losses.add('fragment', this.#pieces.end(), upTo, 'a record without its last fragment');
  }

  #tailOrLoss(from: number, end: number, message: string): void {
    const { base } = this.#window;
    this.#abandonPieces(base + from);
    this.#losses.add('crc-mismatch', base + from, base + end, message);
  }
}
