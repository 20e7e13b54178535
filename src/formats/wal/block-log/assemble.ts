/**
 * Puts fragments together to records, and decides about gaps once it is known what follows them:
 * an intact fragment of this log proves a hole, the end of the file a torn tail, another log's
 * content the end of this one.
 */
import type { WalDamage } from '../model.ts';
import { FIRST_TYPE, LAST_TYPE, MIDDLE_TYPE } from './constants.ts';
import { dirtyTrailer, finding, hole, lastFragment, tornTail, wrongLength } from './findings.ts';
import type { FragmentSink, Gap } from './gap.ts';
import { Gaps } from './gaps.ts';
import { type HeaderTable, isWhole, plainType } from './header.ts';
import { LogicalRecord, type LogicalSink } from './record.ts';
import { Scratch } from './scratch.ts';

/** Fragments of one record. A writer makes one a block, so that these hold 32 GiB. */
const FRAGMENTS_MAX = 1 << 20;

export class Assembler implements FragmentSink {
  readonly #single = new LogicalRecord();
  /** The record whose fragments are being collected; none when `fragments` is 0. */
  readonly #open = new LogicalRecord();
  readonly #scratch: Scratch;
  /**
   * File offset behind the last fragment of the open record, or of the fragments without a first.
   */
  #end = 0;
  /** Where fragments without a first begin; -1: there are none. */
  #orphans = -1;
  #orphanType = 0;
  #tooMany = false;
  /** The finding about a length field of the record at hand. */
  #wrong: WalDamage | undefined;
  readonly #gaps = new Gaps();

  constructor(
    readonly file: string,
    readonly headers: HeaderTable,
    readonly recordBytesMax: number,
    readonly sink: LogicalSink,
  ) {
    this.#scratch = new Scratch(recordBytesMax);
  }

  get stopped(): boolean {
    return this.sink.stopped;
  }

  get inGap(): boolean {
    return this.#gaps.count > 0;
  }

  fragment(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    headerBytes: number,
    type: number,
    statedLength: number,
  ): void {
    if (this.#gaps.count > 0) this.#flush(offset, headerBytes + end - start, type);
    if (this.stopped) return;
    const plain = plainType(type);
    if (plain === MIDDLE_TYPE || plain === LAST_TYPE) {
      this.#continue(
        bytes,
        start,
        end,
        offset,
        headerBytes,
        type,
        statedLength,
        plain === LAST_TYPE,
      );
      return;
    }
    if (this.#open.fragments > 0 || this.#orphans >= 0) this.#breakOff(offset);
    if (this.stopped) return;
    if (plain === FIRST_TYPE) {
      this.#open.clear();
      this.#scratch.clear();
      this.#tooMany = false;
      this.#scratch.append(bytes, start, end);
      this.#open.collect(bytes, start - headerBytes, offset, headerBytes, end - start, type);
      this.#end = offset + headerBytes + end - start;
      if (statedLength >= 0) this.#wrongLength(this.#open, offset, statedLength, end - start);
      return;
    }
    const record = this.#single;
    record.single(bytes, start, end, offset, headerBytes, type);
    record.salvaged = false;
    if (statedLength >= 0) this.#wrongLength(record, offset, statedLength, end - start);
    this.#yield(record, end - start > this.recordBytesMax, end - start);
  }

  #continue(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    headerBytes: number,
    type: number,
    statedLength: number,
    last: boolean,
  ): void {
    const open = this.#open;
    this.#end = offset + headerBytes + end - start;
    if (open.fragments === 0) {
      // Its bytes are lost with the record: that its length was mended does not matter.
      if (this.#orphans < 0) {
        this.#orphans = offset;
        this.#orphanType = type;
      }
      if (last) this.#breakOff(this.#end);
      return;
    }
    const scratch = this.#scratch;
    scratch.append(bytes, start, end);
    if (open.fragments >= FRAGMENTS_MAX) this.#tooMany = true;
    else if (!scratch.overflow) {
      open.collect(bytes, start - headerBytes, offset, headerBytes, scratch.length, type);
    }
    if (statedLength >= 0) this.#wrongLength(open, offset, statedLength, end - start);
    if (!last) return;
    open.length = this.#end - open.offset;
    open.bytes = scratch.bytes;
    open.start = 0;
    open.end = scratch.length;
    this.#yield(open, scratch.overflow || this.#tooMany, scratch.total);
    open.clear();
  }

  #yield(record: LogicalRecord, tooLong: boolean, bytes: number): void {
    const wrong = this.#wrong;
    if (tooLong) this.#tooLong(record, bytes);
    else if (this.headers[record.type] === 0) this.sink.unknownType(record);
    else this.sink.record(record);
    if (!wrong) return;
    // Told with its record, behind it.
    this.#wrong = undefined;
    if (!tooLong) this.#damage({ ...wrong, offset: record.offset, length: record.length });
  }

  #wrongLength(record: LogicalRecord, offset: number, stored: number, right: number): void {
    record.salvaged = true;
    this.#wrong = wrongLength(this.file, offset, stored, right);
  }

  /** What was collected is not going to be a record: `end` is where it stops. */
  #breakOff(end: number): void {
    const open = this.#open;
    this.#wrong = undefined;
    if (this.#orphans >= 0) {
      const name = ['middle', 'last'][(this.#orphanType - MIDDLE_TYPE) & 3] ?? 'last';
      const message =
        `a ${name} fragment without a first: the start of its record is missing, ` +
        `${this.#end - this.#orphans} bytes of it are there`;
      this.#damage(finding(this.file, 'fragment', this.#orphans, end, message));
      this.#orphans = -1;
    }
    if (open.fragments === 0) return;
    // Old writers left an empty first fragment in the last bytes of a block (log_reader.cc): no
    // record.
    if (this.#scratch.total > 0 || open.fragments > 1) {
      const message =
        `a first fragment without a last: the end of its record is missing, ` +
        `${this.#end - open.offset} bytes of it are there`;
      this.#damage(finding(this.file, 'fragment', open.offset, end, message));
    } else this.sink.filler('empty-first', open.offset, end - open.offset);
    open.clear();
  }

  gap(gap: Gap): void {
    this.#gaps.add(gap);
  }

  filler(offset: number, length: number, damage: boolean): void {
    if (this.#gaps.extend(offset + length)) return;
    this.sink.filler('trailer', offset, length, damage ? 'zero-fill' : undefined);
    if (damage) this.#damage(dirtyTrailer(this.file, offset, length));
  }

  /** An intact fragment of this log follows at `next`: what came before it are holes. */
  #flush(next: number, bytes: number, type: number): void {
    const gaps = this.#gaps.take();
    this.#breakOff(gaps[0]!.offset);
    const padding = gaps.length === 1 && gaps[0]!.kind === 'zeros' && isWhole(type);
    for (const gap of gaps) {
      if (this.stopped) return;
      const length = gap.end - gap.offset;
      // RocksDB never splits these: it fills the block up when they do not fit (log_writer.cc).
      if (padding && length < bytes) this.sink.filler('padding', gap.offset, length);
      else this.#damage(hole(this.file, gap, next));
    }
  }

  end(size: number): void {
    const gaps = this.#gaps.take();
    const first = gaps[0];
    if (this.#orphans >= 0) this.#breakOff(first?.offset ?? size);
    if (this.stopped) return;
    const begun = this.#open.fragments > 0 ? (first?.offset ?? size) - this.#open.offset : 0;
    if (gaps.some((gap) => gap.kind === 'stale')) {
      this.#endOfLog(gaps, begun, size);
    } else if (begun > 0) {
      this.#damage(tornTail(this.file, this.#open.offset, size, gaps, begun));
    } else if (first) {
      const framed = gaps.length === 1 && first.framed;
      this.#damage(
        framed ? lastFragment(this.file, first) : tornTail(this.file, first.offset, size, gaps, 0),
      );
    }
  }

  /**
   * A recycled file: this log ends where the content of another is still there. Only its last
   * record may be torn.
   */
  #endOfLog(gaps: readonly Gap[], begun: number, size: number): void {
    let tornEnd = gaps[0]!.offset;
    let torn = 0;
    while (gaps[torn]?.own) tornEnd = gaps[torn++]!.end;
    if (torn > 0 || begun > 0) {
      const offset = gaps[0]!.offset - begun;
      const stale = gaps.find((gap) => gap.kind === 'stale')!;
      const other = stale.logNumber ?? '?';
      const evidence = `intact fragments of log ${other} follow at ${stale.offset}`;
      this.#damage(tornTail(this.file, offset, tornEnd, gaps.slice(0, torn), begun, evidence));
    }
    if (size > tornEnd) this.sink.filler('recycled', tornEnd, size - tornEnd);
  }

  #tooLong(record: LogicalRecord, bytes: number): void {
    const message =
      record === this.#open && this.#tooMany
        ? `a record of more than ${FRAGMENTS_MAX} fragments`
        : `a record of ${bytes} bytes by its fragments, the limit is ${this.recordBytesMax}`;
    const { offset, length } = record;
    this.#damage(finding(this.file, 'bad-length', offset, offset + length, message));
  }

  #damage(damage: WalDamage): void {
    if (!this.stopped) this.sink.damage(damage);
  }
}
