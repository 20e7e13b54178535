/**
 * Sequence numbers must continue from record to record and from segment to segment. Where they do
 * not, the record after the odd one tells which it was: a record that was cut out, one that is out
 * of place, or one whose number was hit.
 */
import { seqText } from '../../shared/u64.ts';
import type { Finding } from '../format.ts';
import type { WalDamage, WalDialect, WalRecord } from './model.ts';

interface Oddity {
  file: string;
  offset: number;
  length: number;
  /** The number that was due, and the one that stood there. */
  expected: number;
  actual: number;
  actualText: string;
  /** Records that damage just before may have held. */
  explained: number;
  /** Nothing stands before it. */
  atStart: boolean;
}

/**
 * Operations that take no sequence number of their own (RocksDB's transaction markers and notes).
 */
const UNNUMBERED = new Set([
  'log-data',
  'noop',
  'begin-prepare',
  'begin-persisted-prepare',
  'begin-unprepare',
  'end-prepare',
  'commit-xid',
  'commit-xid-timestamp',
  'rollback-xid',
]);

/**
 * Where segments say that numbering goes on. One that was begun and never written, since a crash
 * came first, vouches for the same number as the next one does.
 */
export class Vouched {
  #previous = -1n;
  #base = -1n;

  /** Whether numbering, which is due to go on at `next`, goes on at `base` behind `previous`. */
  goesOn(previous: bigint, base: bigint, next: bigint): boolean {
    const unwritten = next === this.#base && previous === this.#previous;
    if (!unwritten && previous + 1n !== next) return false;
    this.#previous = previous;
    this.#base = base;
    return true;
  }
}

export class SequenceChecker {
  #begun = false;
  #nextLow = 0;
  /** -1 matches no record: there is none yet to continue. */
  #nextHigh = -1;
  #explained = 0;
  #odd: Oddity | undefined;
  readonly #vouched = new Vouched();
  #first: number | undefined;

  constructor(
    readonly dialect: WalDialect,
    readonly emit: (finding: Finding) => void,
    /** The number that the first record must have; undefined: any. */
    first?: number,
  ) {
    this.#first = first;
  }

  record(record: WalRecord): void {
    if (record.seqLow === this.#nextLow && record.seqHigh === this.#nextHigh && !this.#odd) {
      if (this.dialect.batches === 'batch-record' && UNNUMBERED.has(record.op)) return;
      this.#advance(record.seqHigh, record.seqLow);
      this.#explained = 0;
      return;
    }
    this.#unexpected(record);
  }

  /** As many records again that are numbered on from the one before. */
  run(count: number): void {
    const odd = this.#odd;
    if (odd) this.#settle(odd.actual + 1 === odd.expected ? 'out of place' : undefined);
    const low = this.#nextLow + count;
    this.#nextLow = low >>> 0;
    if (low > 0xffff_ffff) this.#nextHigh = (this.#nextHigh + 1) >>> 0;
    this.#explained = 0;
  }

  /** The next segment vouches for where numbering stood, and goes on at `base`. */
  resume(previous: bigint, base: bigint): void {
    if (!this.#begun) {
      const first = this.#first;
      if (first === undefined || !this.#vouched.goesOn(previous, base, BigInt(first))) return;
      this.#first = Number(base);
      return;
    }
    const next = (BigInt(this.#nextHigh) << 32n) | BigInt(this.#nextLow);
    if (!this.#vouched.goesOn(previous, base, next)) return;
    this.#settle();
    this.#nextLow = Number(base & 0xffff_ffffn);
    this.#nextHigh = Number(base >> 32n);
  }

  damage(damage: WalDamage): void {
    this.#explained += damage.records;
  }

  /** True while a number is odd, and the record that tells why is still to come. */
  get undecided(): boolean {
    return this.#odd !== undefined;
  }

  /** True for operations that take no sequence number of their own. */
  static unnumbered(record: WalRecord): boolean {
    return UNNUMBERED.has(record.op);
  }

  end(): void {
    this.#settle();
  }

  #advance(high: number, low: number): void {
    this.#begun = true;
    this.#nextLow = (low + 1) >>> 0;
    this.#nextHigh = this.#nextLow === 0 ? (high + 1) >>> 0 : high;
  }

  #unexpected(record: WalRecord): void {
    if (UNNUMBERED.has(record.op) || !record.numbered) return;
    const odd = this.#odd;
    if (odd) {
      const seq = record.seq;
      if (seq === odd.expected + 1 && seq !== odd.actual + 1) this.#settle('hit');
      else if (seq === odd.expected) this.#settle('out of place');
      else {
        this.#settle();
        if (seq !== odd.actual + 1) {
          this.#unexpectedAfter(record, odd.actual + 1);
          return;
        }
      }
      this.#advance(record.seqHigh, record.seqLow);
      this.#explained = 0;
      return;
    }
    if (!this.#begun) {
      // The first record of what was given: it has nothing before it, but perhaps a number to begin
      // with.
      const first = this.#first;
      if (first !== undefined && this.#explained === 0 && record.seq !== first) {
        this.#unexpectedAfter(record, first);
        this.#odd!.atStart = true;
        return;
      }
      this.#advance(record.seqHigh, record.seqLow);
      this.#explained = 0;
      return;
    }
    this.#unexpectedAfter(record, this.#nextHigh * 0x1_0000_0000 + this.#nextLow);
  }

  #unexpectedAfter(record: WalRecord, expected: number): void {
    const { file, offset, length } = record;
    this.#odd = {
      file,
      offset,
      length,
      expected,
      actual: record.seq,
      actualText: seqText(record.seqHigh, record.seqLow),
      explained: this.#explained,
      atStart: false,
    };
    this.#explained = 0;
    this.#advance(record.seqHigh, record.seqLow);
  }

  /** Tells of the odd record, now that it is known what follows it. */
  #settle(as?: 'hit' | 'out of place'): void {
    const odd = this.#odd;
    this.#odd = undefined;
    if (!odd) return;
    const { expected, actual, actualText } = odd;
    const missing = actual - expected;
    if (!as && missing > 0 && missing <= odd.explained) return;

    const code =
      actual === expected - 1 ? 'seq-duplicate' : missing > 0 ? 'seq-gap' : 'seq-regression';
    let message: string;
    let diagnosis: string | undefined;
    if (as === 'hit') {
      message = `seq ${actualText} stands between ${expected - 1} and ${expected + 1}: expected ${expected}`;
      diagnosis = this.#flippedBit(odd);
    } else if (as === 'out of place') {
      message = `seq ${actualText} stands between ${expected - 1} and ${expected}: out of place`;
    } else if (odd.atStart) {
      message = `the first segment begins at seq ${actualText}, not at ${expected}: records before it are missing`;
    } else if (missing > 0) {
      const range =
        missing === 1
          ? `${expected} is missing`
          : `${expected} to ${actual - 1} are missing (${missing} records)`;
      message = `seq ${actualText} follows ${expected - 1}: ${range}`;
    } else if (code === 'seq-duplicate') {
      message = `seq ${actualText} stands twice in a row`;
    } else message = `seq ${actualText} follows ${expected - 1}: expected ${expected}`;
    this.#emit(odd, code, message, diagnosis);
  }

  #flippedBit({ expected, actualText, offset }: Oddity): string | undefined {
    if (this.dialect.id !== 'v1') return undefined; // elsewhere a checksum covers it
    const difference = BigInt(expected) ^ BigInt(actualText);
    if (difference === 0n || (difference & (difference - 1n)) !== 0n) return undefined;
    const bit = difference.toString(2).length - 1;
    return `bit ${bit & 7} of the byte at ${offset + 8 + (bit >>> 3)} (in seq) is flipped`;
  }

  #emit(at: Oddity, code: string, message: string, diagnosis?: string): void {
    const { file, offset, length } = at;
    const gap = at.atStart && !diagnosis ? 'warning' : this.dialect.gapSeverity;
    const severity = code === 'seq-gap' ? gap : 'error';
    this.emit({
      code,
      severity,
      file,
      offset,
      length,
      message,
      ...(diagnosis && { diagnosis }),
      repair: 'nothing to drop: the numbers stay as evidence',
    });
  }
}
