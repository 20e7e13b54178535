/**
 * verify of a directory: its manifest, the tables and logs that this names, each by its own family,
 * and what only all of them together show.
 */
import { Findings, inFileOrder } from '../findings.ts';
import type { ScanContext, VerifyResult } from '../format.ts';
import { verifyTables } from '../sstable/verify.ts';
import { manifestOf } from '../wal/v2/manifest.ts';
import { verifyLog } from '../wal/verify.ts';
import { checkLevels } from './check-levels.ts';
import { checkLevelZero, checkLogReach, checkOwnTable } from './check-own.ts';
import { checkSequence } from './check-sequence.ts';
import { checkTable } from './check-table.ts';
import { checkFiles } from './leftovers.ts';
import { once } from './live.ts';
import { inLog, logInput } from './logs.ts';
import type { Database } from './model.ts';

const UNCHECKED = [
  'an edit lost from the end of the MANIFEST, with the files it named deleted or renamed, leaves no trace',
  'a log that is gone shows only where its number is the one that the MANIFEST names',
];
export const UNCHECKED_OWN = [
  'a directory put back as a whole, or one made by copying files of another moment, where all fits',
  'writes cut off at the very end of the log, if the store was not closed behind them',
];
/** Of a log whose manifest does not say how far it reaches. */
const UNCHECKED_OLDER =
  'the first segments of a log that was never cut: where they are gone, nothing says that they were';
const QUICK =
  'asked for --quick: keys of tables were not compared with one another, nor with the MANIFEST';

export async function verifyDatabase(
  database: Database,
  context: ScanContext,
): Promise<VerifyResult> {
  const { set, logSet, software, version, sstable, logs } = database;
  const own = software === 'v2';
  const findings = new Findings(context.limits.findings);
  const add = once((finding) => findings.add(finding));
  for (const finding of database.findings) add(finding);
  const tables = [...version.families.values()].flatMap((family) => [...family.tables.values()]);
  const stats = { files: 0, bytes: 0, tables: tables.length, logs: logs.length, records: 0 };
  for (const file of own ? [...set.files, ...logSet.files] : set.files) {
    stats.files++;
    stats.bytes += file.size ?? 0;
  }
  for (const finding of checkFiles(database)) add(finding);
  const byName = new Map(set.files.map((file) => [file.name, file]));
  for (const family of version.families.values()) {
    for (const finding of checkLevels(database, family)) add(finding);
    for (const table of family.tables.values()) {
      const file = byName.get(table.name ?? '');
      if (!file) continue;
      const input = { set, dialect: sstable, files: [file] };
      const { findings: told, stats: counted } = await verifyTables(input, context);
      stats.records += Number(counted['records'] ?? 0);
      for (const finding of told) add(finding);
      if (!context.quick) await checkTable(database, family, table, context, add);
      if (own) await checkOwnTable(database, table, context, add);
    }
    if (!context.quick) await checkSequence(database, family, context, add);
  }
  if (own) {
    checkLevelZero(database, add);
    await checkLogReach(database, context, add);
  }
  if (logs.length > 0 || own) {
    const result = await verifyLog(logInput(database), { ...context, set: logSet });
    stats.records += Number(result.stats['records'] ?? 0);
    for (const finding of result.findings) add(inLog(database, finding));
  }
  const unchecked = own ? uncheckedOwn(database) : UNCHECKED;
  const { records, ...quick } = stats;
  return {
    path: set.path,
    family: 'lsm',
    dialect: software,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: context.quick ? quick : { ...quick, records },
    unchecked: context.quick ? [QUICK, ...unchecked] : unchecked,
    findings: inFileOrder(findings.kept, set.files),
    counts: findings.counts,
  };
}

function uncheckedOwn({ logSet }: Database): readonly string[] {
  return manifestOf(logSet)?.reached ? UNCHECKED_OWN : [...UNCHECKED_OWN, UNCHECKED_OLDER];
}
