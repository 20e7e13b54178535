/** verify of the family: the dialect checks its own structure, here the order of the keys. */
import { Findings } from '../findings.ts';
import type { FileEntry, ScanContext, VerifyResult } from '../format.ts';
import { findingOf, type TableDamage, type TableOpened } from './model.ts';
import { partOf, SecondReader } from './second-reader.ts';
import { addTotals, scanTable, totalsOf } from './verify-table.ts';

/** `choose`: what a second thread is to read, where there is one. */
export async function verifyTables(
  input: TableOpened,
  context: ScanContext,
  choose = partOf,
): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const { quick = false } = context;
  const findings = new Findings(context.limits.findings);
  const stats = totalsOf([]);
  const part = context.aside && choose(input, quick);
  const second = part && new SecondReader(part, context);
  try {
    for (const [index, file] of files.entries()) {
      const here = part?.file === index ? second : undefined;
      if (here && part?.joint === 0 && (await here.ask())) break;
      const ask = async () => (await here?.ask())?.rest;
      const joint = here && part!.joint > 0 ? { second: { joint: part!.joint, ask } } : {};
      addTotals(stats, await oneOf(input, file, { ...context, ...joint }, findings));
      if (second?.report) break;
    }
    if (second?.report) addTotals(stats, second.report.totals);
  } finally {
    second?.stop();
  }
  const unread =
    'asked for --quick: entries, their order, index, filter and counts were not compared';
  const { files: count, bytes, records, blocks } = stats;
  return {
    path: set.path,
    family: 'sstable',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: { files: count, bytes, ...(!quick && { records }), blocks },
    unchecked: quick ? [unread, ...dialect.unchecked] : dialect.unchecked,
    findings: findings.kept,
    counts: findings.counts,
  };
}

/** Findings of a file come in the order of their places. */
async function oneOf(
  input: TableOpened,
  file: FileEntry,
  context: Parameters<typeof scanTable>[2],
  findings: Findings,
) {
  const told: TableDamage[] = [];
  const tell = (damage: TableDamage): void => {
    // What is too much to be kept is counted all the same.
    if (told.length < context.limits.findings) told.push(damage);
    else findings.add(findingOf(damage));
  };
  const { totals } = await scanTable(input, file, context, tell);
  told.sort((a, b) => a.offset - b.offset);
  for (const damage of told) findings.add(findingOf(damage));
  return totals;
}
