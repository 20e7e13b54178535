/** verify of the family: the dialect checks its own structure, here the order of the keys. */
import { Findings } from '../findings.ts';
import type { ScanContext, VerifyResult } from '../format.ts';
import { type Depth, findingOf, type TableDamage, type TableOpened } from './model.ts';
import { OrderChecker } from './order.ts';
import { openSeekable } from './seekable.ts';

export interface TableTotals {
  files: number;
  bytes: number;
  records: number;
  blocks: number;
}

export async function verifyTables(
  input: TableOpened,
  context: ScanContext,
): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const findings = new Findings(context.limits.findings);
  const stats: TableTotals = { files: files.length, bytes: 0, records: 0, blocks: 0 };
  const depth: Depth = context.quick ? 'quick' : 'full';
  for (const file of files) {
    const told: TableDamage[] = [];
    const tell = (damage: TableDamage): void => {
      // Kept apart so that each file's come in the order of their places.
      if (told.length < context.limits.findings) told.push(damage);
      else findings.add(findingOf(damage));
    };
    const source = await openSeekable(input, file, context.limits);
    stats.bytes += source.size ?? 0;
    try {
      const order = new OrderChecker(tell);
      await dialect.scan(
        source,
        { ...context, depth },
        {
          block(block) {
            if (!context.quick) stats.records += block.count;
            if (!block.rangeDeletions) stats.blocks++;
            if (!block.rangeDeletions) order.block(block);
          },
          damage(damage) {
            tell(damage);
          },
        },
      );
    } finally {
      source.close?.();
    }
    told.sort((a, b) => a.offset - b.offset);
    for (const damage of told) findings.add(findingOf(damage));
  }
  const quick =
    'asked for --quick: entries, their order, index, filter and counts were not compared';
  return {
    path: set.path,
    family: 'sstable',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: context.quick
      ? { files: stats.files, bytes: stats.bytes, blocks: stats.blocks }
      : { ...stats },
    unchecked: context.quick ? [quick, ...dialect.unchecked] : dialect.unchecked,
    findings: findings.kept,
    counts: findings.counts,
  };
}
