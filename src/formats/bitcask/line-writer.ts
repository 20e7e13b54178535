/** Puts parsed lines into a store: numbers what has no number, and keeps to the files they name. */

import type { RecordLine } from './lines.ts';
import type { BitcaskDialect } from './model.ts';
import type { StoreWriter } from './write.ts';

export class LineWriter {
  #file: number | undefined;
  #nextSeq = 1;

  constructor(
    readonly dialect: BitcaskDialect,
    readonly writer: StoreWriter,
    /** Each line goes into the data file that it names, as far as it names one of the layout's. */
    readonly keepFiles: boolean,
  ) {}

  line({ puts, file }: RecordLine): void {
    const number = this.keepFiles && file !== undefined ? this.dialect.dataFile(file) : undefined;
    if (number !== undefined && number !== this.#file) {
      this.writer.begin(number);
      this.#file = number;
    }
    for (const put of puts) {
      if (put.seq < 0) put.seq = this.#nextSeq;
      this.writer.put(put);
      this.#nextSeq = put.seq + 1;
    }
  }
}
