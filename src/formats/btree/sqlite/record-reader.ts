/** Records of cells, in one piece: as they lie in the page, or gathered from overflow pages. */
import type { Cell } from './cell.ts';
import { GrowingBuffer, type Payloads } from './payload.ts';
import { RecordHeader } from './record.ts';

/** A record in a buffer. Reused. */
export class SqliteRecord {
  readonly header = new RecordHeader();
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  length = 0;
  /** The header checks, and all values are in the buffer. */
  whole = false;
  /** Where the bytes that are in the buffer end. */
  end = 0;
  /** Why not. */
  fault = '';
  /** It is longer than what is read whole. */
  long = false;
  /** Where it is put together. */
  readonly gathered = new GrowingBuffer();

  /** Takes what can be read of one that is not whole; false: nothing. */
  takePart(): boolean {
    return this.header.parsePart(this.bytes, this.start, this.end);
  }
}

/** Of a record that goes on elsewhere, at least so much is looked at for its header. */
const HEAD_BYTES = 4096;

export class RecordReader {
  /** Two, in turn: the one before stays for comparison. */
  #record = new SqliteRecord();
  #other = new SqliteRecord();

  constructor(
    readonly payloads: Payloads,
    /** Longer ones are not put together. */
    readonly bytesMax: number,
  ) {}

  /**
   * The record of a cell of the page in bytes and view; the one of the call before stays valid.
   * `chained`: its overflow chain is whole; `all`: the values are wanted, not the header alone.
   */
  read(
    cell: Cell,
    bytes: Uint8Array,
    view: DataView,
    chained: boolean,
    all: boolean,
  ): SqliteRecord {
    const record = this.#other;
    this.#other = this.#record;
    this.#record = record;
    const { payload, local, at } = cell;
    record.fault = '';
    record.long = false;
    record.length = payload;
    if (payload === local) {
      record.bytes = bytes;
      record.view = view;
      record.start = at;
      record.end = at + payload;
      record.whole = record.header.parse(bytes, at, payload, at + payload);
      if (!record.whole) record.fault = record.header.fault;
      return record;
    }
    const wanted = all
      ? Math.min(payload, this.bytesMax)
      : Math.min(payload, this.#head(cell, bytes));
    const got = this.payloads.gather(cell, bytes, wanted, record.gathered);
    record.bytes = record.gathered.bytes;
    record.view = record.gathered.view;
    record.start = 0;
    record.end = got;
    const fits = record.header.parse(record.bytes, 0, payload, got);
    // What a broken chain keeps from being read is told as such, and not once more.
    if (!fits && chained && got === wanted) record.fault = record.header.fault;
    if (fits && all && got < payload && chained && payload > this.bytesMax) {
      record.long = true;
      record.fault = `${payload} bytes, more than are read whole (--max-record-bytes ${this.bytesMax})`;
    }
    record.whole = fits && got === payload;
    return record;
  }

  /** Bytes that hold the header, by its own size. */
  #head(cell: Cell, bytes: Uint8Array): number {
    let size = bytes[cell.at]!;
    if (size >= 0x80 && cell.local > 2) {
      size = ((size & 0x7f) << 7) | (bytes[cell.at + 1]! & 0x7f);
      if (bytes[cell.at + 1]! >= 0x80) size = (size << 7) | (bytes[cell.at + 2]! & 0x7f);
    }
    return Math.max(HEAD_BYTES, size);
  }
}
