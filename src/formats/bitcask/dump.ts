/** dump of the family: the physical records of data files, or the entries of hint files. */
import { DdiaError } from '../../shared/errors.ts';
import { bytesValue } from '../bytes/value.ts';
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, FileEntry, Finding, RecordSink } from '../format.ts';
import { keyInRange } from '../key-range.ts';
import { storeFiles } from './files.ts';
import type { BitcaskOpened, BitcaskRecord, BitcaskScanContext } from './model.ts';
import { printEntry, printRecord } from './print.ts';
import { scanStore } from './reader.ts';

export async function dumpStore(
  input: BitcaskOpened,
  options: DumpOptions,
  context: BitcaskScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const { data, hints, companions } = storeFiles(input);
  if (data.length + hints.length === 0 && companions.length > 0) {
    const { path } = input.set;
    throw new DdiaError('no-records', `${path} names the files of a store and has no records`);
  }
  // A hint file that is given alone is what is to be looked at.
  if (data.length === 0) return dumpHints(input, hints, options, context, sink, onDamage);
  const told = new Narrowed(options, onDamage);
  const batches = options.batches ? new BatchPrinter(sink) : undefined;
  await scanStore(input, context, {
    record(record) {
      const { bytes, keyStart, keyEnd, length } = record;
      if (!told.takes(bytes, keyStart, keyEnd, length)) return;
      if (batches) batches.record(record);
      else printRecord(sink, record);
    },
    damage(damage) {
      batches?.flush();
      told.damage(findingOf(damage));
    },
    fileEnd: () => batches?.flush(),
    done: () => told.stopped,
  });
  return told.result;
}

/** The entries of these hint files. */
export async function dumpHints(
  input: BitcaskOpened,
  hints: readonly FileEntry[],
  options: DumpOptions,
  context: BitcaskScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const { dialect, set } = input;
  const told = new Narrowed(options, onDamage);
  for (const { name } of hints) {
    if (told.stopped) break;
    const source = set.open(name);
    try {
      await dialect.scanHint(source, context, {
        entry(entry) {
          const { bytes, keyStart, keyEnd, length } = entry;
          if (!told.takes(bytes, keyStart, keyEnd, length)) return;
          printEntry(sink, entry, dialect.dataName(entry.dataFile));
        },
        damage: (finding) => told.damage(finding),
        done: () => told.stopped,
      });
    } finally {
      source.close?.();
    }
  }
  return told.result;
}

/** Counts what is told, and leaves out what was not asked for. */
class Narrowed {
  stopped: boolean;
  #records = 0;
  #bytes = 0;
  #skip: number;
  readonly #limit: number;
  readonly #narrowed: boolean;
  readonly #findings = new Findings(0);

  constructor(
    readonly options: DumpOptions,
    readonly onDamage: (finding: Finding) => void,
  ) {
    const { from, to, prefix, skip = 0, limit = Number.POSITIVE_INFINITY } = options;
    this.#skip = skip;
    this.#limit = limit;
    this.#narrowed = from !== undefined || to !== undefined || prefix !== undefined;
    this.stopped = limit <= 0;
  }

  takes(bytes: Uint8Array, keyStart: number, keyEnd: number, length: number): boolean {
    if (this.stopped) return false;
    if (this.#narrowed && !keyInRange(bytes, keyStart, keyEnd, this.options)) return false;
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    this.#bytes += length;
    if (++this.#records >= this.#limit) this.stopped = true;
    return true;
  }

  damage(finding: Finding): void {
    if (this.stopped) return;
    this.#findings.add(finding);
    this.onDamage(finding);
    if (this.options.stopAtDamage) this.stopped = true;
  }

  get result(): DumpResult {
    const { total, verdict } = this.#findings;
    return { records: this.#records, bytes: this.#bytes, damage: total, verdict };
  }
}

/** Records that were written as one. `whole`: its last record is there. */
class BatchPrinter {
  #operations: Record<string, unknown>[] = [];
  #file = '';
  #offset = 0;
  #end = 0;
  #first = -1;
  #last = -1;

  constructor(readonly sink: RecordSink) {}

  record(record: BitcaskRecord): void {
    const { bytes, deleted, seq, expires, timestamp } = record;
    if (this.#operations.length === 0) {
      this.#file = record.file;
      this.#offset = record.offset;
      this.#first = seq;
    }
    this.#end = record.offset + record.length;
    this.#last = seq;
    this.#operations.push({
      ...(!Number.isNaN(timestamp) && { timestamp }),
      key: bytesValue(bytes, record.keyStart, record.keyEnd),
      ...(!deleted && { value: bytesValue(bytes, record.valueStart, record.valueEnd) }),
      deleted,
      ...(expires > 0 && { expires }),
      ...record.extra,
    });
    if (!record.continued) this.flush(true);
  }

  flush(whole = false): void {
    if (this.#operations.length === 0) return;
    const { sink } = this;
    sink.begin();
    sink.text('file', this.#file);
    sink.integer('offset', this.#offset);
    sink.integer('length', this.#end - this.#offset);
    if (this.#first >= 0) {
      sink.integer('firstSeq', this.#first);
      sink.integer('lastSeq', this.#last);
    }
    sink.flag('whole', whole);
    sink.json('ops', this.#operations);
    sink.end();
    this.#operations = [];
  }
}
