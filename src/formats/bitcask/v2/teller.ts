/**
 * Tells the visitor of intact records, in order. A batch is told when its last record is there, and
 * not at all if one is missing: so its records are held back, which is to say that the window keeps
 * them.
 */
import type { Window } from '../../bytes/window.ts';
import { type BitcaskDamage, BitcaskRecord, type BitcaskVisitor } from '../model.ts';
import { HEAD_BYTES } from './layout.ts';
import type { Loss, Losses } from './losses.ts';
import {
  continuesBatch,
  expiresOf,
  inBatch,
  isContinued,
  isDeletion,
  keyLengthOf,
  recordBytesOf,
  seqOf,
  timestampOf,
  unsyncedOf,
} from './record.ts';
import type { DataSummary } from './store-files.ts';

/** Told right behind a record that was mended while reading. */
export type Salvage = Pick<BitcaskDamage, 'code' | 'message' | 'diagnosis' | 'mend' | 'repair'>;

export class RecordTeller {
  readonly #record = new BitcaskRecord();
  /** Of the record that came last, told or not; -1: there was none. */
  lastSeq = -1;
  stopped = false;
  /** Where the batch begins that is held back; -1: there is none. */
  batchFrom = -1;
  readonly summary: DataSummary = { records: 0, seqFirst: 0, seqLast: 0 };
  #members = 0;
  /** The first record may be in the middle of a batch: its first ones were read before. */
  #startsWithin: boolean;
  /** Records that follow others of their batch which are lost. */
  #tornFrom = -1;
  #tornEnd = 0;
  #torn = 0;
  readonly #salvaged = new Map<number, Salvage>();

  constructor(
    readonly window: Window,
    readonly visitor: BitcaskVisitor,
    readonly losses: Losses,
    readonly options: {
      /** Numbers ascend. */
      readonly ascending: boolean;
      /** Records that end behind this are not counted in the summary. */
      readonly countedBytes: number;
      /** Every record by itself. */
      readonly singly: boolean;
      readonly batchBytesMax: number;
      /** Reading begins behind a record that was read before. */
      readonly startsWithin: boolean;
    },
  ) {
    this.#startsWithin = options.startsWithin;
    this.#record.file = window.source.name;
  }

  /**
   * The record of `total` bytes at bytes[p] of the window, intact and `shift` bytes before its
   * place.
   */
  take(p: number, total: number, shift: number): void {
    const { bytes, view, base } = this.window;
    const seq = seqOf(view, p);
    if (base + p + total + shift <= this.options.countedBytes) this.#count(seq);
    const batched = this.batchFrom >= 0 || this.#tornFrom >= 0 || inBatch(bytes, p);
    if (batched && !this.options.singly) this.#member(p, total, seq);
    else {
      if (seq <= this.lastSeq) this.#regression(base + p, total, seq);
      this.lastSeq = seq;
      this.#tell(p, total);
    }
  }

  /** Says what was mended of the record at file offset `at` when it is told. */
  salvage(at: number, salvage: Salvage): void {
    this.#salvaged.set(at, salvage);
  }

  /** Something is lost at `offset`. Returns what is lost with it of what stands before. */
  breakOff(offset: number): Loss | undefined {
    this.#endTorn();
    this.#startsWithin = false;
    const from = this.batchFrom;
    const records = this.#members;
    this.#forget();
    if (from < 0) return undefined;
    const message = `${counted(records)} of a batch that goes on, and not all of it is there`;
    return { code: 'torn-batch', offset: from, end: offset, message, records };
  }

  /** Tells of the records of a broken batch that were passed. */
  #endTorn(): void {
    const from = this.#tornFrom;
    if (from < 0) return;
    const length = this.#tornEnd - from;
    const records = this.#torn;
    this.#tornFrom = -1;
    this.#torn = 0;
    const message = `${counted(records)} of a batch that has lost others before`;
    const evidence = 'of a batch all records count or none';
    const repair = 'drop these bytes, keep them in quarantine';
    const lost = { records, lost: true, evidence, repair };
    this.losses.note('torn-batch', from, length, message, lost);
  }

  #count(seq: number): void {
    const { summary } = this;
    if (summary.records++ === 0 || seq < summary.seqFirst) summary.seqFirst = seq;
    if (seq > summary.seqLast) summary.seqLast = seq;
  }

  #regression(offset: number, length: number, seq: number): void {
    if (!this.options.ascending) return;
    const message = `seq ${seq} follows ${this.lastSeq}, expected a higher one`;
    this.losses.note('seq-regression', offset, length, message);
  }

  #tell(p: number, total: number): void {
    const { bytes, view, base } = this.window;
    const record = this.#record;
    const keyStart = p + HEAD_BYTES;
    const keyEnd = keyStart + keyLengthOf(view, p);
    record.offset = base + p;
    record.length = total;
    record.timestamp = timestampOf(view, p);
    record.seq = seqOf(view, p);
    record.expires = expiresOf(view, p);
    record.deleted = isDeletion(bytes, p);
    record.continued = isContinued(bytes, p);
    record.unsynced = unsyncedOf(view, p);
    record.bytes = bytes;
    record.keyStart = keyStart;
    record.keyEnd = keyEnd;
    record.valueStart = keyEnd;
    record.valueEnd = p + total;
    const salvage = this.#salvaged.size > 0 ? this.#salvaged.get(base + p) : undefined;
    record.salvaged = salvage !== undefined;
    this.visitor.record(record);
    if (salvage) {
      this.#salvaged.delete(base + p);
      const { code, ...more } = salvage;
      this.losses.note(code, base + p, total, more.message, more);
    }
    if (this.visitor.done?.()) this.stopped = true;
  }

  /** A record of a batch, or the first behind one. */
  #member(p: number, total: number, seq: number): void {
    const { bytes, base } = this.window;
    const at = base + p;
    const continued = isContinued(bytes, p);
    const follows = continuesBatch(bytes, p);
    if (this.#tornFrom >= 0 && !follows) this.#endTorn();
    if (this.batchFrom >= 0 && !(follows && seq === this.lastSeq + 1)) this.#unfinished(at, seq);
    if (this.batchFrom < 0) {
      if (seq <= this.lastSeq) this.#regression(at, total, seq);
      if (follows && !(this.#startsWithin && this.lastSeq < 0)) {
        this.#tornMember(at, total, seq, continued);
        return;
      }
      this.batchFrom = at;
    }
    this.#members++;
    this.lastSeq = seq;
    if (!continued) this.#release(at + total);
    else if (at + total - this.batchFrom > this.options.batchBytesMax) this.#tooLong(at + total);
  }

  /** A record that follows others of its batch, and they are not there. */
  #tornMember(at: number, total: number, seq: number, continued: boolean): void {
    if (this.#tornFrom < 0) this.#tornFrom = at;
    this.#tornEnd = at + total;
    this.#torn++;
    this.#salvaged.delete(at);
    this.lastSeq = seq;
    if (!continued) this.#endTorn();
  }

  /** The batch that is held back is whole: all of it is in the window. */
  #release(end: number): void {
    const { view, base } = this.window;
    let p = this.batchFrom - base;
    this.batchFrom = -1;
    this.#members = 0;
    while (p < end - base && !this.stopped) {
      const total = recordBytesOf(view, p);
      this.#tell(p, total);
      p += total;
    }
  }

  #unfinished(end: number, seq: number): void {
    const message =
      `${counted(this.#members)} of a batch that goes on at ${this.lastSeq + 1}, ` +
      `what follows is ${seq}`;
    this.#drop('torn-batch', end, message);
  }

  #tooLong(end: number): void {
    const { batchBytesMax } = this.options;
    this.#drop('bad-length', end, `a batch of over ${batchBytesMax} bytes, which is the limit`);
  }

  #drop(code: string, end: number, message: string): void {
    const from = this.batchFrom;
    const lost = { records: this.#members, lost: true };
    this.#forget();
    this.losses.note(code, from, end - from, message, lost);
  }

  #forget(): void {
    this.batchFrom = -1;
    this.#members = 0;
    this.#salvaged.clear();
  }
}

function counted(records: number): string {
  return records === 1 ? '1 record' : `${records} records`;
}
