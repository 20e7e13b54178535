/** fsck of the family: five passes in every dialect's own words, the same codes for all. */
import { Findings } from '../findings.ts';
import type { VerifyResult } from '../format.ts';
import { type BtreeContext, type BtreeOpened, KIND } from './model.ts';
import { checkFile, withFiles } from './open.ts';

export async function verifyTrees(
  input: BtreeOpened,
  context: BtreeContext,
): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const findings = new Findings(context.limits.findings);
  const stats = { files: 0, bytes: 0, pages: 0, trees: 0, keys: 0, freePages: 0, records: 0 };
  const facts: Record<string, unknown> = {};
  const deep = context.options?.['deep'] === true;
  await withFiles(input, context, async (file) => {
    const check = await checkFile(file, context, (one) => findings.add(one), { deep });
    stats.files++;
    stats.bytes += file.size;
    stats.pages += file.pageCount;
    stats.trees += check.trees.length;
    for (const tree of check.trees) stats.keys += tree.keys;
    for (const kind of check.kinds) if ((kind & 0x7f) === KIND.free) stats.freePages++;
    facts[file.name] = { pageSize: file.pageSize, ...file.facts };
  });
  stats.records = stats.keys;
  return {
    path: set.path,
    family: 'btree',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: { ...stats, facts: files.length === 1 ? facts[files[0]!.name] : facts },
    unchecked: [...dialect.unchecked, ...(deep ? [] : (dialect.uncheckedShallow ?? []))],
    findings: findings.kept,
    counts: findings.counts,
  };
}
