/** Turns operations into segments of a dialect that stands record by record. */
import { DdiaError } from '../../shared/errors.ts';
import type { WalDialect, WalEncoder, WalOperation } from './model.ts';
import type { WalLine } from './operations.ts';

/** Where segments go. */
export interface SegmentOutput {
  begin(name: string): void;
  write(bytes: Uint8Array): void;
  finish(): void;
}

export interface WriteOptions {
  segmentBytes: number;
  /** Each line is one record with its own seq, in the segment that it names. */
  keepSeq: boolean;
  firstSeq: bigint;
}

export class SegmentWriter {
  readonly #encoder: WalEncoder;
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
    readonly output: SegmentOutput,
  ) {
    const { encoder } = dialect;
    if (!encoder) throw new DdiaError('not-writable', `dialect ${dialect.id} is read, not written`);
    this.#encoder = encoder;
    this.#seq = options.firstSeq;
  }

  line(line: WalLine): void {
    const { keepSeq } = this.options;
    if (keepSeq) {
      if (line.batch)
        throw new DdiaError('bad-line', 'a batch line has no seq to keep', undefined, 2);
      if (line.seq === undefined && this.dialect.hasSeq) {
        throw new DdiaError('bad-line', '--keep-seq needs a "seq" on every line', undefined, 2);
      }
      if (line.file !== undefined && line.file !== this.#name) this.#beginNamed(line.file);
      this.#seq = line.seq ?? this.#seq;
    }
    for (const operation of line.operations) this.#record(operation);
    if (line.batch && this.#encoder.batchSeal) this.#record(this.#encoder.batchSeal);
  }

  /** A log without records still has its first segment. */
  end(): void {
    if (!this.#open && this.segments === 0) this.#begin(this.#encoder.segmentName(1));
    this.#close();
  }

  /**
   * The check against the segment's limit runs after each record, so that a record is never split and a batch
   * may reach into the next segment.
   */
  #record(operation: WalOperation): void {
    if (!this.#open) this.#begin(this.#encoder.segmentName(++this.#number));
    const seq = this.#seq++;
    const bytes = this.#encoder.encode(Number(seq >> 32n), Number(seq & 0xffff_ffffn), operation);
    this.output.write(bytes);
    this.records++;
    this.bytes += bytes.length;
    this.#bytes += bytes.length;
    if (this.#bytes >= this.options.segmentBytes && !this.#named) this.#close();
  }

  /** As the dump names it: the same records go to the same files. */
  #beginNamed(name: string): void {
    const number = this.dialect.segmentNumber(name);
    if (number === undefined) return; // from standard input, say: segments by size
    if (number <= this.#number && this.segments > 0) {
      throw new DdiaError('bad-line', `segment ${name} comes after ${this.#name}`, undefined, 2);
    }
    this.#close();
    this.#number = number;
    this.#named = true;
    this.#begin(name);
  }

  #begin(name: string): void {
    this.output.begin(name);
    this.#open = true;
    this.#name = name;
    this.#bytes = 0;
    this.segments++;
  }

  #close(): void {
    if (!this.#open) return;
    this.output.finish();
    this.#open = false;
  }
}
