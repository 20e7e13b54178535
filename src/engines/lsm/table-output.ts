/**
 * The tables that a flush or a compaction writes: split by size, never between two entries of one
 * key, durable one by one. Range deletions are cut at the splits, so that tables do not overlap.
 */
import { join } from 'node:path';
import { viewOf } from '../../formats/bytes/read-fully.ts';
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import { compareBytes, isDeletion, TYPE } from '../../formats/sstable/entry-block.ts';
import { V2Writer } from '../../formats/sstable/v2/encode.ts';
import { tableName } from '../../formats/sstable/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { DurableWriter } from '../../io/durable.ts';
import type { Cursor } from './cursor.ts';
import type { ResolvedOptions } from './options.ts';
import { isBefore, type RangeDeletion } from './range-deletions.ts';

export interface OutputPlace {
  readonly disk: Disk;
  readonly directory: string;
  readonly options: Pick<
    ResolvedOptions,
    'tableBytes' | 'blockBytes' | 'compression' | 'filterBits'
  >;
  readonly storeId: bigint;
  readonly level: number;
  takeNumber(): number;
}

export class TableOutput {
  readonly tables: ManifestTable[] = [];
  bytesWritten = 0;
  #file: DurableWriter | undefined;
  #writer: V2Writer | undefined;
  #number = 0;
  #deletions = 0;
  /** Where this table's share of the keys begins; undefined: with the first key of all. */
  #from: Uint8Array | undefined;
  readonly #split: boolean;

  constructor(
    readonly place: OutputPlace,
    readonly ranges: readonly RangeDeletion[],
    split = true,
  ) {
    this.#split = split;
  }

  add(entry: Cursor): void {
    const { keyBytes, keyView, keyStart, keyEnd, seq, type } = entry;
    const writer = this.#writer;
    if (writer && this.#split && writer.size >= this.place.options.tableBytes) {
      const last = writer.lastKey;
      if (compareBytes(last, 0, last.length, keyBytes, keyStart, keyEnd) !== 0) {
        this.#end(new Uint8Array(keyBytes.subarray(keyStart, keyEnd)));
      }
    }
    const open = this.#writer ?? this.#begin();
    if (isDeletion(type)) this.#deletions++;
    open.addEntry(
      keyBytes,
      keyView,
      keyStart,
      keyEnd,
      Math.floor(seq / 0x1_0000_0000),
      seq >>> 0,
      type,
      entry.valueBytes,
      entry.valueView,
      entry.valueStart,
      entry.valueEnd,
      entry.timestamp,
    );
  }

  /** Writes what is left. The tables are durable then, and named by nobody. */
  finish(): void {
    if (!this.#writer && this.ranges.length > 0 && this.tables.length === 0) this.#begin();
    if (this.#writer) this.#end(undefined);
  }

  /** Removes what was written. */
  abandon(): void {
    this.#file?.abort();
    const { disk, directory } = this.place;
    for (const { file } of this.tables) disk.remove(join(directory, tableName(file)));
  }

  #begin(): V2Writer {
    const { disk, directory, options, storeId } = this.place;
    this.#number = this.place.takeNumber();
    this.#file = DurableWriter.create(disk, join(directory, tableName(this.#number)));
    const file = this.#file;
    const target = { write: (b: Uint8Array, s: number, e: number) => file.append(b, s, e) };
    const { blockBytes, compression, filterBits } = options;
    // Of all tables of all stores, no two have the same: the number counts up, the rest is random.
    const fileId = BigInt.asUintN(64, storeId + BigInt(this.#number));
    this.#writer = new V2Writer(target, { blockBytes, compression, filterBits, fileId });
    this.#deletions = 0;
    return this.#writer;
  }

  /** `next`: the first key of the table to come. */
  #end(next: Uint8Array | undefined): void {
    const writer = this.#writer!;
    const file = this.#file!;
    let firstKey: Uint8Array | undefined = writer.entries > 0 ? writer.firstKey : undefined;
    let lastKey: Uint8Array | undefined = writer.entries > 0 ? writer.lastKey.slice() : undefined;
    for (const { begin, end, seq } of this.ranges) {
      const from = this.#from && isBefore(begin, this.#from) ? this.#from : begin;
      const to = next && isBefore(next, end) ? next : end;
      if (!isBefore(from, to)) continue;
      writer.addEntry(
        from,
        viewOf(from),
        0,
        from.length,
        Math.floor(seq / 0x1_0000_0000),
        seq >>> 0,
        TYPE.rangeDelete,
        to,
        viewOf(to),
        0,
        to.length,
        Number.NaN,
      );
      if (!firstKey || isBefore(from, firstKey)) firstKey = from;
      if (!lastKey || isBefore(lastKey, to)) lastKey = to;
    }
    const { rangeDeletions } = writer;
    const [seqFirst, seqLast] = writer.seqs;
    const bytes = writer.finish();
    file.finish();
    this.#writer = undefined;
    this.#file = undefined;
    this.#from = next;
    this.bytesWritten += bytes;
    this.tables.push({
      file: this.#number,
      level: this.place.level,
      fileCrc: writer.fileCrc,
      bytes,
      entries: writer.entries + rangeDeletions,
      deletions: this.#deletions + rangeDeletions,
      rangeDeletions,
      seqFirst,
      seqLast,
      firstKey: firstKey ?? new Uint8Array(0),
      lastKey: lastKey ?? new Uint8Array(0),
    });
  }
}
