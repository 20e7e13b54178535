/** Clocks that ran backwards: told once for each data file. */
import type { Finding } from '../format.ts';
import type { DataFile } from './files.ts';
import type { BitcaskDialect, BitcaskRecord } from './model.ts';

export class TimeChecker {
  #file = '';
  #last = Number.NaN;
  #checks = true;
  #count = 0;
  #finding: Finding | undefined;

  constructor(
    readonly dialect: BitcaskDialect,
    readonly emit: (finding: Finding) => void,
  ) {}

  beginFile(file: DataFile): void {
    this.#file = file.name;
    // Where hints are made by a merge alone, a file with one is merged: its records are in an order
    // of their own.
    this.#checks = file.hint === undefined || this.dialect.hints.records === 'all';
  }

  record({ timestamp, offset, length }: BitcaskRecord): void {
    if (!this.#checks) return;
    if (timestamp < this.#last) {
      this.#count++;
      this.#finding ??= {
        code: 'time-regression',
        severity: 'info',
        file: this.#file,
        offset,
        length,
        message: `timestamp ${timestamp} follows ${this.#last}: the clock ran backwards`,
      };
    }
    if (!Number.isNaN(timestamp)) this.#last = timestamp;
  }

  endFile(): void {
    const finding = this.#finding;
    if (!finding) return;
    const more = this.#count > 1 ? `; ${this.#count} times in this file` : '';
    this.emit({ ...finding, message: finding.message + more });
    this.#finding = undefined;
    this.#count = 0;
  }
}
