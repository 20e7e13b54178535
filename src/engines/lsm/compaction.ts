/** Compactions: tables into new ones, and then the manifest, at once. */
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import type { Catalog } from './catalog.ts';
import type { MergeCounts } from './merge.ts';
import type { MergeJob, Outsider } from './merge-job.ts';
import type { MergeRunner } from './merge-runner.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pace } from './pace.ts';
import type { Pick } from './pick.ts';
import type { TableFile } from './table-file.ts';

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
  readonly runner: MergeRunner;
  snapshots(): number[];
  poison(error: Error): Error;
}

export async function compact(
  host: CompactionHost,
  pick: Pick<TableFile>,
  pace: Pace,
): Promise<CompactionReport> {
  const { inputs, outputLevel } = pick;
  const report = emptyReport(pick);
  const [only] = inputs;
  if (inputs.length === 1 && only!.entry.level !== outputLevel && only!.entry.deletions === 0) {
    commit(host, inputs, [{ ...only!.entry, level: outputLevel }]);
    return { ...report, outputs: [only!.entry.file], bytesRead: 0, moved: true };
  }
  for (const table of inputs) table.pin();
  try {
    const { tables, counts, bytesWritten } = await host.runner.run(jobOf(host, pick), inputs, pace);
    commit(host, inputs, tables);
    const outputs = tables.map(({ file }) => file);
    return { ...report, ...counts, outputs, bytesWritten };
  } finally {
    for (const table of inputs) table.unpin();
  }
}

/** Entries that come while it is under way are newer than all that it merges. */
function jobOf(
  { catalog, options, snapshots }: CompactionHost,
  { inputs, outputLevel }: Pick<TableFile>,
): MergeJob {
  const { tableBytes, blockBytes, compression, filterBits } = options;
  return {
    directory: catalog.directory,
    storeId: catalog.manifest.storeId,
    options: { tableBytes, blockBytes, compression, filterBits },
    inputs: inputs.map(({ entry }) => entry),
    outside: catalog.tables.filter((table) => !inputs.includes(table)).map(outsider),
    snapshots: snapshots(),
    outputLevel,
  };
}

function outsider({ entry: { firstKey, lastKey, seqFirst } }: TableFile): Outsider {
  return { firstKey, lastKey, seqFirst };
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
