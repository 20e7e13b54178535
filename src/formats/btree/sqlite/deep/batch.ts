/** Rows of a table, as many as an image holds: their records as they lie in the file. */
import { GrowingBuffer } from '../payload.ts';
import type { SqliteRecord } from '../record-reader.ts';
import { CELL_MORE, IMAGE_PAGE } from './image.ts';

/** Records of a batch, in all. */
const BATCH_BYTES = 1024 * 1024;
/** A single one may be as long as this. */
export const ROW_BYTES_MAX = 16 * 1024 * 1024;

/** Serial type of a float. */
const FLOAT = 7;

export class RowBatch {
  readonly rowids: (number | bigint)[] = [];
  /** Of the file, where each row lies. */
  readonly pages: number[] = [];
  readonly starts: number[] = [];
  readonly lengths: number[] = [];
  readonly #buffer = new GrowingBuffer();
  /** A float was in one of all rows so far. */
  floats = false;
  #used = 0;
  /** Of the image's leaf. */
  #room = IMAGE_PAGE;

  get count(): number {
    return this.starts.length;
  }

  get bytes(): Uint8Array {
    return this.#buffer.bytes;
  }

  clear(): void {
    this.rowids.length = 0;
    this.pages.length = 0;
    this.starts.length = 0;
    this.lengths.length = 0;
    this.#used = 0;
    this.#room = IMAGE_PAGE;
  }

  /** True where another record of that length goes in. Rows without a rowid have one leaf. */
  fits(length: number, localMax: number, rowid: boolean): boolean {
    if (this.count === 0) return true;
    if (this.#used + length + CELL_MORE * this.count > BATCH_BYTES) return false;
    return rowid || this.#room >= Math.min(length, localMax) + CELL_MORE;
  }

  /** What rows need of leaves, at most. */
  localBytes(from: number, to: number, localMax: number): number {
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += Math.min(this.lengths[i]!, localMax) + CELL_MORE;
    return bytes;
  }

  add(record: SqliteRecord, rowid: number | bigint, page: number, localMax: number): void {
    const { bytes, start, length, header } = record;
    for (let i = 0; i < header.columns && !this.floats; i++) {
      this.floats = header.serials[i] === FLOAT;
    }
    this.#reserve(this.#used + length);
    this.#buffer.bytes.set(bytes.subarray(start, start + length), this.#used);
    this.rowids.push(rowid);
    this.pages.push(page);
    this.starts.push(this.#used);
    this.lengths.push(length);
    this.#used += length;
    this.#room -= Math.min(length, localMax) + CELL_MORE;
  }

  #reserve(length: number): void {
    const old = this.#buffer.bytes;
    this.#buffer.reserve(length);
    if (this.#buffer.bytes !== old) this.#buffer.bytes.set(old);
  }
}
