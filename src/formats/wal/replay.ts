/**
 * replay of the family: the operations of the valid prefix, in order, and then a word about where
 * it ends and what lies behind. Nothing is skipped: the first damage, gap or missing segment is the
 * end.
 */
import { findingOf } from '../damage.ts';
import type { Finding, RecordSink } from '../format.ts';
import type { WalDamage, WalOpened, WalRecord, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';
import { SequenceChecker, Vouched } from './sequence.ts';

export interface ReplayOptions {
  /** Only operations with a higher sequence number. */
  after: bigint;
}

/** A batch that cannot be whole, with the evidence. */
export interface IncompleteBatch {
  /** The commit that seals it. */
  commitSeq: string;
  file: string;
  offset: number;
  reason: string;
  /** False where records are lost before the commit that may as well have been lone writes. */
  proven: boolean;
}

export interface ReplayResult {
  /** Operations handed out, and the last sequence number of the valid prefix. */
  replayed: number;
  lastSeq: string;
  /** Records of the valid prefix, markers and those up to `after` included. */
  prefix: number;
  /** The damage that ended it; undefined: the log is read to its end. */
  end: Finding | undefined;
  /** What can still be read behind the end, and is not replayed. */
  behind: { records: number; bytes: number };
  incomplete: IncompleteBatch[];
  /**
   * Operations of the prefix that no commit seals: v1 cannot tell lone writes from a torn batch.
   */
  unsealed: number;
}

/** Where replayed operations go. */
export type ReplayVisitor = (record: WalRecord) => void;

const OPERATIONS_OF_MARKERS = new Set(['commit', 'checkpoint']);

export async function replayLog(
  input: WalOpened,
  options: ReplayOptions,
  context: WalScanContext,
  visit: ReplayVisitor,
): Promise<ReplayResult> {
  const { dialect } = input;
  const result: ReplayResult = {
    replayed: 0,
    lastSeq: '0',
    prefix: 0,
    end: undefined,
    behind: { records: 0, bytes: 0 },
    incomplete: [],
    unsealed: 0,
  };
  const batches = new BatchWatch(dialect.batches === 'commit-record', result);
  const stop = (finding: Finding) => {
    result.end ??= finding;
  };
  let held: Held | undefined;
  const afterHigh = Number(options.after >> 32n);
  const afterLow = Number(options.after & 0xffff_ffffn);
  const sequence = dialect.hasSeq ? new PrefixSequence(dialect.gapSeverity, stop) : undefined;

  await scanLog(input, context, {
    record(record) {
      if (!result.end && record.numbered) sequence?.record(record);
      batches.record(record, result.end !== undefined || record.salvaged);
      if (result.end) {
        result.behind.records++;
        if (record.index === 0) result.behind.bytes += record.length;
        return;
      }
      if (record.salvaged) {
        // Its damage is told right after it: it is no part of the valid prefix.
        held = { length: record.length };
        return;
      }
      result.prefix++;
      if (dialect.hasSeq) result.lastSeq = record.seqText;
      if (OPERATIONS_OF_MARKERS.has(record.op)) return;
      if (
        record.seqHigh < afterHigh ||
        (record.seqHigh === afterHigh && record.seqLow <= afterLow && dialect.hasSeq)
      ) {
        return;
      }
      result.replayed++;
      visit(record);
    },
    resume: (previous, base) => sequence?.resume(previous, base),
    damage(damage: WalDamage) {
      batches.damage(damage);
      if (!result.end && held) {
        result.behind.records++;
        result.behind.bytes += held.length;
      }
      held = undefined;
      stop(findingOf(damage));
    },
  });
  return result;
}

interface Held {
  length: number;
}

/** Ends the prefix where the sequence breaks. */
class PrefixSequence {
  #next: { high: number; low: number } | undefined;
  readonly #vouched = new Vouched();

  constructor(
    readonly gapSeverity: string,
    readonly stop: (finding: Finding) => void,
  ) {}

  /** The next segment vouches that numbering, which stood at `previous`, goes on at `base`. */
  resume(previous: bigint, base: bigint): void {
    const next = this.#next
      ? (BigInt(this.#next.high) << 32n) | BigInt(this.#next.low)
      : previous + 1n;
    if (!this.#vouched.goesOn(previous, base, next)) return;
    this.#next = { high: Number(base >> 32n), low: Number(base & 0xffff_ffffn) };
  }

  record(record: WalRecord): void {
    const next = this.#next;
    if (next && (record.seqHigh !== next.high || record.seqLow !== next.low)) {
      const expected = next.high * 0x1_0000_0000 + next.low;
      const gap = record.seq > expected;
      const tolerated = gap && this.gapSeverity === 'info';
      if (!tolerated && !SequenceChecker.unnumbered(record)) {
        const { file, offset, length } = record;
        this.stop({
          code: gap ? 'seq-gap' : record.seq === expected - 1 ? 'seq-duplicate' : 'seq-regression',
          severity: 'error',
          file,
          offset,
          length,
          message: `seq ${record.seqText} follows ${expected - 1}: expected ${expected}`,
        });
        return;
      }
    }
    if (SequenceChecker.unnumbered(record)) return;
    const low = (record.seqLow + 1) >>> 0;
    this.#next = { high: low === 0 ? record.seqHigh + 1 : record.seqHigh, low };
  }
}

/**
 * Batches that end in a commit record. v1 has no begin marker, so a batch is proven incomplete only
 * if what stands directly before its commit is lost: a commit seals at least one operation.
 */
class BatchWatch {
  #lastSeq = '';
  #lostBefore = false;
  #lostInBatch = false;

  constructor(
    readonly active: boolean,
    readonly result: ReplayResult,
  ) {}

  record(record: WalRecord, behind: boolean): void {
    if (!this.active) return;
    const { op, seqText, file, offset } = record;
    const gap = this.#lastSeq !== '' && BigInt(seqText) !== BigInt(this.#lastSeq) + 1n;
    if (op === 'commit') {
      if (this.#lostBefore || gap) {
        const reason = 'the record directly before its commit is lost';
        this.result.incomplete.push({ commitSeq: seqText, file, offset, reason, proven: true });
      } else if (this.#lostInBatch) {
        const reason = 'records between the last seal and its commit are lost: some may be its own';
        this.result.incomplete.push({ commitSeq: seqText, file, offset, reason, proven: false });
      }
    } else if (gap) this.#lostInBatch = true;
    this.#lostBefore = false;
    this.#lastSeq = seqText;
    const seals = op === 'commit' || op === 'checkpoint';
    if (seals) this.#lostInBatch = false;
    if (!behind) this.result.unsealed = seals ? 0 : this.result.unsealed + 1;
  }

  damage(damage: WalDamage): void {
    if (!damage.lost && damage.code !== 'segment-gap') return;
    this.#lostBefore = true;
    this.#lostInBatch = true;
  }
}

/** Prints one replayed operation. */
export function printOperation(sink: RecordSink, record: WalRecord, hasSeq: boolean): void {
  sink.begin();
  if (hasSeq) sink.integer64('seq', record.seqHigh, record.seqLow);
  sink.word('op', record.op);
  if (record.columnFamily >= 0) sink.integer('cf', record.columnFamily);
  const { bytes, keyStart, valueStart } = record;
  if (keyStart >= 0) sink.bytes('key', 'key', bytes, keyStart, record.keyEnd);
  if (valueStart >= 0) sink.bytes('value', 'value', bytes, valueStart, record.valueEnd);
  sink.end();
}
