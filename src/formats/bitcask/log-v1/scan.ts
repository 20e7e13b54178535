/**
 * Reads a segment of the textbook store: intact records at the speed of their checksums, and around
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
import {
  type DamagedHead,
  eitherSizeHit,
  framedDamage,
  lostSpan,
  sizeHit,
  tornTail,
} from './damage.ts';
import { FRAME, HEADER_BYTES, isTombstone, KEY_AT, KEY_SIZE_AT, VALUE_SIZE_AT } from './layout.ts';
import { explainMismatch } from './mend.ts';
import { KeySize, rightSizes } from './sizes.ts';

/** A longer record goes through the checker, whose cost does not multiply when it is hostile. */
const RUN_RECORD_BYTES_MAX = 64 * 1024;
/** How much of the record behind a damaged one is read to see whether it is intact. */
const LOOK_AHEAD_BYTES_MAX = 8 * 1024 * 1024;
/** How far a record reaches at most whose end is looked for by its checksum. */
const REACH_BYTES = 1024 * 1024;

export async function scanLogV1(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: BitcaskVisitor,
): Promise<void> {
  await new LogScan(source, context, visitor).run();
}

class LogScan {
  readonly #window: Window;
  readonly #check: RecordCheck;
  readonly #record = new BitcaskRecord();
  readonly #keySize = new KeySize();
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

  /** Visits records as long as they are intact and inside the window. Returns where that ends. */
  #intactRun(at: number): number {
    const { bytes, view, base, count } = this.#window;
    const bytesMax = Math.min(RUN_RECORD_BYTES_MAX, this.context.limits.recordBytes);
    let p = at - base;
    while (p + HEADER_BYTES <= count) {
      const keySize = view.getUint32(p + KEY_SIZE_AT);
      const total = HEADER_BYTES + keySize + view.getUint32(p + VALUE_SIZE_AT);
      if (total > bytesMax || p + total > count || total === HEADER_BYTES) break;
      const register = crc32.update(CRC_INITIAL, bytes, view, p + KEY_AT, p + total);
      if (~register !== view.getInt32(p)) break;
      this.#visit(p, keySize, total);
      p += total;
      if (this.#stopped) break;
    }
    return base + p;
  }

  /** Yields the record at `p` in the window. */
  #visit(p: number, keySize: number, total: number, salvaged = false): void {
    const { bytes, base } = this.#window;
    const record = this.#record;
    const valueAt = p + KEY_AT + keySize;
    record.bytes = bytes;
    record.offset = base + p;
    record.length = total;
    record.salvaged = salvaged;
    record.keyStart = p + KEY_AT;
    record.keyEnd = valueAt;
    record.valueStart = valueAt;
    record.deleted = isTombstone(bytes, valueAt, p + total);
    record.valueEnd = record.deleted ? valueAt : p + total;
    if (!salvaged) this.#keySize.note(keySize);
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
    const head = this.#describe(at, result);
    if (result === 'intact' || (await this.#isEmptyPut(head))) {
      this.#visit(at - window.base, head.keySize, head.total);
      return at + head.total;
    }
    // A wrong size may well lead to the start of some record, so the sizes are doubted first.
    const flip = head.whole ? await check.flippedLength(at) : undefined;
    if (flip) return this.#sizesAre(head, flip.keyLength + flip.valueLength);
    if (result === 'crc-mismatch' && head.total > HEADER_BYTES) {
      const follows = await this.#whatFollows(at, at + head.total);
      if (follows) {
        this.#damage(this.#diagnosed(head, framedDamage(head, follows === 'end')));
        return at + head.total;
      }
    }
    return this.#search(head);
  }

  /**
   * Twelve zero bytes are a put of the empty key with an empty value, or a hole; the record behind
   * them decides.
   */
  async #isEmptyPut({ offset, whole, stored, total }: DamagedHead): Promise<boolean> {
    if (!whole || stored !== 0 || total !== HEADER_BYTES) return false;
    return (await this.#whatFollows(offset, offset + HEADER_BYTES)) === 'record';
  }

  /** Nothing bears out where the record ends: up to the next intact one, does the checksum? */
  async #search(head: DamagedHead): Promise<number> {
    const window = this.#window;
    const check = this.#check;
    const { offset: at } = head;
    check.zerosOnly = true;
    const reach = at + REACH_BYTES;
    const near = await check.find(at + 1, reach, at);
    const end = near ?? (window.atEnd && window.end <= reach ? window.end : undefined);
    // A record beyond the limit may hold by the sizes that it has.
    if (end !== undefined && end !== at + head.total && this.#holdsUpTo(at, end)) {
      return this.#sizesAre(head, end - at - HEADER_BYTES);
    }
    const found = near ?? (await check.find(reach));
    if (found !== undefined) this.#damage(lostSpan(head, found));
    else {
      const zerosOnly = check.zerosOnly && head.stored === 0;
      this.#damage(tornTail(head, window.end, zerosOnly));
    }
    return found ?? window.end;
  }

  /** Key and value have `length` bytes together, and check; the sizes say something else. */
  #sizesAre(head: DamagedHead, length: number): number {
    const { offset: at, keySize, valueSize } = head;
    const total = HEADER_BYTES + length;
    const right = rightSizes(keySize, valueSize, length, this.#keySize.rule);
    if (right) {
      this.#visit(at - this.#window.base, right.keySize, total, true);
      if (!this.#stopped) this.#damage(sizeHit(head, total, right));
    } else this.#damage(eitherSizeHit(head, total));
    return at + total;
  }

  /** The stored checksum is that of all bytes behind the header up to `end`. */
  #holdsUpTo(at: number, end: number): boolean {
    const { bytes, view, base } = this.#window;
    if (end <= at + HEADER_BYTES) return false;
    const start = at - base;
    const register = crc32.update(CRC_INITIAL, bytes, view, start + KEY_AT, end - base);
    return ~register === view.getInt32(start);
  }

  /** `record`: an intact record begins at `end`; `end`: the file ends there; undefined: neither. */
  async #whatFollows(at: number, end: number): Promise<'record' | 'end' | undefined> {
    const window = this.#window;
    const result = await this.#check.check(end, at, LOOK_AHEAD_BYTES_MAX);
    if (window.end < end) return undefined;
    if (window.atEnd && window.end === end) return 'end';
    return result === 'intact' ? 'record' : undefined;
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

  /** What the record seems to have been, and the one explanation of its damage if there is one. */
  #diagnosed(head: DamagedHead, damage: BitcaskDamage): BitcaskDamage {
    const { bytes, base } = this.#window;
    const explained =
      this.#diagnoses-- > 0 ? explainMismatch(head, (at) => bytes[at - base]!) : undefined;
    const mend = explained?.mend;
    const start = head.offset - base;
    // The flipped bit turned back, for as long as it takes to read the record.
    const flipped = (mend?.offset ?? head.offset) - base;
    const byte = bytes[flipped]!;
    if (mend) bytes[flipped] = Number.parseInt(mend.hex, 16);
    const keyEnd = start + KEY_AT + head.keySize;
    const key = bytes.slice(start + KEY_AT, keyEnd);
    const deleted = isTombstone(bytes, keyEnd, start + head.total);
    bytes[flipped] = byte;
    const subject = `${deleted ? 'delete' : 'put'} ${keyText(key)}`;
    return { ...damage, ...explained, key, deleted, subject };
  }

  #damage(damage: BitcaskDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
