/**
 * Writes the files of a store through a dialect's encoder: records into data files of a limited
 * size, a hint file behind each, and what names them all at the end.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { FileOutput } from '../file-output.ts';
import { HintWriter } from './hint-writer.ts';
import type { BitcaskDialect, BitcaskEncoder, BitcaskPut, BitcaskWriter } from './model.ts';

export interface StoreWriteOptions {
  /** A data file at or over this size is closed before the next record; default: the layout's. */
  readonly fileBytes?: number | undefined;
  /** A hint file for each data file; default: where the layout names its files. */
  readonly hints?: boolean | undefined;
  /** Number of the first data file; default 1. */
  readonly firstFile?: number | undefined;
  /** Records are copies of others: a merge. */
  readonly merged: boolean;
  /** Identity of the store, for layouts that have one. */
  readonly storeId: bigint;
}

const EMPTY = new Uint8Array(0);

export class StoreWriter {
  records = 0;
  files = 0;
  hints = 0;
  /** Of all files. */
  bytes = 0;
  readonly #encoder: BitcaskEncoder;
  readonly #writer: BitcaskWriter;
  readonly #hint: HintWriter;
  readonly #hinted: boolean;
  readonly #fileBytes: number;
  #number = 0;
  #size = 0;
  #open = false;
  /** Whoever writes says where a file begins: its size does not. */
  #named = false;
  /** The next record is written in one with the last. */
  #continued = false;
  readonly #row = {
    ...{ bytes: EMPTY as Uint8Array, keyStart: 0, keyEnd: 0 },
    ...{ timestamp: 0, seq: 0, expires: 0, deleted: false },
  };

  constructor(
    readonly dialect: BitcaskDialect,
    readonly options: StoreWriteOptions,
    readonly output: FileOutput,
  ) {
    const { encoder } = dialect;
    if (!encoder) throw new DdiaError('not-writable', `dialect ${dialect.id} is read, not written`);
    this.#encoder = encoder;
    this.#writer = encoder.open(options.storeId);
    this.#hint = new HintWriter(dialect);
    this.#hinted = options.hints ?? this.#writer.companions !== undefined;
    this.#fileBytes = options.fileBytes ?? this.#encoder.fileBytesDefault;
  }

  /** Begins data file `number`, which comes behind the last one. */
  begin(number: number, merged = this.options.merged): void {
    if (this.files > 0 && number <= this.#number) {
      throw new DdiaError('bad-line', `data file ${number} comes after ${this.#number}`);
    }
    this.#close();
    this.#named = true;
    this.#begin(number, merged);
  }

  put(put: BitcaskPut): void {
    const full = this.#size >= this.#fileBytes && !this.#named && !this.#continued;
    if (full && this.#open) this.#close();
    if (!this.#open) this.#begin(this.#nextNumber(), this.options.merged);
    const { key, value, timestamp, seq, expires } = put;
    const bytes = this.#writer.record(put, this.#size);
    if (this.#hinted) {
      const row = this.#row;
      row.bytes = key;
      row.keyEnd = key.length;
      row.timestamp = timestamp;
      row.seq = seq;
      row.expires = expires;
      row.deleted = value === undefined;
      this.#hint.add(row, this.#size, bytes.length);
    }
    this.#write(bytes);
    this.#size += bytes.length;
    this.#continued = put.continued;
    this.records++;
  }

  /** A store without records still has its first data file. */
  end(): void {
    if (!this.#open && this.files === 0) this.#begin(this.#nextNumber(), this.options.merged);
    this.#close();
    for (const { name, bytes } of this.#writer.companions?.() ?? []) {
      this.output.begin(name);
      this.#write(bytes);
      this.output.finish();
    }
  }

  #nextNumber(): number {
    return this.files === 0 ? (this.options.firstFile ?? 1) : this.#number + 1;
  }

  #begin(number: number, merged: boolean): void {
    this.output.begin(this.dialect.dataName(number));
    this.#number = number;
    this.#open = true;
    this.files++;
    const head = this.#writer.data(number, merged);
    this.#size = head.length;
    this.#write(head);
  }

  #close(): void {
    if (!this.#open) return;
    const end = this.#writer.dataEnd();
    this.#size += end.length;
    this.#write(end);
    this.output.finish();
    this.#open = false;
    if (!this.#hinted) return;
    this.output.begin(this.dialect.hintName(this.#number));
    this.#hint.write(this.#writer, this.#number, this.#size, (bytes) => this.#write(bytes));
    this.output.finish();
    this.hints++;
    this.#hint.clear();
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.output.write(bytes);
    this.bytes += bytes.length;
  }
}
