/**
 * Reads a data file of the hash-indexed store. Nothing in a record vouches for it, so a record is
 * handed out when another header stands where it ends, or the file ends there; where neither is,
 * examine.ts decides which one was hit. The layout is drawn in layout.ts.
 */
import { Window } from '../../bytes/window.ts';
import type { Damage } from '../../damage.ts';
import type { ByteSource } from '../../format.ts';
import { BitcaskRecord, type BitcaskScanContext, type BitcaskVisitor } from '../model.ts';
import { Chain } from './chain.ts';
import { badTimestamp } from './damage.ts';
import { Evidence } from './evidence.ts';
import { Examiner } from './examine.ts';
import { Familiar } from './familiar.ts';
import { HEADER_BYTES, KEY_SIZE_AT, TIMESTAMP_BYTES, VALUE_SIZE_AT } from './layout.ts';

/** The first second of the year 10000: no clock tells that. */
const TIME_MAX = 253_402_300_800;

/** Why reading pauses. */
type Pause = 'end' | 'more' | 'new' | 'break';

export async function scanHashV1(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: BitcaskVisitor,
): Promise<void> {
  await new HashScan(source, context, visitor).run();
}

class HashScan {
  readonly #chain: Chain;
  readonly #familiar = new Familiar();
  readonly #evidence: Evidence;
  readonly #examiner: Examiner;
  readonly #record = new BitcaskRecord();
  /** File offset of the first record that is not handed out yet. */
  #at: number;
  /** The next place after #at where a hint says that a record begins. */
  #anchor: number;
  /** A record of an unfamiliar size that was looked into and found good, or by a wrong hint. */
  #cleared = -1;
  /** What stands where the record at #at ends was looked at: the record is good. */
  #endIsGood = -1;
  #stopped = false;

  constructor(
    source: ByteSource,
    context: BitcaskScanContext,
    readonly visitor: BitcaskVisitor,
  ) {
    this.#chain = new Chain(new Window(source, context), context.limits.recordBytes);
    this.#evidence = new Evidence(this.#chain, this.#familiar, context.anchors);
    this.#examiner = new Examiner(this.#evidence, source.name);
    this.#record.file = source.name;
    this.#at = context.from ?? 0;
    this.#anchor = this.#evidence.anchorAfter(this.#at);
  }

  async run(): Promise<void> {
    const chain = this.#chain;
    await chain.fill(this.#at, HEADER_BYTES);
    await this.#begin();
    while (!this.#stopped) {
      switch (this.#readOn()) {
        case 'end':
          return;
        case 'more':
          await chain.fill(this.#at, chain.needed - this.#at);
          break;
        case 'new':
          this.#lookInto();
          break;
        case 'break':
          await this.#examine();
      }
    }
  }

  /** A file begins with a record. Does it look like one, and what clock was it written by? */
  async #begin(): Promise<void> {
    const chain = this.#chain;
    const familiar = this.#familiar;
    const at = this.#at;
    if (!chain.hasHeader(at)) return;
    const next = chain.next(at);
    const time = chain.timestamp(at);
    if (familiar.isTimely(time)) return;
    let isOdd = false;
    if (next > 0) {
      await chain.fill(at, next - at + HEADER_BYTES);
      isOdd = chain.hasHeader(next) && familiar.isTimely(chain.timestamp(next));
    }
    if (!isOdd && familiar.isSomeTime(time)) familiar.noteTime(time);
    else if (!(await this.#examiner.stands(at))) {
      this.#damage(await this.#examiner.ofBreak(at, false));
    }
  }

  /** Hands out records as long as headers stand where they end. */
  #readOn(): Pause {
    const chain = this.#chain;
    const familiar = this.#familiar;
    const { view, base, end, fileEnd } = chain;
    for (;;) {
      const at = this.#at;
      const next = chain.next(at);
      if (next < 0) {
        if (at === fileEnd) return 'end';
        return at + HEADER_BYTES > end && end < fileEnd ? 'more' : 'break';
      }
      if (next + HEADER_BYTES > end && end < fileEnd) {
        chain.needed = Math.min(next + HEADER_BYTES, fileEnd);
        return 'more';
      }
      if (next !== fileEnd && this.#endIsGood !== next) {
        if (next + HEADER_BYTES > end) return 'break';
        const p = next - base;
        const time = view.getFloat64(p, true);
        if (!(time >= familiar.low && time <= familiar.high)) return 'break';
        if (view.getUint32(p + KEY_SIZE_AT, true) > chain.keyBytesMax) return 'break';
      }
      const valueSize = view.getUint32(at - base + VALUE_SIZE_AT, true);
      if (this.#anchor < next) {
        if (this.#anchor <= at) this.#anchor = this.#evidence.anchorAfter(at);
        if (this.#anchor < next && this.#cleared !== at) return 'new';
      }
      if (this.#cleared !== at && this.#maySwallow(at - base, next - base, valueSize)) return 'new';
      this.#visit(next, valueSize);
      if (this.#stopped) return 'end';
    }
  }

  /**
   * With one bit of a size turned back, the record from `start` to `end` would end at a time:
   * seldom, unless a hit size led over the records there. A quick look; lookInto tells.
   */
  #maySwallow(start: number, end: number, valueSize: number): boolean {
    const { view } = this.#chain;
    const { low, high } = this.#familiar;
    const keySize = end - start - HEADER_BYTES - valueSize;
    // A record has 16 bytes at least: lower bits need no look.
    for (let bits = (keySize | valueSize) & ~15; bits !== 0; bits &= bits - 1) {
      const place = end - (bits & -bits);
      if (place < start + HEADER_BYTES) return false;
      const time = view.getFloat64(place, true);
      if (time >= low && time <= high) return true;
    }
    return false;
  }

  /** Yields the record at #at, which is good and in the window up to its end, `next`. */
  #visit(next: number, valueSize: number): void {
    const { bytes, view, base } = this.#chain;
    const familiar = this.#familiar;
    const record = this.#record;
    const at = this.#at;
    const start = at - base;
    const time = view.getFloat64(start, true);
    record.bytes = bytes;
    record.offset = at;
    record.length = next - at;
    record.timestamp = time;
    record.deleted = valueSize === 0;
    record.keyStart = start + HEADER_BYTES;
    record.valueStart = next - base - valueSize;
    record.keyEnd = record.valueStart;
    record.valueEnd = next - base;
    record.salvaged = false;
    const isOdd = !(time >= familiar.low && time <= familiar.high) && this.#isOdd(time, next);
    if (!isOdd) familiar.noteTime(time);
    const isNone = isOdd && !(time >= 0 && time < TIME_MAX);
    const damage = isNone ? this.#noTime(at, start, time) : undefined;
    familiar.note(bytes, start, record.keyEnd - record.keyStart, valueSize);
    this.#at = next;
    this.visitor.record(record);
    if (this.visitor.done?.()) this.#stopped = true;
    else if (damage) this.#tell(damage);
  }

  /** A time unlike those before it, and unlike that of the record behind it. */
  #isOdd(time: number, next: number): boolean {
    const chain = this.#chain;
    const familiar = this.#familiar;
    if (!chain.hasHeader(next)) return familiar.records > 0 || !(time >= 0 && time < TIME_MAX);
    const after = chain.timestamp(next);
    return familiar.isTimely(after) || !familiar.areNear(time, after);
  }

  /** What no clock tells is mended if there is but one bit that makes it a time like others. */
  #noTime(at: number, start: number, time: number): Damage {
    const bits = this.#familiar.flippedBits(time);
    const { file } = this.#record;
    const [bit] = bits;
    if (bit === undefined || bits.length > 1) return badTimestamp(file, at, time);
    const copy = this.#chain.bytes.slice(start, start + TIMESTAMP_BYTES);
    copy[bit >>> 3]! ^= 1 << (bit & 7);
    const right = new DataView(copy.buffer).getFloat64(0, true);
    this.#record.salvaged = true;
    this.#record.timestamp = right;
    return badTimestamp(file, at, time, { bit, right });
  }

  /** A size that was not seen before may be a hit one that led to where a record begins. */
  #lookInto(): void {
    const at = this.#at;
    const next = this.#chain.next(at);
    this.#cleared = at;
    const found = this.#examiner.swallowed(at, next);
    if (!found) return;
    if ('damage' in found) {
      this.#damage(found);
      return;
    }
    this.#visit(next, this.#chain.valueSize(at));
    if (!this.#stopped) this.#tell(found);
  }

  /** The next record's time is like this one's, if like none before. */
  #goesOnInTime(at: number, next: number): boolean {
    const chain = this.#chain;
    const familiar = this.#familiar;
    if (!chain.hasHeader(next) || chain.next(next) < 0) return false;
    const time = chain.timestamp(at);
    return familiar.isTimely(time) && familiar.areNear(time, chain.timestamp(next));
  }

  async #examine(): Promise<void> {
    const examiner = this.#examiner;
    const chain = this.#chain;
    const at = this.#at;
    const next = chain.next(at);
    if (next < 0) {
      this.#damage(await examiner.ofBreak(at, true));
      return;
    }
    if (this.#goesOnInTime(at, next)) {
      this.#endIsGood = next;
      return;
    }
    const opinion = await examiner.ofRecord(at, next);
    if (typeof opinion === 'object') {
      this.#damage(opinion);
      return;
    }
    if (opinion === 'stands') {
      this.#endIsGood = next;
      return;
    }
    this.#visit(next, chain.valueSize(at));
    if (!this.#stopped) this.#damage(await examiner.ofBreak(next, false));
  }

  #damage({ damage, next }: { damage: Damage; next: number }): void {
    this.#at = next;
    this.#tell(damage);
  }

  #tell(damage: Damage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
