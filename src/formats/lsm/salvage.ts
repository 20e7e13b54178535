/**
 * Everything that can be read of a database, of every column family the newest version of each key:
 * damage is read past and told. The original is read only.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { Finding, RecordSink, ScanContext } from '../format.ts';
import { type LiveCounts, liveContent } from './live.ts';
import type { ColumnFamily, Database } from './model.ts';
import { printLive } from './print.ts';

export interface SalvagedFamily extends LiveCounts {
  name: string;
}

/** `only`: one column family, or all of them where it is undefined. */
export async function salvageDatabase(
  database: Database,
  only: ColumnFamily | undefined,
  context: ScanContext,
  sink: RecordSink,
  onFinding: (finding: Finding) => void,
): Promise<SalvagedFamily[]> {
  for (const finding of database.findings) onFinding(finding);
  const families = [...database.version.families.values()].sort((a, b) => a.id - b.id);
  const salvaged: SalvagedFamily[] = [];
  for (const family of only ? [only] : families) {
    const { name } = family;
    const visit = (block: Parameters<typeof printLive>[1], index: number): void =>
      printLive(sink, block, index, name, true);
    try {
      const counts = await liveContent(database, family, { range: {} }, context, visit, onFinding);
      salvaged.push({ name, ...counts });
    } catch (error) {
      // One family whose order is not known does not take the others' content away.
      if (!(error instanceof DdiaError) || error.code !== 'unknown-order' || only) throw error;
      const file = database.manifest ?? 'CURRENT';
      const { code, message } = error;
      onFinding({ code, severity: 'error', file, offset: 0, length: 0, message });
    }
  }
  return salvaged;
}
