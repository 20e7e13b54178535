/**
 * Reads the LSM tree's log. Nothing in a record vouches for it, so a record is handed out when the
 * records behind it hold; where they do not, examine.ts decides which one was hit.
 */

import { FILE_END, MORE, NO_RECORD } from '../../bytes/chain-window.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { type WalDamage, WalRecord, type WalScanContext, type WalVisitor } from '../model.ts';
import { Chain } from './chain.ts';
import { Examiner } from './examine.ts';
import { Familiar } from './familiar.ts';
import { KEY_AT, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';
import { LookInto } from './look-into.ts';
import { Suspects } from './suspects.ts';
import { SwapScale } from './swap.ts';

/** A record is trusted when this one and so many less one behind it hold, … */
const LOOK_AHEAD_RECORDS = 4;
/** … or those that fit into so many bytes behind it, but always one. */
const LOOK_AHEAD_BYTES = 1024 * 1024;

/** Why reading pauses. */
type Pause = 'end' | 'more' | 'new' | 'break';

export async function scanLsmV1(
  source: ByteSource,
  context: WalScanContext,
  visitor: WalVisitor,
): Promise<void> {
  await new LsmScan(source, context, visitor).run();
}

class LsmScan {
  readonly #chain: Chain;
  readonly #familiar = new Familiar();
  readonly #suspects = new Suspects();
  readonly #examiner: Examiner;
  readonly #lookInto: LookInto;
  readonly #record = new WalRecord();
  /** File offset of the first record that is not handed out yet. */
  #at = 0;
  /** A record of unfamiliar lengths that was looked into and found good. */
  #cleared = -1;
  /** Of the longest record that was handed out. */
  #longest = 0;
  /**
   * Empty keys are believed while the chain is the one from the file's beginning, or had some
   * there.
   */
  #emptyKeys = true;
  #emptyKeySeen = false;
  #stopped = false;

  constructor(
    source: ByteSource,
    context: WalScanContext,
    readonly visitor: WalVisitor,
  ) {
    this.#chain = new Chain(new Window(source, context), context.limits.recordBytes);
    const scale = new SwapScale(this.#chain, this.#familiar);
    this.#examiner = new Examiner(this.#chain, this.#familiar, scale, source.name);
    this.#lookInto = new LookInto(this.#chain, this.#familiar, scale, source.name);
    this.#record.file = source.name;
  }

  async run(): Promise<void> {
    const chain = this.#chain;
    await chain.fill(0, OVERHEAD_BYTES);
    while (!this.#stopped) {
      switch (this.#readOn()) {
        case 'end':
          return;
        case 'more':
          await chain.fill(this.#at, chain.needed - this.#at);
          break;
        case 'new':
          await this.#meet();
          break;
        case 'break':
          await this.#examine();
      }
    }
  }

  /** Hands out records as long as those behind them hold. */
  #readOn(): Pause {
    const chain = this.#chain;
    let scout = this.#at;
    let ahead = 0;
    for (;;) {
      let answer = 0;
      while (ahead < LOOK_AHEAD_RECORDS) {
        answer = this.#next(scout);
        if (answer < 0) break;
        scout = answer;
        ahead++;
      }
      if (answer < 0 && answer !== FILE_END) {
        if (answer !== MORE) return 'break';
        if (ahead < 2 || chain.needed - this.#next(this.#at) < LOOK_AHEAD_BYTES) return 'more';
      }
      if (ahead === 0) return 'end';
      const end = this.#next(this.#at);
      if (end > chain.end) {
        chain.needed = end;
        return 'more';
      }
      if (this.#isUnfamiliar()) return 'new';
      this.#visit(end);
      ahead--;
      if (this.#stopped) return 'end';
    }
  }

  /** As Chain.next, where an empty key may be meant. */
  #next(at: number): number {
    const chain = this.#chain;
    const answer = chain.next(at);
    if (answer !== NO_RECORD || !this.#emptyKeys) return answer;
    if (at + OVERHEAD_BYTES > chain.end || chain.view.getUint32(at - chain.base) !== 0) {
      return answer;
    }
    // Deletes the empty key, or is the first of many zeros: what follows decides.
    if (chain.view.getUint32(at - chain.base + LENGTH_BYTES) === 0) {
      const behind = at + OVERHEAD_BYTES;
      const enough = behind + LENGTH_BYTES;
      if (enough > chain.fileEnd) return NO_RECORD;
      if (enough > chain.end) {
        chain.needed = enough;
        return MORE;
      }
      if (chain.view.getUint32(behind - chain.base) === 0) return NO_RECORD;
    }
    return chain.nextAfterKey(at, 0);
  }

  #isUnfamiliar(): boolean {
    const { view, base } = this.#chain;
    const p = this.#at - base;
    const keyLength = view.getUint32(p);
    const valueLength = view.getUint32(p + KEY_AT + keyLength);
    return this.#familiar.isNew(keyLength, valueLength) && this.#cleared !== this.#at;
  }

  /** Yields the record at #at, which is trusted and in the window up to its `end`. */
  #visit(end: number): void {
    const chain = this.#chain;
    const { bytes, view, base } = chain;
    const record = this.#record;
    const p = this.#at - base;
    const keyLength = view.getUint32(p);
    record.bytes = bytes;
    record.offset = this.#at;
    record.length = end - this.#at;
    record.keyStart = p + KEY_AT;
    record.keyEnd = record.keyStart + keyLength;
    record.valueStart = record.keyEnd + LENGTH_BYTES;
    record.valueEnd = end - base;
    const valueLength = record.valueEnd - record.valueStart;
    record.op = valueLength === 0 ? 'delete' : 'put';
    this.#familiar.note(bytes, record.keyStart, record.keyEnd, valueLength);
    if (keyLength > chain.keyBytesMax) chain.keyBytesMax = keyLength;
    if (record.length > this.#longest) this.#longest = record.length;
    if (keyLength === 0) this.#emptyKeySeen = true;
    this.#at = end;
    this.visitor.record(record);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /** A length that was not seen before may be a hit one that led to where lengths still fit. */
  async #meet(): Promise<void> {
    const at = this.#at;
    const found = await this.#lookInto.swallowed(at, this.#next(at), this.#reach);
    if (found) {
      this.#damage(found.damage, found.next);
      return;
    }
    this.#cleared = at;
    const warning = this.#lookInto.landed(at, this.#next(at), this.#reach);
    if (!warning) return;
    this.#visit(this.#next(at));
    if (!this.#stopped) this.#damage(warning, this.#at);
  }

  async #examine(): Promise<void> {
    const examiner = this.#examiner;
    const suspects = this.#suspects;
    const answer = this.#collectSuspects();
    await this.#chain.fill(this.#at, suspects.breakAt - this.#at + this.#reach);
    const { breakAt } = suspects;
    suspects.breaks(this.#chain, breakAt, examiner.kindOfBreak(breakAt, answer, this.#longest));
    const before = await examiner.explain(suspects, this.#at, this.#reach);
    if (before) {
      if (this.#visitUpTo(before.damage.offset)) this.#damage(before.damage, before.next);
      return;
    }
    const head = examiner.describe(suspects.breakAt);
    if (!this.#visitUpTo(suspects.breakAt)) return;
    const behind = await examiner.searchBehind(head, suspects.kind, this.#longest);
    this.#damage(behind.damage, behind.next);
  }

  /** The records between #at and the break. */
  #collectSuspects(): number {
    const suspects = this.#suspects;
    suspects.begin();
    for (let at = this.#at; ; ) {
      const answer = this.#next(at);
      if (answer < 0) {
        suspects.breakAt = at;
        return answer;
      }
      suspects.add(this.#chain, at);
      at = answer;
    }
  }

  /** Hands out the suspects before `offset`. False if that is the end of it. */
  #visitUpTo(offset: number): boolean {
    while (this.#at < offset && !this.#stopped) this.#visit(this.#next(this.#at));
    return !this.#stopped;
  }

  #damage(damage: WalDamage, next: number): void {
    this.#at = next;
    this.#emptyKeys &&= this.#emptyKeySeen;
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /** How long a record is assumed to be at most when its length is in doubt. */
  get #reach(): number {
    return Math.min(Math.max(LOOK_AHEAD_BYTES, 2 * this.#longest), this.#chain.recordBytesMax);
  }
}
