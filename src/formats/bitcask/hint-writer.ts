/**
 * Gathers what a hint file is to say of the records of one data file, and writes it when they are
 * all known.
 */
import { KeyDirectory } from './key-directory.ts';
import { type BitcaskDialect, type BitcaskWriter, HintEntry } from './model.ts';
import { grown, type RowFields, Rows } from './rows.ts';

const KEY_BYTES_MIN = 4096;

/** Of a record: where its key is, and what else an entry tells. */
export interface Hinted extends RowFields {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
}

export class HintWriter extends Rows {
  #keys = new Uint8Array(KEY_BYTES_MIN);
  #keyBytes = 0;
  #keyEnds = new Float64Array(this.capacity);
  /** For hints of the newest records alone: the row of each key. */
  #newest: KeyDirectory | undefined;
  readonly #entry = new HintEntry();

  constructor(readonly dialect: Pick<BitcaskDialect, 'hints' | 'newest'>) {
    super();
    this.clear();
  }

  override clear(): void {
    super.clear();
    this.#keyBytes = 0;
    this.#newest = this.dialect.hints.records === 'newest' ? new KeyDirectory() : undefined;
  }

  add(record: Hinted, position: number, length: number): void {
    const { bytes, keyStart, keyEnd } = record;
    const row = this.addRow(record, position, length);
    this.#keep(bytes, keyStart, keyEnd);
    this.#keyEnds[row] = this.#keyBytes;
    const newest = this.#newest;
    if (!newest) return;
    const entry = newest.put(bytes, keyStart, keyEnd);
    if (!newest.created) {
      const last = newest.position(entry);
      const older = this.dialect.newest === 'seq' && this.seq(row) < this.seq(last);
      this.mark(older ? row : last);
      if (older) return;
    }
    newest.set(entry, 0, row, 0, 0, 0);
  }

  /**
   * Writes the hint file of data file `number`, which has `dataBytes` bytes. `counts`: whether the
   * record at this place is the one that counts of the whole store; asked where hints have no
   * deletions, so that one must not bring back what a later file deletes.
   */
  write(
    writer: BitcaskWriter,
    number: number,
    dataBytes: number,
    emit: (bytes: Uint8Array) => void,
    counts?: (bytes: Uint8Array, start: number, end: number, position: number) => boolean,
  ): void {
    const { deletions } = this.dialect.hints;
    let entries = 0;
    for (let row = 0; row < this.count; row++) {
      const start = this.#keyStart(row);
      const end = this.#keyEnds[row]!;
      if (!deletions && this.isDeleted(row)) this.mark(row);
      else if (counts && !counts(this.#keys, start, end, this.position(row))) this.mark(row);
      if (!this.isMarked(row)) entries++;
    }
    emit(writer.hint(number, dataBytes, entries));
    for (let row = 0; row < this.count; row++) {
      if (!this.isMarked(row)) emit(writer.entry(this.#entryOf(row, number)));
    }
    emit(writer.hintEnd());
  }

  #entryOf(row: number, number: number): HintEntry {
    const entry = this.#entry;
    entry.dataFile = number;
    entry.position = this.position(row);
    entry.size = this.length(row);
    entry.timestamp = this.timestamp(row);
    entry.seq = this.seq(row);
    entry.expires = this.expires(row);
    entry.deleted = this.isDeleted(row);
    entry.bytes = this.#keys;
    entry.keyStart = this.#keyStart(row);
    entry.keyEnd = this.#keyEnds[row]!;
    return entry;
  }

  #keyStart(row: number): number {
    return row === 0 ? 0 : this.#keyEnds[row - 1]!;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#keyBytes + end - start;
    if (needed > this.#keys.length) {
      this.#keys = grown(this.#keys, new Uint8Array(Math.max(needed, 2 * this.#keys.length)));
    }
    const whole = start === 0 && end === bytes.length;
    this.#keys.set(whole ? bytes : bytes.subarray(start, end), this.#keyBytes);
    this.#keyBytes = needed;
  }

  protected override grow(): void {
    super.grow();
    this.#keyEnds = grown(this.#keyEnds, new Float64Array(this.capacity));
  }
}
