/** Walks one table, or the tables of a level one behind the other, either way. */
import { EntryBlock } from '../../formats/sstable/entry-block.ts';
import { EntryDecoder } from '../../formats/sstable/v2/block.ts';
import { Cursor } from './cursor.ts';
import type { TableFile } from './table-file.ts';

/** What is read at once where a table is read from front to end. */
const AHEAD_BYTES = 256 * 1024;

export class TableFileCursor extends Cursor {
  readonly #block = new EntryBlock();
  readonly #decoder = new EntryDecoder();
  #number = 0;
  #i = 0;
  /** Bytes of the table that were read ahead, from #aheadAt on. */
  #ahead: Uint8Array | undefined;
  #aheadAt = 0;
  #aheadEnd = 0;

  constructor(
    public table: TableFile,
    /** Reads front to end: in large pieces, past the cache. */
    readonly sequential = false,
  ) {
    super();
  }

  seek(key?: Uint8Array): void {
    const { index } = this.table;
    this.#number = key ? index.seek(key) : 0;
    if (!this.#load()) return;
    this.#i = key ? this.#block.lowerBound(key) : 0;
    if (this.#i < this.#block.count) this.#show();
    else this.#nextBlock();
  }

  seekBack(key?: Uint8Array): void {
    const { index } = this.table;
    this.#number = Math.min(key ? index.seek(key) : index.count, index.count - 1);
    if (!this.#load()) return;
    this.#i = (key ? this.#block.lowerBound(key) : this.#block.count) - 1;
    if (this.#i >= 0) this.#show();
    else this.#previousBlock();
  }

  next(): void {
    if (++this.#i < this.#block.count) this.#show();
    else this.#nextBlock();
  }

  previous(): void {
    if (--this.#i >= 0) this.#show();
    else this.#previousBlock();
  }

  #nextBlock(): void {
    this.#number++;
    if (!this.#load()) return;
    this.#i = 0;
    this.#show();
  }

  #previousBlock(): void {
    this.#number--;
    if (!this.#load()) return;
    this.#i = this.#block.count - 1;
    this.#show();
  }

  #show(): void {
    const block = this.#block;
    const i = this.#i;
    this.keyStart = block.keyStart[i]!;
    this.keyEnd = block.keyEnd[i]!;
    this.seq = block.seqHigh[i]! * 0x1_0000_0000 + block.seqLow[i]!;
    this.type = block.types[i]!;
    const start = block.valueStart[i]!;
    this.valueEnd = block.valueEnd[i]!;
    this.valueStart = start < 0 ? this.valueEnd : start;
    this.timestamp = block.timestamps ? block.timestamps[i]! : Number.NaN;
  }

  /** False: there is no such block. */
  #load(): boolean {
    const { table } = this;
    const number = this.#number;
    this.valid = number >= 0 && number < table.index.count;
    if (!this.valid) return false;
    let payload: Uint8Array;
    let entries: number;
    if (this.sequential) {
      payload = this.#readAhead(number);
      entries = table.entries;
    } else ({ payload, entries } = table.block(number));
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const decoder = this.#decoder;
    if (!decoder.decode(payload, view, 0, payload.length, entries, this.#block) || entries === 0) {
      throw table.corrupt(table.index.offset(number), `data block ${number}: ${decoder.fault}`);
    }
    this.keyBytes = this.#block.keyBytes;
    this.keyView = this.#block.keyView;
    this.valueBytes = payload;
    this.valueView = view;
    return true;
  }

  #readAhead(number: number): Uint8Array {
    const { table } = this;
    const { index } = table;
    const [offset, size] = [index.offset(number), index.size(number)];
    if (offset < this.#aheadAt || offset + size > this.#aheadEnd) {
      const length = Math.max(size, AHEAD_BYTES);
      if (!this.#ahead || this.#ahead.length < length) this.#ahead = new Uint8Array(length);
      this.#aheadAt = offset;
      this.#aheadEnd = offset + table.readInto(this.#ahead, this.#ahead.length, offset);
    }
    const end = this.#aheadEnd - this.#aheadAt;
    return table.checked(this.#ahead!, offset - this.#aheadAt, end, number);
  }
}

/** Tables that do not overlap, in the order of their keys. */
export class LevelCursor extends Cursor {
  #i = -1;
  #cursor: TableFileCursor | undefined;

  constructor(
    readonly tables: readonly TableFile[],
    readonly sequential = false,
  ) {
    super();
  }

  seek(key?: Uint8Array): void {
    this.#i = key ? firstReaching(this.tables, key) : 0;
    this.#open()?.seek(key);
    this.#forwards();
  }

  seekBack(key?: Uint8Array): void {
    const { tables } = this;
    this.#i = Math.min(key ? firstReaching(tables, key) : tables.length, tables.length - 1);
    this.#open()?.seekBack(key);
    this.#backwards();
  }

  next(): void {
    this.#cursor!.next();
    this.#forwards();
  }

  previous(): void {
    this.#cursor!.previous();
    this.#backwards();
  }

  #forwards(): void {
    while (this.#cursor && !this.#cursor.valid) {
      this.#i++;
      this.#open()?.seek();
    }
    this.#show();
  }

  #backwards(): void {
    while (this.#cursor && !this.#cursor.valid) {
      this.#i--;
      this.#open()?.seekBack();
    }
    this.#show();
  }

  #open(): TableFileCursor | undefined {
    const table = this.tables[this.#i];
    this.#cursor = table && new TableFileCursor(table, this.sequential);
    return this.#cursor;
  }

  #show(): void {
    const cursor = this.#cursor;
    this.valid = cursor?.valid ?? false;
    if (!cursor || !this.valid) return;
    this.keyBytes = cursor.keyBytes;
    this.keyView = cursor.keyView;
    this.keyStart = cursor.keyStart;
    this.keyEnd = cursor.keyEnd;
    this.seq = cursor.seq;
    this.type = cursor.type;
    this.valueBytes = cursor.valueBytes;
    this.valueView = cursor.valueView;
    this.valueStart = cursor.valueStart;
    this.valueEnd = cursor.valueEnd;
    this.timestamp = cursor.timestamp;
  }
}

/** Of tables in order, the first whose last key is not before `key`. */
export function firstReaching(tables: readonly TableFile[], key: Uint8Array): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(tables[middle]!.entry.lastKey, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
