/**
 * A compaction as plain data, and what carries it out: the same in the thread of the store, on
 * whatever disk, and in a thread of its own. It writes tables, durable and named by nobody; to put
 * them into the manifest is the store's.
 */
import { join } from 'node:path';
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import { compareBytes } from '../../formats/sstable/entry-block.ts';
import { tableName } from '../../formats/sstable/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import type { Cursor } from './cursor.ts';
import { Merge, type MergeCounts, type MergeRules } from './merge.ts';
import { type Pace, SLICE_MILLISECONDS } from './pace.ts';
import { LevelCursor, TableFileCursor } from './table-cursor.ts';
import type { TableFile } from './table-file.ts';
import { type OutputPlace, TableOutput } from './table-output.ts';

/** Entries between two looks at the clock. */
const ENTRIES_A_SLICE = 512;

/** What a merge has to know of a table that has no part in it. */
export type Outsider = Pick<ManifestTable, 'firstKey' | 'lastKey' | 'seqFirst'>;

export interface MergeJob {
  directory: string;
  storeId: bigint;
  options: OutputPlace['options'];
  /** Newer ones first; those of the level that is written to last. */
  inputs: ManifestTable[];
  outside: Outsider[];
  /** Numbers that somebody reads at, ascending. */
  snapshots: number[];
  outputLevel: number;
}

export interface MergeResult {
  tables: ManifestTable[];
  counts: MergeCounts;
  bytesWritten: number;
}

export const bytesOf = (tables: readonly ManifestTable[]): number =>
  tables.reduce((sum, { bytes }) => sum + bytes, 0);

/** `inputs`: the tables of the job, in its order. Leaves nothing behind when it throws. */
export async function runMerge(
  disk: Disk,
  job: MergeJob,
  inputs: readonly TableFile[],
  takeNumber: () => number,
  pace: Pace,
): Promise<MergeResult> {
  const { directory, storeId, options, outputLevel: level } = job;
  const ranges = inputs.flatMap((table) => table.ranges.list);
  const merge = new Merge(cursorsOf(inputs), ranges, rulesOf(job));
  const place = { disk, directory, options, storeId, level, takeNumber };
  const output = new TableOutput(place, merge.ranges, level > 0);
  const entries = job.inputs.reduce((sum, one) => sum + one.entries, 0);
  await pour(merge, output, bytesOf(job.inputs) / Math.max(1, entries), pace);
  return { tables: output.tables, counts: merge.counts, bytesWritten: output.bytesWritten };
}

/** All of a merge into tables. `bytesEach`: what reading an entry costs, for the pace. */
export async function pour(
  merge: Merge,
  output: TableOutput,
  bytesEach: number,
  pace: Pace,
): Promise<void> {
  const limited = pace.bytesPerSecond > 0;
  let paced = 0;
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  try {
    for (let entry = merge.next(), i = 1; entry; entry = merge.next(), i++) {
      output.add(entry);
      if (i % ENTRIES_A_SLICE !== 0 || (!limited && performance.now() < sliceEnd)) continue;
      await pace.step((merge.counts.read - paced) * bytesEach);
      paced = merge.counts.read;
      sliceEnd = performance.now() + SLICE_MILLISECONDS;
    }
    if (limited) await pace.step((merge.counts.read - paced) * bytesEach);
    output.finish();
    pace.signal.throwIfAborted();
  } catch (error) {
    output.abandon();
    throw error;
  }
}

/** Removes tables that nobody names. */
export function removeTables(
  disk: Disk,
  directory: string,
  tables: readonly ManifestTable[],
): void {
  for (const { file } of tables) disk.remove(join(directory, tableName(file)));
}

/** Tables of a level below 0 do not overlap: they are one source. */
function cursorsOf(inputs: readonly TableFile[]): Cursor[] {
  const cursors: Cursor[] = [];
  const levels = new Map<number, TableFile[]>();
  for (const table of inputs) {
    const { level } = table.entry;
    if (level === 0) cursors.push(new TableFileCursor(table, true));
    else levels.set(level, [...(levels.get(level) ?? []), table]);
  }
  for (const tables of levels.values()) cursors.push(new LevelCursor(tables, true));
  return cursors;
}

function rulesOf({ outside, snapshots }: MergeJob): MergeRules {
  return {
    snapshots,
    isOldest(key, keyStart, keyEnd, seq) {
      for (const { firstKey, lastKey, seqFirst } of outside) {
        if (seqFirst > seq) continue;
        if (compareBytes(key, keyStart, keyEnd, firstKey, 0, firstKey.length) < 0) continue;
        if (compareBytes(key, keyStart, keyEnd, lastKey, 0, lastKey.length) <= 0) return false;
      }
      return true;
    },
    isOldestRange({ begin, end, seq }) {
      return outside.every(({ firstKey, lastKey, seqFirst }) => {
        if (seqFirst >= seq) return true;
        return Buffer.compare(end, firstKey) <= 0 || Buffer.compare(lastKey, begin) < 0;
      });
    },
  };
}
