/**
 * Reads a segment of the textbook log: intact records at the speed of their checksums, and around
 * damage whatever its own evidence allows. The layout is drawn in layout.ts.
 */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { bytesValue } from '../../bytes/value.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { type WalDamage, WalRecord, type WalScanContext, type WalVisitor } from '../model.ts';
import {
  cutRecord,
  type DamagedHead,
  explainMismatch,
  framedDamage,
  lengthFieldHit,
  lostSpan,
} from './damage.ts';
import {
  CRC_AT,
  KEY_AT,
  KEY_LENGTH_AT,
  LENGTH_FIELD_BYTES,
  LENGTH_MIN,
  OP_AT,
  OP_DELETE,
  OP_MAX,
  OPS,
  OVERHEAD_BYTES,
  SEQ_AT,
} from './layout.ts';
import { mendInnerLength } from './mend.ts';
import { RecordChecker, type SeqHint } from './search.ts';

/**
 * A record longer than this goes through the checker, whose cost does not multiply when it is
 * hostile.
 */
const RUN_RECORD_BYTES_MAX = 64 * 1024;
/** How much of the record behind a damaged one is read to see whether it is intact. */
const LOOK_AHEAD_BYTES_MAX = 1024 * 1024;

export async function scanV1(
  source: ByteSource,
  context: WalScanContext,
  visitor: WalVisitor,
): Promise<void> {
  await new V1Scan(source, context, visitor).run();
}

class V1Scan {
  readonly #window: Window;
  readonly #checker: RecordChecker;
  readonly #record = new WalRecord();
  readonly #seq: SeqHint = { last: -1 };
  #stopped = false;
  /** How many more times the cause of damage is looked for. */
  #diagnoses: number;

  constructor(
    readonly source: ByteSource,
    readonly context: WalScanContext,
    readonly visitor: WalVisitor,
  ) {
    this.#window = new Window(source, context);
    this.#checker = new RecordChecker(this.#window, context.limits.recordBytes);
    this.#record.file = source.name;
    this.#diagnoses = context.limits.findings;
  }

  async run(): Promise<void> {
    const window = this.#window;
    let at = this.context.from ?? 0;
    for (;;) {
      await window.fill(at, OVERHEAD_BYTES);
      const before = at;
      at = this.#intactRun(at);
      if (this.#stopped || (window.atEnd && at === window.end)) return;
      // A run that moved may just have come to the end of the window.
      if (at !== before && !window.atEnd) continue;
      at = await this.#examine(at);
      if (this.#stopped) return;
    }
  }

  /**
   * Visits records as long as they are whole, intact and inside the window. Returns where that
   * ends.
   */
  #intactRun(at: number): number {
    const { bytes, view, base, count } = this.#window;
    const { visitor } = this;
    const counts = visitor.run !== undefined;
    this.#record.bytes = bytes;
    this.#record.salvaged = false;
    const lengthMax = Math.min(RUN_RECORD_BYTES_MAX, this.context.limits.recordBytes) - 4;
    let p = at - base;
    // Of a row of plain records: how many, where they begin and where the last one does.
    let plain = 0;
    let start = p;
    let last = p;
    // The number that continues it, and whether there is one.
    let nextLow = 0;
    let nextHigh = 0;
    let begun = false;
    while (p + OVERHEAD_BYTES <= count) {
      const length = view.getUint32(p, true);
      const next = p + LENGTH_FIELD_BYTES + length;
      if (length < LENGTH_MIN || next > count || length > lengthMax) break;
      const keyLength = view.getInt32(p + KEY_LENGTH_AT, true);
      const valueLength = length - LENGTH_MIN - keyLength;
      if (keyLength < 0 || valueLength < 0) break;
      const keyAt = p + KEY_AT;
      const valueAt = keyAt + keyLength + 4;
      if (view.getInt32(valueAt - 4, true) !== valueLength) break;
      const op = bytes[p + OP_AT]!;
      let register = crc32.updateByte(CRC_INITIAL, op);
      register = crc32.update(register, bytes, view, keyAt, valueAt - 4);
      register = crc32.update(register, bytes, view, valueAt, next);
      if (~register !== view.getInt32(p + CRC_AT, true) || op === 0 || op > OP_MAX) break;

      const low = view.getInt32(p + SEQ_AT, true);
      const high = view.getInt32(p + SEQ_AT + 4, true);
      if (begun && low === nextLow && high === nextHigh && op <= OP_DELETE) {
        plain++;
        last = p;
      } else {
        if (plain > 0) visitor.run?.(plain, base + start, base + last, base + p);
        plain = 0;
        this.#visit(p, next, op, valueAt);
        if (this.#stopped) return base + next;
        start = next;
        begun = counts;
      }
      nextLow = (low + 1) | 0;
      nextHigh = nextLow === 0 ? (high + 1) | 0 : high;
      p = next;
    }
    if (plain > 0) {
      visitor.run?.(plain, base + start, base + last, base + p);
      const seqHigh = view.getUint32(last + SEQ_AT + 4, true);
      this.#seq.last = seqHigh * 0x1_0000_0000 + view.getUint32(last + SEQ_AT, true);
    }
    return base + p;
  }

  #visit(p: number, end: number, op: number, valueAt: number): void {
    const { base, view } = this.#window;
    const record = this.#record;
    record.offset = base + p;
    record.length = end - p;
    record.seqLow = view.getUint32(p + SEQ_AT, true);
    record.seqHigh = view.getUint32(p + SEQ_AT + 4, true);
    record.op = OPS[op]!;
    record.keyStart = p + KEY_AT;
    record.keyEnd = valueAt - 4;
    record.valueStart = valueAt;
    record.valueEnd = end;
    this.visitor.record(record);
    this.#seq.last = record.seq;
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /**
   * Decides about the place where a run ended: a record that needs more of the file, a record that
   * is damaged but keeps its frame, or a stretch to search through. Returns where reading goes on.
   */
  async #examine(at: number): Promise<number> {
    const window = this.#window;
    const checker = this.#checker;
    const result = await checker.check(at);
    if (result === 'intact') {
      this.#visitChecked(at);
      return at + checker.total;
    }
    const head = this.#describe(at, result);
    const limit = this.context.limits.recordBytes;

    // 1. The length field says where the record ends, and what stands there bears it out.
    // 2. So do the inner lengths.
    for (const total of [head.length + LENGTH_FIELD_BYTES, head.total]) {
      if (total < OVERHEAD_BYTES || total > limit) continue;
      const what = await this.#whatFollows(at, at + total);
      // The file's end bears out little: garbage can lead there past intact records.
      if (what === undefined || (what === 'end' && head.length + 4 !== head.total)) continue;
      this.#damage(this.#diagnosed(head, framedDamage(head, total, what === 'end')));
      return at + total;
    }

    // 3. Nothing bears anything out: search.
    checker.zerosOnly = true;
    const found = await checker.find(at + 1, this.#seq);
    if (found !== undefined) this.#damage(lostSpan(head, found, limit));
    else this.#damage(cutRecord(head, window.end, checker.zerosOnly, limit));
    return found ?? window.end;
  }

  /** Yields the record that the checker has just found intact. */
  #visitChecked(at: number): void {
    const { base, bytes } = this.#window;
    const checker = this.#checker;
    const record = this.#record;
    const p = at - base;
    record.bytes = bytes;
    record.salvaged = !checker.lengthAgrees;
    this.#visit(p, p + checker.total, checker.op, p + KEY_AT + checker.keyLength + 4);
    if (record.salvaged) this.#damage(lengthFieldHit(this.source.name, at, checker));
  }

  /** `record`: an intact record begins at `end`; `end`: the file ends there; undefined: neither. */
  async #whatFollows(at: number, end: number): Promise<'record' | 'end' | undefined> {
    const window = this.#window;
    if (window.source.size !== undefined && end > window.source.size) return undefined;
    const checker = this.#checker;
    const result = await checker.check(end, at, LOOK_AHEAD_BYTES_MAX);
    if (window.end < end) return undefined;
    if (window.atEnd && window.end === end) return 'end';
    if (result === 'intact') return 'record';
    // Too long to look at: its header has to do.
    const next = this.#seq.last + 2;
    const long = checker.keyLength + checker.valueLength > LOOK_AHEAD_BYTES_MAX - OVERHEAD_BYTES;
    return long && checker.seq === next && checker.op >= 1 && checker.op <= OP_MAX
      ? 'record'
      : undefined;
  }

  #describe(at: number, result: string): DamagedHead {
    const { keyLength, valueLength, length, total, op, seq, computed } = this.#checker;
    const { view, base, end } = this.#window;
    const whole = end >= at + OVERHEAD_BYTES;
    return {
      file: this.source.name,
      offset: at,
      result: whole ? result : 'cut',
      whole,
      length: whole ? length : 0,
      keyLength: whole ? keyLength : 0,
      valueLength: whole ? valueLength : 0,
      total: whole ? total : 0,
      op,
      seq,
      stored: whole ? view.getUint32(at - base + CRC_AT, true) : 0,
      computed,
      available: end - at,
    };
  }

  /**
   * Looks for the one explanation, for as many findings as are shown: each costs a pass over the
   * record.
   */
  #diagnosed(head: DamagedHead, bare: WalDamage): WalDamage {
    const { bytes, view, base } = this.#window;
    if (bare.code !== 'crc-mismatch' || this.#diagnoses-- <= 0) return bare;
    const start = head.offset - base;
    const subject = this.#subject(head, start);
    const damage = subject ? { ...bare, subject } : bare;
    if (head.length + LENGTH_FIELD_BYTES !== head.total) {
      if (head.length + LENGTH_FIELD_BYTES !== damage.length) return damage;
      const found = mendInnerLength(bytes, view, start, head.offset);
      return found ? { ...damage, diagnosis: found.message, mend: found.mend } : damage;
    }
    const found = explainMismatch(head, (offset) => bytes[offset - base]!);
    return found ? { ...damage, ...found } : damage;
  }

  /** What the record seems to be, for people who ask what was lost. */
  #subject({ keyLength, length, op }: DamagedHead, start: number): string | undefined {
    if (keyLength <= 0 || keyLength > length - LENGTH_MIN || keyLength > 256) return undefined;
    const keyAt = start + KEY_AT;
    const key = JSON.stringify(bytesValue(this.#window.bytes, keyAt, keyAt + keyLength));
    return `${OPS[op] ?? 'record'} ${key}`;
  }

  #damage(damage: WalDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
