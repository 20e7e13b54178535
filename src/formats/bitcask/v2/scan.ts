/**
 * Reads a data file: intact records at the speed of their checksums, and around damage whatever the
 * checksums prove. Drawn in FORMAT.md.
 */
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import type { BitcaskScanContext, BitcaskVisitor } from '../model.ts';
import { noHead, SeenHead } from './damaged-record.ts';
import { RecordFinder, stampOf } from './finder.ts';
import { type DataIdentity, Identifier } from './identity.ts';
import { FILE_BYTES_MAX, HEAD_BYTES, HEADER_BYTES } from './layout.ts';
import { type Loss, Losses, lossesUpTo } from './losses.ts';
import { RecordCodec, seqOf } from './record.ts';
import { carried } from './store-files.ts';
import { Surroundings } from './surroundings.ts';
import { RecordTeller } from './teller.ts';

export async function scanData(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: BitcaskVisitor,
): Promise<void> {
  const window = new Window(source, context);
  const losses = new Losses(source.name, visitor);
  const identity = await new Identifier(window, context, losses).identify();
  if (!identity) return;
  const scan = new DataScan(window, context, visitor, losses, identity);
  await scan.run(Math.max(HEADER_BYTES, context.from ?? 0));
}

class DataScan {
  readonly #codec: RecordCodec;
  readonly #finder: RecordFinder;
  readonly #surroundings: Surroundings;
  readonly #teller: RecordTeller;
  /** Where reading began. */
  #start = 0;
  /** How far behind where they stand the records belong: more than 0 after bytes were cut out. */
  #shift = 0;
  /** How many more times the cause of a damaged body is looked for. */
  #diagnoses: number;
  /** The highest number that a record behind the first loss proves to have been durable. */
  #horizon: number | undefined;

  constructor(
    readonly window: Window,
    readonly context: BitcaskScanContext,
    readonly visitor: BitcaskVisitor,
    readonly losses: Losses,
    readonly identity: DataIdentity,
    /** Only what the records themselves say is of interest. */
    readonly looksAhead = false,
  ) {
    const { limits } = context;
    this.#codec = new RecordCodec(identity.fileCrc);
    this.#finder = new RecordFinder(window, limits.recordBytes);
    this.#surroundings = new Surroundings(window, context, identity);
    this.#diagnoses = looksAhead ? 0 : limits.findings;
    this.#teller = new RecordTeller(window, visitor, losses, {
      ascending: !identity.merged && !looksAhead,
      countedBytes: identity.entry?.dataBytes ?? FILE_BYTES_MAX,
      singly: looksAhead,
      batchBytesMax: limits.recordBytes,
      startsWithin: (context.from ?? 0) > HEADER_BYTES,
    });
  }

  async run(start: number, shift = 0): Promise<void> {
    const { window } = this;
    this.#start = start;
    this.#shift = shift;
    const teller = this.#teller;
    let at = start;
    for (;;) {
      const anchor = teller.batchFrom < 0 ? at : teller.batchFrom;
      await window.fill(anchor, at - anchor + HEAD_BYTES);
      const before = at;
      if (!this.losses.pending) at = this.#intactRun(at);
      if (teller.stopped) return;
      if (window.atEnd && at >= window.end) break;
      // A run that moved may just have come to the end of the window.
      if (at !== before && !window.atEnd) continue;
      at = await this.#examine(at);
      if (teller.stopped) return;
    }
    this.#endOfFile(at);
  }

  /**
   * Passes records as long as they are whole, intact, in their places and inside the window.
   * Returns where that ends.
   */
  #intactRun(at: number): number {
    const { bytes, view, base, count } = this.window;
    const teller = this.#teller;
    const codec = this.#codec;
    const shift = this.#shift;
    const place = base + shift;
    const { recordBytes } = this.context.limits;
    let p = at - base;
    while (!teller.stopped) {
      const available = Math.min(count - p, recordBytes);
      const total = codec.check(bytes, view, p, available, place + p);
      if (total === 0) break;
      teller.take(p, total, shift);
      p += total;
    }
    return base + p;
  }

  /** Decides about the place where a run ended. Returns where reading goes on. */
  async #examine(at: number): Promise<number> {
    const { window } = this;
    await this.#need(at, HEAD_BYTES);
    if (window.end < at + HEAD_BYTES) {
      const there = window.end - at;
      const message = `${there} bytes at the end, a record has at least ${HEAD_BYTES}`;
      this.#lose({ code: 'bad-length', offset: at, end: window.end, message });
      return window.end;
    }
    const stamp = stampOf(this.identity.fileCrc, at + this.#shift);
    const { bytes, view, base } = window;
    const head = SeenHead.read(bytes, view, at - base, at, stamp);
    if (head && !head.mended) return this.#framed(at, head, stamp);
    const message = noHead(bytes, view, at - base, stamp);
    const loss = { code: 'crc-mismatch', offset: at, end: at, message };
    // To stand a bit or two from its place looks like bits that flipped in the head.
    const strange = !head || (await this.#standsElsewhere(at));
    return strange ? this.#search(at, loss) : this.#framed(at, head, stamp, loss);
  }

  /** Whether the record at `at` is whole, but of another place. */
  async #standsElsewhere(at: number): Promise<boolean> {
    const { batchFrom } = this.#teller;
    return this.#finder.standsAt(at, batchFrom < 0 ? at : batchFrom);
  }

  /**
   * A head stands in its place, and tells how long its record is. `otherwise`: what is lost if the
   * head was mended and does not bear the body out.
   */
  async #framed(at: number, head: SeenHead, stamp: number, otherwise?: Loss): Promise<number> {
    const { window } = this;
    const { total } = head;
    const { recordBytes } = this.context.limits;
    if (total > recordBytes) {
      const message = `a record of ${total} bytes, the limit is ${recordBytes}`;
      return this.#lost({ code: 'bad-length', offset: at, end: at + total, message });
    }
    await this.#need(at, total);
    if (window.end < at + total) {
      const message = `the record has ${total} bytes, ${window.end - at} are there`;
      const records = 1;
      const cut = { code: 'bad-length', offset: at, end: window.end, message, records };
      return this.#search(at + 1, cut);
    }
    const computed = this.#finder.bodyCrc(at, total, stamp);
    if (head.makesSense && computed === head.bodyCrc) return this.#intact(at, head);
    if (otherwise && head.mended!.bodyCrcOnly) return this.#search(at, otherwise);
    const diagnose = this.#diagnoses-- > 0;
    const { bytes, base } = window;
    return this.#lost(head.loss(bytes, at - base, at, computed, diagnose));
  }

  /** A record whose head tells its length costs itself alone, if the file goes on behind it. */
  async #lost(loss: Loss): Promise<number> {
    const { offset, end } = loss;
    const around = this.#surroundings;
    // A stream shows what follows in the window alone.
    const length = end - offset + HEAD_BYTES;
    if (length <= this.context.limits.recordBytes) await this.#need(offset, length);
    if (around.isEnd(end) || (await around.headHolds(end, this.#shift))) {
      this.#lose({ ...loss, records: 1 });
      return end;
    }
    return this.#search(loss.offset + 1, loss);
  }

  /** An intact record behind a loss, or one that was mended, or that is longer than a window. */
  async #intact(at: number, head: SeenHead): Promise<number> {
    const { window } = this;
    const { total, mended } = head;
    if (this.losses.pending && !(await this.#settle(at, head.seq))) return window.end;
    const p = at - window.base;
    if (mended) {
      window.bytes.set(head.bytes, p);
      this.#teller.salvage(at, {
        code: 'crc-mismatch',
        message: 'the head does not check; with the bits turned back it does, and so does the body',
        diagnosis: mended.diagnosis,
        mend: mended.mend,
        repair: 'write the right head: nothing is lost',
      });
    }
    this.#teller.take(p, total, this.#shift);
    return at + total;
  }

  /** Looks from `from` on for a place where reading can go on. `loss`: what is lost at least. */
  async #search(from: number, loss: Loss): Promise<number> {
    const { window, identity } = this;
    const finder = this.#finder;
    const { fileCrc } = identity;
    const own = (stamp: number, at: number) =>
      stamp === stampOf(fileCrc, at + this.#shift) || stamp === stampOf(fileCrc, at);
    const found = await finder.find(from, own);
    const end = found ? finder.at : window.end;
    for (const one of lossesUpTo(end, loss, finder.zerosOnly)) this.#lose(one);
    return found ? this.#arrive() : window.end;
  }

  /** The finder stands at a record, of this place or of another. */
  async #arrive(): Promise<number> {
    const { at, total, stamp } = this.#finder;
    const { fileCrc } = this.identity;
    if (stamp === stampOf(fileCrc, at + this.#shift)) return at;
    await this.#need(at, total + HEAD_BYTES);
    const home = stamp === stampOf(fileCrc, at);
    const { lastSeq } = this.#teller;
    if (home || (await this.#surroundings.isDisplaced(at, total, stamp, lastSeq))) {
      this.#displaced(at, stampOf(stamp, fileCrc) - at);
      return at;
    }
    if (this.losses.extendLast('misplaced', at, at + total)) return at + total;
    const { view, base, end, source } = this.window;
    const size = source.size ?? end;
    const origin = this.#surroundings.origin(stamp, total, seqOf(view, at - base), size);
    const message = `intact, but of another place: what stands here belongs at ${origin}`;
    this.#lose({ code: 'misplaced', offset: at, end: at + total, message });
    return at + total;
  }

  /** From `at` on the records stand `shift` bytes before their places. */
  #displaced(at: number, shift: number): void {
    const bytes = shift - this.#shift;
    const before = this.#teller.breakOff(at);
    if (before) this.losses.add(before);
    this.losses.holes(`a record of this file stands at ${at}`);
    const missing = bytes > 0;
    const what = missing
      ? `${bytes} bytes are missing before`
      : `${-bytes} bytes too many stand before`;
    const message = `${what}: the record at ${at} belongs at ${at + shift}, as do those behind it`;
    const records = missing ? Math.max(1, Math.floor(bytes / HEAD_BYTES)) : 0;
    const repair = 'nothing to drop: the records are kept';
    this.losses.note('displaced', at, 0, message, { lost: missing, records, repair });
    if (!missing) this.#teller.lastSeq = -1;
    this.#shift = shift;
  }

  #lose(loss: Loss): void {
    const before = this.#teller.breakOff(loss.offset);
    if (before) this.losses.add(before);
    this.losses.add(loss);
  }

  /**
   * Something intact stands at `at`. False if what was lost is the torn end of the file all the
   * same: a crash can leave later pages of what was not synced without earlier ones.
   */
  async #settle(at: number, seq: number): Promise<boolean> {
    const { losses, window } = this;
    if (this.#canBeTorn(losses.from) && !(await this.#provesHole(losses.from, at))) {
      const evidence = `records follow at ${at}, and none of them proves that this was durable`;
      const end = window.source.size!;
      losses.torn(end, evidence);
      this.#teller.stopped = true;
      this.#keepSummary();
      return false;
    }
    const { lastSeq } = this.#teller;
    const ascending = !this.identity.merged && lastSeq >= 0;
    const gap = ascending ? Math.max(0, seq - lastSeq - 1) : Number.POSITIVE_INFINITY;
    const most = Math.ceil((at - losses.from) / HEAD_BYTES);
    const which =
      gap > 0 && gap <= most
        ? `; ${gap === 1 ? `number ${seq - 1} is` : `${lastSeq + 1} to ${seq - 1} are`} missing`
        : '';
    losses.holes(`an intact record follows at ${at}${which}`, gap);
    return true;
  }

  #canBeTorn(from: number): boolean {
    const { identity, window, looksAhead } = this;
    const { source } = window;
    if (identity.complete || looksAhead) return false;
    if (identity.merged || source.forwardOnly || source.size === undefined) return false;
    return from >= identity.durableBytes && this.#due(from) >= 0;
  }

  /** The number that was due at a loss at `from`; -1: not known. */
  #due(from: number): number {
    const { entry, manifest } = this.identity;
    // What was written since the manifest was has numbers from its next_seq on.
    const next = entry && from >= entry.dataBytes ? manifest!.nextSeq : -1;
    const { lastSeq } = this.#teller;
    return Math.max(next, lastSeq < 0 ? -1 : lastSeq + 1);
  }

  /** Whether a record from `at` on was written when what is lost was durable already. */
  async #provesHole(from: number, at: number): Promise<boolean> {
    this.#horizon ??= await this.#durableBehind(at);
    return this.#horizon >= this.#due(from);
  }

  async #durableBehind(at: number): Promise<number> {
    let most = -1;
    const { window, identity } = this;
    const context = { ...this.context, progress: undefined };
    const visitor: BitcaskVisitor = {
      record({ seq, unsynced }) {
        most = Math.max(most, seq - unsynced);
      },
      damage() {},
    };
    const ahead = new Window(window.source, context);
    const losses = new Losses(window.source.name, visitor);
    const scan = new DataScan(ahead, context, visitor, losses, identity, true);
    await scan.run(at, this.#shift);
    return most;
  }

  #endOfFile(end: number): void {
    const { losses, identity } = this;
    const before = this.#teller.breakOff(end);
    if (before) losses.add(before);
    if (losses.pending) {
      const { complete, durableBytes, entry } = identity;
      if (complete) losses.holes('nothing more was being written: the manifest has its size');
      else if (losses.from < durableBytes) {
        losses.holes(`${entry!.dataBytes} bytes were durable when the manifest was written`);
      } else losses.torn(end, 'nothing intact follows in this file');
    }
    this.#keepSummary();
  }

  /** What the manifest is held against; of a file that was read from its beginning. */
  #keepSummary(): void {
    if (this.looksAhead || this.#start > HEADER_BYTES || !this.context.carry) return;
    carried(this.context).summaries.set(this.window.source.name, this.#teller.summary);
  }

  async #need(at: number, length: number): Promise<void> {
    const { batchFrom } = this.#teller;
    await this.#finder.need(at, length, batchFrom < 0 ? at : batchFrom);
  }
}
