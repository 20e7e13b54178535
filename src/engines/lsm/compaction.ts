/** Flushes and compactions: sorted sources into new tables, and then the manifest, at once. */
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import { compareBytes } from '../../formats/sstable/entry-block.ts';
import type { Catalog } from './catalog.ts';
import type { Cursor } from './cursor.ts';
import { type Memtable, MemtableCursor } from './memtable.ts';
import { Merge, type MergeCounts, type MergeRules } from './merge.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pick } from './pick.ts';
import type { RangeDeletion } from './range-deletions.ts';
import { LevelCursor, TableFileCursor } from './table-cursor.ts';
import type { TableFile } from './table-file.ts';
import { TableOutput } from './table-output.ts';

/** Entries between two looks at the clock. */
const ENTRIES_A_SLICE = 512;
/** How long the callers of the store wait for a slice. */
const SLICE_MILLISECONDS = 4;

export interface Pace {
  readonly signal: AbortSignal;
  /** Gives way; `bytes` were read since the last time. */
  step(bytes: number): Promise<void>;
}

export interface CompactionReport extends MergeCounts {
  why: string;
  inputs: number[];
  outputs: number[];
  level: number;
  outputLevel: number;
  bytesRead: number;
  bytesWritten: number;
  /** A table that overlaps nothing below goes there as it is. */
  moved: boolean;
}

export interface CompactionHost {
  readonly catalog: Catalog;
  readonly options: ResolvedOptions;
  snapshots(): number[];
  poison(error: Error): Error;
}

/** Writes a memtable to a table on level 0, durable and named by nobody yet. */
export async function writeMemtable(
  host: CompactionHost,
  memtable: Memtable,
  pace: Pace,
): Promise<ManifestTable[]> {
  const { catalog, options } = host;
  const rules: MergeRules = {
    snapshots: host.snapshots(),
    isOldest: () => false,
    isOldestRange: () => false,
  };
  const merge = new Merge([new MemtableCursor(memtable)], memtable.ranges.list, rules);
  const output = outputOf(catalog, options, 0, merge.ranges, false);
  try {
    await run(merge, output, 0, pace);
  } catch (error) {
    output.abandon();
    throw error;
  }
  return output.tables;
}

function outputOf(
  catalog: Catalog,
  options: ResolvedOptions,
  level: number,
  ranges: readonly RangeDeletion[],
  split: boolean,
): TableOutput {
  const { disk, directory } = catalog;
  const { storeId } = catalog.manifest;
  const takeNumber = () => catalog.takeNumber();
  return new TableOutput({ disk, directory, options, storeId, level, takeNumber }, ranges, split);
}

export async function compact(
  host: CompactionHost,
  pick: Pick<TableFile>,
  pace: Pace,
): Promise<CompactionReport> {
  const { catalog, options } = host;
  const { inputs, outputLevel } = pick;
  const report = emptyReport(pick);
  const [only] = inputs;
  if (inputs.length === 1 && only!.entry.level !== outputLevel && only!.entry.deletions === 0) {
    commit(host, inputs, [{ ...only!.entry, level: outputLevel }]);
    return { ...report, outputs: [only!.entry.file], bytesRead: 0, moved: true };
  }
  for (const table of inputs) table.pin();
  try {
    const ranges = inputs.flatMap((table) => table.ranges.list);
    const merge = new Merge(cursorsOf(inputs), ranges, rulesOf(host, inputs));
    const output = outputOf(catalog, options, outputLevel, merge.ranges, outputLevel > 0);
    try {
      const entries = inputs.reduce((sum, { entry }) => sum + entry.entries, 0);
      await run(merge, output, report.bytesRead / Math.max(1, entries), pace);
      pace.signal.throwIfAborted();
    } catch (error) {
      output.abandon();
      throw error;
    }
    commit(host, inputs, output.tables);
    Object.assign(report, merge.counts);
    report.outputs = output.tables.map(({ file }) => file);
    report.bytesWritten = output.bytesWritten;
  } finally {
    for (const table of inputs) table.unpin();
  }
  return report;
}

async function run(
  merge: Merge,
  output: TableOutput,
  bytesEach: number,
  pace: Pace,
): Promise<void> {
  let paced = 0;
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  for (let entry = merge.next(), i = 1; entry; entry = merge.next(), i++) {
    output.add(entry);
    if (i % ENTRIES_A_SLICE !== 0 || performance.now() < sliceEnd) continue;
    await pace.step((merge.counts.read - paced) * bytesEach);
    paced = merge.counts.read;
    sliceEnd = performance.now() + SLICE_MILLISECONDS;
  }
  output.finish();
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

function rulesOf({ catalog, snapshots }: CompactionHost, inputs: readonly TableFile[]): MergeRules {
  const outside = catalog.tables.filter((table) => !inputs.includes(table));
  const older = (seq: number) => outside.filter(({ entry }) => entry.seqFirst < seq);
  return {
    snapshots: snapshots(),
    isOldest(key, keyStart, keyEnd, seq) {
      for (const { entry } of outside) {
        const { firstKey, lastKey, seqFirst } = entry;
        if (seqFirst > seq) continue;
        if (compareBytes(key, keyStart, keyEnd, firstKey, 0, firstKey.length) < 0) continue;
        if (compareBytes(key, keyStart, keyEnd, lastKey, 0, lastKey.length) <= 0) return false;
      }
      return true;
    },
    isOldestRange({ begin, end, seq }) {
      return older(seq).every(({ entry: { firstKey, lastKey } }) => {
        return Buffer.compare(end, firstKey) <= 0 || Buffer.compare(lastKey, begin) < 0;
      });
    },
  };
}

function commit(host: CompactionHost, remove: readonly TableFile[], add: ManifestTable[]): void {
  try {
    host.catalog.commit({ add, remove });
  } catch (error) {
    // Which of the two manifests is there is unknown.
    throw host.poison(error as Error);
  }
}

function emptyReport({ inputs, level, outputLevel, why }: Pick<TableFile>): CompactionReport {
  return {
    why,
    inputs: inputs.map(({ entry }) => entry.file),
    outputs: [],
    level,
    outputLevel,
    bytesRead: inputs.reduce((sum, { entry }) => sum + entry.bytes, 0),
    bytesWritten: 0,
    moved: false,
    read: 0,
    kept: 0,
    replaced: 0,
    deletionsDropped: 0,
  };
}
