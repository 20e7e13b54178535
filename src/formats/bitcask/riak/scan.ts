/**
 * Reads a data file of Erlang Bitcask: intact records at the speed of their checksums, and around
 * damage whatever its own evidence allows. The layout is drawn in layout.ts.
 */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { keyText } from '../../key-text.ts';
import {
  type BitcaskDamage,
  BitcaskRecord,
  type BitcaskScanContext,
  type BitcaskVisitor,
} from '../model.ts';
import { RecordCheck, type RecordCheckResult } from '../record-check.ts';
import { type DamagedHead, type Frame, framedDamage, lostSpan, tornTail } from './damage.ts';
import { FRAME, HEADER_BYTES, KEY_AT, KEY_SIZE_AT, TIMESTAMP_AT, VALUE_SIZE_AT } from './layout.ts';
import { type Explanation, explainLength, explainMismatch } from './mend.ts';
import { isTombstone, tombstoneOf } from './tombstone.ts';

/** A longer record goes through the checker, whose cost does not multiply when it is hostile. */
const RUN_RECORD_BYTES_MAX = 64 * 1024;
/** How much of the record behind a damaged one is read to see whether it is intact. */
const LOOK_AHEAD_BYTES_MAX = 8 * 1024 * 1024;
export async function scanRiak(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: BitcaskVisitor,
): Promise<void> {
  await new RiakScan(source, context, visitor).run();
}

/** A record that does not check, of which is known where it ends. */
interface Framed {
  length: number;
  /** Undefined where nothing vouches for the key's size. */
  keySize: number | undefined;
  frame: Frame;
  found?: Explanation | undefined;
}

class RiakScan {
  readonly #window: Window;
  readonly #check: RecordCheck;
  readonly #record = new BitcaskRecord();
  readonly #byteAt = (offset: number): number => this.#window.bytes[offset - this.#window.base]!;
  #stopped = false;
  /** How many more times the cause of damage is looked for. */
  #diagnoses: number;

  constructor(
    readonly source: ByteSource,
    readonly context: BitcaskScanContext,
    readonly visitor: BitcaskVisitor,
  ) {
    this.#window = new Window(source, context);
    this.#check = new RecordCheck(this.#window, FRAME, context.limits.recordBytes);
    this.#record.file = source.name;
    this.#diagnoses = context.limits.findings;
  }

  async run(): Promise<void> {
    const window = this.#window;
    let at = this.context.from ?? 0;
    for (;;) {
      await window.fill(at, HEADER_BYTES);
      const before = at;
      at = this.#intactRun(at);
      if (this.#stopped || (window.atEnd && at >= window.end)) return;
      // A run that moved may just have come to the end of the window.
      if (at !== before && !window.atEnd) continue;
      at = await this.#examine(at);
      if (this.#stopped) return;
    }
  }

  /**
   * Visits records as long as they are intact and inside the window. Returns where that ends.
   */
  #intactRun(at: number): number {
    const { bytes, view, base, count } = this.#window;
    const bytesMax = Math.min(RUN_RECORD_BYTES_MAX, this.context.limits.recordBytes);
    let p = at - base;
    while (p + HEADER_BYTES <= count) {
      const keySize = view.getUint16(p + KEY_SIZE_AT);
      const total = HEADER_BYTES + keySize + view.getUint32(p + VALUE_SIZE_AT);
      if (total > bytesMax || p + total > count) break;
      const register = crc32.update(CRC_INITIAL, bytes, view, p + TIMESTAMP_AT, p + total);
      if (~register !== view.getInt32(p)) break;
      this.#visit(p, keySize, total);
      p += total;
      if (this.#stopped) break;
    }
    return base + p;
  }

  /** Yields the intact record at `p` in the window. */
  #visit(p: number, keySize: number, total: number): void {
    const { bytes, view, base } = this.#window;
    const record = this.#record;
    record.bytes = bytes;
    record.offset = base + p;
    record.length = total;
    record.timestamp = view.getUint32(p + TIMESTAMP_AT);
    const valueAt = p + KEY_AT + keySize;
    record.keyStart = p + KEY_AT;
    record.keyEnd = valueAt;
    record.valueStart = valueAt;
    if (isTombstone(bytes, view, valueAt, p + total)) {
      record.deleted = true;
      record.valueEnd = valueAt;
      record.extra = tombstoneOf(bytes, view, valueAt, p + total);
    } else {
      record.deleted = false;
      record.valueEnd = p + total;
      record.extra = undefined;
    }
    this.visitor.record(record);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /**
   * Decides about the place where a run ended: a record that needs more of the file, a record that
   * is damaged but keeps its frame, or a stretch to search through. Returns where reading goes on.
   */
  async #examine(at: number): Promise<number> {
    const window = this.#window;
    const check = this.#check;
    const result = await check.check(at);
    if (result === 'intact') {
      this.#visit(at - window.base, check.keyLength, check.total);
      return at + check.total;
    }
    const head = this.#describe(at, result);
    const framed = await this.#framed(head);
    if (framed) {
      const { length, frame, found } = framed;
      const lost = this.#lost(at, framed);
      this.#damage({ ...framedDamage(head, length, frame), ...found, ...lost });
      return at + length;
    }
    check.zerosOnly = true;
    const next = await check.find(at + 1);
    const unread = next ?? window.end;
    if (next === undefined) this.#damage(tornTail(head, unread, check.zerosOnly));
    else if (result === 'crc-mismatch' && next === at + head.total) {
      // A record too long to look at from here.
      this.#damage(framedDamage(head, head.total, 'record-follows'));
    } else this.#damage(lostSpan(head, next));
    return unread;
  }

  /**
   * Where a damaged record ends, if anything tells: first a size with one bit turned back, since
   * the wrong size may well lead to the start of some record; then its sizes as they are, if what
   * they lead to bears them out; then the hint; then its sizes, if one flipped bit elsewhere
   * explains all.
   */
  async #framed(head: DamagedHead): Promise<Framed | undefined> {
    const { offset: at, total, result, keySize } = head;
    if (!head.whole) return undefined;
    const flip = await this.#check.flippedLength(at);
    if (flip) {
      const length = HEADER_BYTES + flip.keyLength + flip.valueLength;
      const found = explainLength(head, flip, this.#byteAt);
      return { length, keySize: flip.keyLength, frame: 'checksum', found };
    }
    let found: Explanation | undefined;
    if (result === 'crc-mismatch') {
      const frame = await this.#whatFollows(at, at + total);
      if (this.#diagnoses-- > 0) found = explainMismatch(head, this.#byteAt);
      if (frame) return { length: total, keySize, frame, found };
    }
    const next = this.#hinted(at);
    if (next !== undefined && (await this.#whatFollows(at, next)) === 'record-follows') {
      // Sizes that say otherwise are wrong.
      const agree = next === at + total;
      return { length: next - at, keySize: agree ? keySize : undefined, frame: 'hint' };
    }
    return found?.mend && { length: total, keySize, frame: 'checksum', found };
  }

  async #whatFollows(at: number, end: number): Promise<Frame | undefined> {
    const window = this.#window;
    const result = await this.#check.check(end, at, LOOK_AHEAD_BYTES_MAX);
    if (window.end < end) return undefined;
    if (window.atEnd && window.end === end) return 'file-ends';
    return result === 'intact' ? 'record-follows' : undefined;
  }

  /** Where the hint has the record behind the one at `at`: it has them all. */
  #hinted(at: number): number | undefined {
    const { anchors, limits } = this.context;
    if (!anchors) return undefined;
    let low = 0;
    let high = anchors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (anchors[middle]! < at) low = middle + 1;
      else high = middle;
    }
    const next = anchors[low] === at ? anchors[low + 1] : undefined;
    return next !== undefined && next - at <= limits.recordBytes ? next : undefined;
  }

  #describe(at: number, result: RecordCheckResult): DamagedHead {
    const { keyLength, valueLength, total, computed, recordBytesMax } = this.#check;
    const { view, base, end, atEnd } = this.#window;
    const whole = end >= at + HEADER_BYTES;
    return {
      file: this.source.name,
      offset: at,
      result,
      whole,
      keySize: keyLength,
      valueSize: valueLength,
      total,
      stored: whole ? view.getUint32(at - base) : 0,
      computed,
      available: end - at,
      recordBytesMax,
      fileEnd: atEnd ? end : this.source.size,
    };
  }

  /** What the record seems to have been, with the flipped bit turned back if there is one. */
  #lost(at: number, { length, keySize, found }: Framed): Partial<BitcaskDamage> {
    if (keySize === undefined) return {};
    const { bytes, view, base } = this.#window;
    const flipped = (found?.mend?.offset ?? at) - base;
    const byte = bytes[flipped]!;
    if (found?.mend) bytes[flipped] = Number.parseInt(found.mend.hex, 16);
    const keyAt = at - base + KEY_AT;
    const valueAt = keyAt + keySize;
    const key = bytes.slice(keyAt, valueAt);
    const deleted = isTombstone(bytes, view, valueAt, at - base + length);
    bytes[flipped] = byte;
    return { key, deleted, subject: `${deleted ? 'delete' : 'put'} ${keyText(key)}` };
  }

  #damage(damage: BitcaskDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
