/** What is in memory into a table. */
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import type { CompactionHost } from './compaction.ts';
import { type Memtable, MemtableCursor } from './memtable.ts';
import { Merge, type MergeRules } from './merge.ts';
import { pour } from './merge-job.ts';
import type { Pace } from './pace.ts';
import { TableOutput } from './table-output.ts';

/** Writes a memtable to a table on level 0, durable and named by nobody yet. */
export async function writeMemtable(
  { catalog, options, snapshots }: Pick<CompactionHost, 'catalog' | 'options' | 'snapshots'>,
  memtable: Memtable,
  pace: Pace,
): Promise<ManifestTable[]> {
  const rules: MergeRules = {
    snapshots: snapshots(),
    isOldest: () => false,
    isOldestRange: () => false,
  };
  const merge = new Merge([new MemtableCursor(memtable)], memtable.ranges.list, rules);
  const { disk, directory, manifest } = catalog;
  const takeNumber = () => catalog.takeNumber();
  const place = { disk, directory, options, storeId: manifest.storeId, level: 0, takeNumber };
  const output = new TableOutput(place, merge.ranges, false);
  await pour(merge, output, 0, pace);
  return output.tables;
}
