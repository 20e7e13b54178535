/** What is kept of many records of one data file, in typed arrays. */
const ROWS_MIN = 256;

/** Of a record or a hint entry. */
export interface RowFields {
  readonly timestamp: number;
  readonly seq: number;
  readonly expires: number;
  readonly deleted: boolean;
}

export class Rows {
  count = 0;
  protected capacity = ROWS_MIN;
  #positions = new Float64Array(ROWS_MIN);
  #timestamps = new Float64Array(ROWS_MIN);
  #seqs = new Float64Array(ROWS_MIN);
  #expires = new Float64Array(ROWS_MIN);
  #lengths = new Uint32Array(ROWS_MIN);
  #marks = new Uint8Array(ROWS_MIN);

  /** For the next file. */
  clear(): void {
    this.count = 0;
  }

  /** Returns the row. Records come in ascending order of their places. */
  protected addRow(fields: RowFields, position: number, length: number): number {
    const row = this.count++;
    if (row === this.capacity) this.grow();
    this.#positions[row] = position;
    this.#timestamps[row] = fields.timestamp;
    this.#seqs[row] = fields.seq;
    this.#expires[row] = fields.expires;
    this.#lengths[row] = length;
    this.#marks[row] = fields.deleted ? 1 : 0;
    return row;
  }

  /** The row of the record that begins at `position`, or -1. */
  find(position: number): number {
    const positions = this.#positions;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (positions[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return low < this.count && positions[low] === position ? low : -1;
  }

  position(row: number): number {
    return this.#positions[row]!;
  }

  timestamp(row: number): number {
    return this.#timestamps[row]!;
  }

  seq(row: number): number {
    return this.#seqs[row]!;
  }

  expires(row: number): number {
    return this.#expires[row]!;
  }

  length(row: number): number {
    return this.#lengths[row]!;
  }

  isDeleted(row: number): boolean {
    return (this.#marks[row]! & 1) !== 0;
  }

  /** A note on the row, whatever it means. */
  mark(row: number): void {
    this.#marks[row]! |= 2;
  }

  isMarked(row: number): boolean {
    return (this.#marks[row]! & 2) !== 0;
  }

  protected grow(): void {
    this.capacity *= 2;
    this.#positions = grown(this.#positions, new Float64Array(this.capacity));
    this.#timestamps = grown(this.#timestamps, new Float64Array(this.capacity));
    this.#seqs = grown(this.#seqs, new Float64Array(this.capacity));
    this.#expires = grown(this.#expires, new Float64Array(this.capacity));
    this.#lengths = grown(this.#lengths, new Uint32Array(this.capacity));
    this.#marks = grown(this.#marks, new Uint8Array(this.capacity));
  }
}

/** `larger` with the content of `old` at its front. */
export function grown<T extends Uint8Array | Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
