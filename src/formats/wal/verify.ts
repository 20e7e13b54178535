/** verify of the family: damage, sequence, batches, and what the dialect cannot vouch for. */
import { inFileOrder } from '../findings.ts';
import type { VerifyResult } from '../format.ts';
import { LogChecker } from './log-checker.ts';
import type { WalOpened, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';
import { partOf, SecondReader, TWO_READERS, type TwoReaders } from './second-reader.ts';

export async function verifyLog(
  input: WalOpened,
  context: WalScanContext,
  two = TWO_READERS,
): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const checker = new LogChecker(input, context.limits.findings);
  await scanByTwo(input, context, checker, two);
  checker.end();
  const { findings, stats } = checker;
  for (const finding of (await dialect.verifySet?.(input, context)) ?? []) findings.add(finding);
  const size = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  return {
    path: set.path,
    family: 'wal',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: { ...stats, bytes: size || stats.bytes },
    unchecked: dialect.unchecked,
    findings: inFileOrder(findings.kept, files),
    counts: findings.counts,
  };
}

/** By one alone where the log is small, or where nobody else can read it. */
async function scanByTwo(
  input: WalOpened,
  context: WalScanContext,
  checker: LogChecker,
  two: TwoReaders,
): Promise<void> {
  const part = context.aside && partOf(input, two);
  if (!part) return scanLog(input, context, checker);
  const second = new SecondReader(input, context, part, checker);
  try {
    await scanLog(second.input, second.context, checker);
  } catch (error) {
    if (error !== second.done) throw error;
    checker.stats.records += second.report!.records;
  } finally {
    second.stop();
  }
}
