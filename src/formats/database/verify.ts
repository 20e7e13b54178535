/**
 * verify of a directory: the MANIFEST's edits, the tables and logs that it names, each by its own
 * family, and what only all of them together show.
 */
import { Findings, inFileOrder } from '../findings.ts';
import type { ScanContext, VerifyResult } from '../format.ts';
import { verifyTables } from '../sstable/verify.ts';
import { verifyLog } from '../wal/verify.ts';
import { checkLevels } from './check-levels.ts';
import { checkSequence } from './check-sequence.ts';
import { checkTable } from './check-table.ts';
import { checkFiles } from './leftovers.ts';
import { once } from './live.ts';
import type { Database } from './model.ts';

const UNCHECKED = [
  'an edit lost from the end of the MANIFEST, with the files it named deleted or renamed, leaves no trace',
  'a log that is gone shows only where its number is the one that the MANIFEST names',
];
const QUICK =
  'asked for --quick: keys of tables were not compared with one another, nor with the MANIFEST';

export async function verifyDatabase(
  database: Database,
  context: ScanContext,
): Promise<VerifyResult> {
  const { set, software, version, wal, sstable, logs } = database;
  const findings = new Findings(context.limits.findings);
  const add = once((finding) => findings.add(finding));
  for (const finding of database.findings) add(finding);
  const tables = [...version.families.values()].flatMap((family) => [...family.tables.values()]);
  const stats = { files: 0, bytes: 0, tables: tables.length, logs: logs.length, records: 0 };
  for (const file of set.files) {
    stats.files++;
    stats.bytes += file.size ?? 0;
  }
  for (const finding of checkFiles(database)) add(finding);
  for (const family of version.families.values()) {
    for (const finding of checkLevels(database, family)) add(finding);
    for (const table of family.tables.values()) {
      const file = set.files.find(({ name }) => name === table.name);
      if (!file) continue;
      const input = { set, dialect: sstable, files: [file] };
      const { findings: told, stats: own } = await verifyTables(input, context);
      stats.records += Number(own['records'] ?? 0);
      for (const finding of told) add(finding);
      if (!context.quick) await checkTable(database, family, table, context, add);
    }
    if (!context.quick) await checkSequence(database, family, context, add);
  }
  if (logs.length > 0) {
    const files = logs.map(({ name, size }) => ({ name, size }));
    const result = await verifyLog({ set, dialect: wal, files }, { ...context, set });
    stats.records += Number(result.stats['records'] ?? 0);
    for (const finding of result.findings) add(finding);
  }
  const { records, ...quick } = stats;
  return {
    path: set.path,
    family: 'database',
    dialect: software,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: context.quick ? quick : { ...quick, records },
    unchecked: context.quick ? [QUICK, ...UNCHECKED] : UNCHECKED,
    findings: inFileOrder(findings.kept, set.files),
    counts: findings.counts,
  };
}
