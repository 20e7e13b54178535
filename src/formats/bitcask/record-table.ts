/**
 * What the records of one data file are to be held against its hint file by. Keys stand in it as
 * two hashes of 32 bits each.
 */
import { hashOf } from './key-hash.ts';
import type { BitcaskRecord } from './model.ts';
import { grown, Rows } from './rows.ts';

const SEEDS = [0x2545_f491, 0x9e37_79b9] as const;

export class RecordTable extends Rows {
  #hashes = new Uint32Array(2 * this.capacity);

  add(record: BitcaskRecord): void {
    const { bytes, keyStart, keyEnd } = record;
    const row = this.addRow(record, record.offset, record.length);
    this.#hashes[2 * row] = hashOf(bytes, keyStart, keyEnd, SEEDS[0]);
    this.#hashes[2 * row + 1] = hashOf(bytes, keyStart, keyEnd, SEEDS[1]);
  }

  hasKey(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    return (
      this.#hashes[2 * row] === hashOf(bytes, start, end, SEEDS[0]) &&
      this.#hashes[2 * row + 1] === hashOf(bytes, start, end, SEEDS[1])
    );
  }

  protected override grow(): void {
    super.grow();
    this.#hashes = grown(this.#hashes, new Uint32Array(2 * this.capacity));
  }
}
