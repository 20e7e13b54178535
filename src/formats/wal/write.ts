/** Turns operations into segments of a dialect that stands record by record. */
import { DdiaError } from '../../shared/errors.ts';
import type { FileOutput } from '../file-output.ts';
import type { LogEncoder, WalDialect, WalEncoder, WalOperation } from './model.ts';
import type { WalLine } from './operations.ts';

export interface WriteOptions {
  segmentBytes: number;
  /** Each line is one record with its own seq, in the segment that it names. */
  keepSeq: boolean;
  firstSeq: bigint;
}

export class SegmentWriter {
  readonly #encoder: WalEncoder;
  readonly #log: LogEncoder | undefined;
  #open = false;
  #name = '';
  #number = 0;
  #bytes = 0;
  /** Lines say which segment they are for: sizes do not. */
  #named = false;
  #seq: bigint;
  records = 0;
  segments = 0;
  bytes = 0;

  constructor(
    readonly dialect: WalDialect,
    readonly options: WriteOptions,
    readonly output: FileOutput,
  ) {
    const { encoder } = dialect;
    if (!encoder) throw new DdiaError('not-writable', `dialect ${dialect.id} is read, not written`);
    this.#encoder = encoder;
    this.#log = encoder.open?.();
    this.#seq = options.firstSeq;
  }

  /** The next record is numbered `seq`; undefined: one more than the last. */
  at(seq: bigint | undefined): this {
    this.#seq = seq ?? this.#seq;
    return this;
  }

  line(line: WalLine): void {
    const { keepSeq } = this.options;
    if (keepSeq) {
      if (line.batch) {
        throw new DdiaError('bad-line', 'a batch line has no seq to keep');
      }
      if (line.seq === undefined && this.dialect.hasSeq) {
        throw new DdiaError('bad-line', '--keep-seq needs a "seq" on every line');
      }
      if (line.file !== undefined && line.file !== this.#name) this.#beginNamed(line.file);
      this.#seq = line.seq ?? this.#seq;
    }
    if (this.#log) this.#record(line.operations);
    else {
      for (const operation of line.operations) this.#record([operation]);
      if (line.batch && this.#encoder.batchSeal) this.#record([this.#encoder.batchSeal]);
    }
  }

  /** A log without records still has its first segment. */
  end(): void {
    if (!this.#open && this.segments === 0) this.#begin(this.#encoder.segmentName(1), 1);
    this.#close(true);
  }

  /**
   * The check against the segment's limit runs after each record, so that a record is never split.
   * Where a batch is several records, it may reach into the next segment.
   */
  #record(operations: readonly WalOperation[]): void {
    if (!this.#open) this.#begin(this.#encoder.segmentName(this.#number + 1), this.#number + 1);
    const high = Number(this.#seq >> 32n);
    const low = Number(this.#seq & 0xffff_ffffn);
    const bytes = this.#log
      ? this.#log.record(high, low, operations)
      : this.#encoder.encode!(high, low, operations[0]!);
    this.#write(bytes);
    this.#seq += BigInt(operations.length);
    this.records += operations.length;
    if (this.#bytes >= this.options.segmentBytes && !this.#named) this.#close(false);
  }

  /** As the dump names it: the same records go to the same files. */
  #beginNamed(name: string): void {
    const number = this.dialect.segmentNumber(name);
    if (number === undefined) return; // from standard input, say: segments by size
    if (number <= this.#number && this.segments > 0) {
      throw new DdiaError('bad-line', `segment ${name} comes after ${this.#name}`);
    }
    this.#close(false);
    this.#named = true;
    this.#begin(name, number);
  }

  #begin(name: string, number: number): void {
    this.output.begin(name);
    this.#open = true;
    this.#name = name;
    this.#number = number;
    this.#bytes = 0;
    this.segments++;
    if (this.#log) this.#write(this.#log.begin(number, this.#seq));
  }

  #close(last: boolean): void {
    if (!this.#open) return;
    if (this.#log) this.#write(this.#log.end(last, this.#seq));
    this.output.finish();
    this.#open = false;
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.output.write(bytes);
    this.bytes += bytes.length;
    this.#bytes += bytes.length;
  }
}
