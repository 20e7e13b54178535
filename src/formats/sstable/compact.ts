/**
 * Compaction: tables merged into new ones, of each key what a reader still needs. The newest entry
 * stays; older ones are dropped, but for what a merge operand needs below it; a deletion goes only
 * where nothing older of its key can be anywhere else.
 */

import { DdiaError } from '../../shared/errors.ts';
import { turn } from '../../shared/turns.ts';
import { copySpan, sameSpan } from '../bytes/spans.ts';
import { EntryBlock as Block, type EntryBlock, isDeletion, TYPE } from './entry-block.ts';
import { EntryCopy } from './entry-copy.ts';
import { MergedTables, type MergeInput } from './merge.ts';
import type { TableDamage } from './model.ts';

export interface CompactOptions {
  /** Every version stays: a copy, not a compaction. */
  readonly keepAll: boolean;
  /**
   * Whether an older version of a key can lie in a table outside the merge; deletions of such keys
   * stay.
   */
  readonly olderElsewhere: (key: Uint8Array) => boolean;
}

export interface CompactCounts {
  entriesRead: number;
  entriesWritten: number;
  /** Older versions, and entries that a range deletion covers. */
  shadowed: number;
  deletionsDropped: number;
  /** Merge operands that stay, since how they combine is their writer's. */
  mergesKept: number;
}

/** Where the entries go; asked between keys whether a new file is to begin. */
export interface CompactSink {
  add(block: EntryBlock, index: number): void;
  /** All entries of one user key are told. */
  keyEnds(): void;
  /** Waited for now and then: until the sink can take more. */
  ready?(): Promise<void>;
}

/** Entries between two looks at the signal, and at what was done in the background. */
const ENTRIES_A_SLICE = 8192;

/** A range deletion, as far as covering is concerned. */
interface Range {
  copy: EntryCopy;
  seqHigh: number;
  seqLow: number;
}

export async function compactTables(
  inputs: readonly MergeInput[],
  options: CompactOptions,
  sink: CompactSink,
  onDamage: (damage: TableDamage) => void,
  signal?: AbortSignal,
): Promise<CompactCounts> {
  const counts: CompactCounts = {
    entriesRead: 0,
    entriesWritten: 0,
    shadowed: 0,
    deletionsDropped: 0,
    mergesKept: 0,
  };
  const ranges = await rangesOf(inputs);
  const keep = new Keeper(options, ranges, counts, sink);
  const merged = new MergedTables(inputs, {}, false, onDamage);
  for (let n = 0; ; n++) {
    const cursor = merged.ready() ?? (await merged.next());
    if (!cursor) break;
    if (n % ENTRIES_A_SLICE === 0) {
      await turn({ signal });
      await sink.ready?.();
    }
    keep.entry(cursor.block, cursor.index);
  }
  keep.end();
  return counts;
}

async function rangesOf(inputs: readonly MergeInput[]): Promise<Range[]> {
  const ranges: Range[] = [];
  const block = new Block();
  for (const { table } of inputs) {
    if (!(await table.readRangeDeletions?.(block))) continue;
    for (let i = 0; i < block.count; i++) {
      const copy = new EntryCopy().take(block, i);
      ranges.push({ copy, seqHigh: block.seqHigh[i]!, seqLow: block.seqLow[i]! });
    }
  }
  return ranges;
}

class Keeper {
  #key: Uint8Array = new Uint8Array(256);
  #keyView = new DataView(this.#key.buffer);
  #keyLength = -1;
  /** The key has its base: whatever comes of it now is older, and not needed. */
  #settled = false;

  constructor(
    readonly options: CompactOptions,
    readonly ranges: readonly Range[],
    readonly counts: CompactCounts,
    readonly sink: CompactSink,
  ) {}

  entry(block: EntryBlock, i: number): void {
    const { counts, sink, options } = this;
    counts.entriesRead++;
    const start = block.keyStart[i]!;
    const end = block.keyEnd[i]!;
    const { keyBytes, keyView } = block;
    const length = end - start;
    const again =
      length === this.#keyLength &&
      sameSpan(keyBytes, keyView, start, this.#key, this.#keyView, 0, length);
    if (!again) this.#begin(block, start, end);
    if (options.keepAll) {
      counts.entriesWritten++;
      sink.add(block, i);
      return;
    }
    if (this.#settled || this.#covered(block, i)) {
      counts.shadowed++;
      this.#settled = true;
      return;
    }
    const type = block.types[i]!;
    if (type === TYPE.merge) counts.mergesKept++;
    else this.#settled = true;
    if (isDeletion(type) && !options.olderElsewhere(block.key(i))) {
      counts.deletionsDropped++;
      return;
    }
    counts.entriesWritten++;
    sink.add(block, i);
  }

  #begin(block: EntryBlock, start: number, end: number): void {
    if (this.#keyLength >= 0) this.sink.keyEnds();
    const length = end - start;
    if (length > this.#key.length) {
      this.#key = new Uint8Array(2 * length);
      this.#keyView = new DataView(this.#key.buffer);
    }
    copySpan(block.keyBytes, block.keyView, start, end, this.#key, this.#keyView, 0);
    this.#keyLength = length;
    this.#settled = false;
  }

  #covered(block: EntryBlock, i: number): boolean {
    for (const { copy, seqHigh, seqLow } of this.ranges) {
      const newer =
        seqHigh > block.seqHigh[i]! || (seqHigh === block.seqHigh[i]! && seqLow > block.seqLow[i]!);
      if (!newer || block.compareKey(i, copy.block.key(0)) < 0) continue;
      if (block.compareKey(i, copy.block.value(0) ?? new Uint8Array(0)) < 0) return true;
    }
    return false;
  }

  /** Range deletions stay, unless nothing that they cover can lie elsewhere. */
  end(): void {
    if (this.#keyLength >= 0) this.sink.keyEnds();
    for (const { copy } of this.ranges) {
      if (!this.options.keepAll && !this.options.olderElsewhere(copy.block.key(0))) {
        this.counts.deletionsDropped++;
        continue;
      }
      this.sink.add(copy.block, 0);
    }
  }
}

/** All inputs of a merge have to be in the order of bytes. */
export function checkMergeable(inputs: readonly MergeInput[]): void {
  const odd = inputs.find(({ table }) => table.order !== 1);
  if (!odd) return;
  throw new DdiaError(
    'not-mergeable',
    `${odd.source.name} is not in the order of bytes: its comparator is another one`,
    'dump it and write it anew: ddia sstable dump FILE --json | ddia sstable write NEW --sort',
  );
}
