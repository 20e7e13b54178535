/** dump of the family: one record an operation, or with --batches one a batch. */

import { bytesValue } from '../bytes/value.ts';
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, Finding, RecordSink } from '../format.ts';
import { keyInRange } from '../key-range.ts';
import type { WalOpened, WalRecord, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';

export async function dumpLog(
  input: WalOpened,
  options: DumpOptions,
  context: WalScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const findings = new Findings(0);
  const result = { records: 0, bytes: 0 };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.skip ?? 0;
  let stopped = limit <= 0;
  const print = options.batches ? new BatchPrinter(input, sink) : new RecordPrinter(input, sink);
  const narrowed = options.from || options.to || options.prefix;

  await scanLog(input, context, {
    record(record) {
      if (stopped || (narrowed && !isInRange(record, options))) return;
      if (skip > 0) {
        skip--;
        return;
      }
      print.record(record);
      result.records++;
      result.bytes += record.index === 0 ? record.length : 0;
      if (result.records >= limit) stopped = true;
    },
    damage(damage) {
      if (stopped) return;
      print.flush();
      const finding = findingOf(damage);
      findings.add(finding);
      onDamage(finding);
      if (options.stopAtDamage) stopped = true;
    },
    done: () => stopped,
  });
  print.flush();
  return { ...result, damage: findings.total, verdict: findings.verdict };
}

/** A record without a key is in no range. */
function isInRange(record: WalRecord, options: DumpOptions): boolean {
  const { bytes, keyStart, keyEnd } = record;
  return keyStart >= 0 && keyInRange(bytes, keyStart, keyEnd, options);
}

interface Printer {
  record(record: WalRecord): void;
  flush(): void;
}

/** One operation as a line. */
export function printRecord(sink: RecordSink, record: WalRecord, hasSeq: boolean): void {
  sink.begin();
  sink.text('file', record.file);
  sink.integer('offset', record.offset);
  sink.integer('length', record.length);
  if (hasSeq && record.numbered) sink.integer64('seq', record.seqHigh, record.seqLow);
  sink.word('op', record.op);
  if (record.columnFamily >= 0) sink.integer('cf', record.columnFamily);
  if (record.extra) {
    for (const [name, value] of Object.entries(record.extra)) sink.json(name, value);
  }
  const { bytes, keyStart, valueStart } = record;
  if (keyStart >= 0) sink.bytes('key', 'key', bytes, keyStart, record.keyEnd);
  if (valueStart >= 0) sink.bytes('value', 'value', bytes, valueStart, record.valueEnd);
  sink.end();
}

class RecordPrinter implements Printer {
  readonly #seq: boolean;

  constructor(
    input: WalOpened,
    readonly sink: RecordSink,
  ) {
    this.#seq = input.dialect.hasSeq;
  }

  record(record: WalRecord): void {
    printRecord(this.sink, record, this.#seq);
  }

  flush(): void {}
}

/** Operations that were written as one: up to a commit record, or those of one batch record. */
class BatchPrinter implements Printer {
  #operations: Record<string, unknown>[] = [];
  #file = '';
  #offset = 0;
  #endFile = '';
  #end = 0;
  #first = '';
  #last = '';
  readonly #byCommit: boolean;

  constructor(
    input: WalOpened,
    readonly sink: RecordSink,
  ) {
    this.#byCommit = input.dialect.batches === 'commit-record';
  }

  record(record: WalRecord): void {
    if (!this.#byCommit && record.index === 0) this.flush();
    if (this.#operations.length === 0) {
      this.#file = record.file;
      this.#offset = record.offset;
      this.#first = record.seqText;
    }
    this.#endFile = record.file;
    this.#end = record.offset + record.length;
    this.#last = record.seqText;
    const { op, bytes, columnFamily } = record;
    this.#operations.push({
      op,
      ...(columnFamily >= 0 && { cf: columnFamily }),
      ...(record.keyStart >= 0 && { key: bytesValue(bytes, record.keyStart, record.keyEnd) }),
      ...(record.valueStart >= 0 && {
        value: bytesValue(bytes, record.valueStart, record.valueEnd),
      }),
      ...record.extra,
    });
    if (this.#byCommit && (op === 'commit' || op === 'checkpoint')) this.flush(op === 'commit');
  }

  /** `sealed`: a commit record ends it. */
  flush(sealed = false): void {
    if (this.#operations.length === 0) return;
    const { sink } = this;
    sink.begin();
    sink.text('file', this.#file);
    sink.integer('offset', this.#offset);
    // A batch may reach into the next segment: then its end is a place of its own.
    if (this.#endFile === this.#file) sink.integer('length', this.#end - this.#offset);
    else {
      sink.text('endFile', this.#endFile);
      sink.integer('endOffset', this.#end);
    }
    sink.json('firstSeq', numberOrDigits(this.#first));
    sink.json('lastSeq', numberOrDigits(this.#last));
    if (this.#byCommit) sink.json('sealed', sealed);
    sink.json('ops', this.#operations);
    sink.end();
    this.#operations = [];
  }
}

/** As JSON has 64-bit integers: digits in a string beyond 2^53 - 1. */
export function numberOrDigits(digits: string): number | string {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
