/**
 * A store of ours written from entries in order, whoever had them: tables on level 1 that do not
 * overlap, a manifest, and a log that goes on behind the highest number.
 */
import { viewOf } from '../bytes/read-fully.ts';
import type { RepairOutput } from '../format.ts';
import { compareBytes, type EntryBlock, isDeletion, TYPE } from '../sstable/entry-block.ts';
import { V2Writer } from '../sstable/v2/encode.ts';
import { tableName } from '../sstable/v2/layout.ts';
import { newLogId } from '../wal/v2/log-encoder.ts';
import { encodeManifest as encodeLog, MANIFEST_NAME as LOG_MANIFEST } from '../wal/v2/manifest.ts';
import { encodeManifest, LOG_DIRECTORY, MANIFEST_NAME, type ManifestTable } from './manifest.ts';
import type { DeletedRange } from './range-cover.ts';

const TABLE_BYTES = 8 * 1024 * 1024;
const LEVEL = 1;

const isBefore = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) < 0;

export class StoreWriter {
  readonly tables: ManifestTable[] = [];
  entries = 0;
  readonly #storeId = newLogId();
  #file: ReturnType<RepairOutput['create']> | undefined;
  #writer: V2Writer | undefined;
  #deletions = 0;
  /** Where this table's share of the keys begins; undefined: with the first key of all. */
  #from: Uint8Array | undefined;

  readonly ranges: readonly DeletedRange[];

  constructor(
    readonly output: RepairOutput,
    ranges: readonly DeletedRange[],
    readonly tableBytes = TABLE_BYTES,
  ) {
    this.ranges = united(ranges);
  }

  /** Keys ascend, and of one key the highest number comes first. `type` in place of its own. */
  add(block: EntryBlock, index: number, type = block.types[index]!): void {
    const { keyBytes, keyStart, keyEnd } = block;
    const [start, end] = [keyStart[index]!, keyEnd[index]!];
    if (this.#writer && this.#writer.size >= this.tableBytes) {
      const last = this.#writer.lastKey;
      if (compareBytes(last, 0, last.length, keyBytes, start, end) !== 0) {
        this.#end(keyBytes.slice(start, end));
      }
    }
    const writer = this.#writer ?? this.#begin();
    if (isDeletion(type)) this.#deletions++;
    this.entries++;
    const valueStart = Math.max(0, block.valueStart[index]!);
    const valueEnd = block.valueStart[index]! < 0 ? 0 : block.valueEnd[index]!;
    const { seqHigh, seqLow, timestamps, valueBytes } = block;
    writer.addEntry(
      keyBytes,
      block.keyView,
      start,
      end,
      seqHigh[index]!,
      seqLow[index]!,
      type,
      valueBytes,
      block.valueView,
      valueStart,
      valueEnd,
      timestamps ? timestamps[index]! : Number.NaN,
    );
  }

  #begin(): V2Writer {
    const number = this.tables.length + 1;
    const file = this.output.create(tableName(number));
    this.#file = file;
    const target = { write: (b: Uint8Array, s: number, e: number) => file.write(b, s, e) };
    const fileId = BigInt.asUintN(64, this.#storeId + BigInt(number));
    this.#writer = new V2Writer(target, { fileId });
    this.#deletions = 0;
    return this.#writer;
  }

  /** `next`: the first key of the table to come. Range deletions are cut there. */
  #end(next: Uint8Array | undefined): void {
    const writer = this.#writer!;
    let firstKey: Uint8Array | undefined = writer.entries > 0 ? writer.firstKey : undefined;
    let lastKey: Uint8Array | undefined = writer.entries > 0 ? writer.lastKey.slice() : undefined;
    for (const { begin, end, seq } of this.ranges) {
      const from = this.#from && isBefore(begin, this.#from) ? this.#from : begin;
      const to = next && isBefore(next, end) ? next : end;
      if (!isBefore(from, to)) continue;
      const [high, low] = [Number(seq >> 32n), Number(seq & 0xffff_ffffn)];
      const type = TYPE.rangeDelete;
      const [fromView, toView] = [viewOf(from), viewOf(to)];
      const [fromEnd, toEnd, untimed] = [from.length, to.length, Number.NaN];
      writer.addEntry(from, fromView, 0, fromEnd, high, low, type, to, toView, 0, toEnd, untimed);
      if (!firstKey || isBefore(from, firstKey)) firstKey = from;
      if (!lastKey || isBefore(lastKey, to)) lastKey = to;
    }
    const { rangeDeletions, entries, fileCrc } = writer;
    const [seqFirst, seqLast] = writer.seqs;
    const bytes = writer.finish();
    this.#file!.finish();
    this.#writer = undefined;
    this.#from = next;
    this.tables.push({
      file: this.tables.length + 1,
      level: LEVEL,
      fileCrc,
      bytes,
      entries: entries + rangeDeletions,
      deletions: this.#deletions + rangeDeletions,
      rangeDeletions,
      seqFirst,
      seqLast,
      firstKey: firstKey ?? new Uint8Array(0),
      lastKey: lastKey ?? new Uint8Array(0),
    });
  }

  /** `reached`: no number up to this one is given again. */
  finish(reached: number): void {
    if (!this.#writer && this.tables.length === 0 && this.ranges.length > 0) this.#begin();
    if (this.#writer) this.#end(undefined);
    const { tables } = this;
    const flushedSeq = Math.max(reached, ...tables.map(({ seqLast }) => seqLast));
    const [storeId, nextFile] = [this.#storeId, tables.length + 1];
    const manifest = { storeId, generation: 1n, flushedSeq, nextFile, tables };
    this.#whole(MANIFEST_NAME, encodeManifest(manifest));
    // A first segment begins with number 1; this log begins later.
    const firstSegment = flushedSeq > 0 ? 2 : 1;
    const truncatedSeq = BigInt(flushedSeq);
    const log = {
      logId: newLogId(),
      firstSegment,
      truncatedSeq,
      reached: { segment: firstSegment - 1, seq: truncatedSeq },
    };
    this.#whole(`${LOG_DIRECTORY}/${LOG_MANIFEST}`, encodeLog(log));
  }

  #whole(name: string, bytes: Uint8Array): void {
    const file = this.output.create(name);
    file.write(bytes, 0, bytes.length);
    file.finish();
  }
}

/** Pieces of one range deletion that overlap, from a log and from tables that cut it, are one. */
function united(ranges: readonly DeletedRange[]): DeletedRange[] {
  const sorted = ranges.toSorted(
    (a, b) => (a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0) || Buffer.compare(a.begin, b.begin),
  );
  const whole: DeletedRange[] = [];
  for (const one of sorted) {
    const last = whole.at(-1);
    if (!last || last.seq !== one.seq || isBefore(last.end, one.begin)) whole.push({ ...one });
    else if (isBefore(last.end, one.end)) last.end = one.end;
  }
  return whole;
}
