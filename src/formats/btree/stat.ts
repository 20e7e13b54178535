/** stat of the family: per tree height, fill and fragmentation; what the pages are. */
import { type BtreeContext, type BtreeOpened, KIND_NAMES, type TreeStat } from './model.ts';
import { checkFile, withFiles } from './open.ts';

export async function statTrees(
  input: BtreeOpened,
  context: BtreeContext,
): Promise<Record<string, unknown>> {
  const { dialect, set } = input;
  const files: Record<string, unknown>[] = [];
  await withFiles(input, context, async (file) => {
    let findings = 0;
    const check = await checkFile(file, context, (one) => {
      if (one.severity !== 'info') findings++;
    });
    const pages: Record<string, number> = {};
    for (let page = file.firstPage; page < check.kinds.length; page++) {
      const name = KIND_NAMES[check.kindOf(page)]!;
      pages[name] = (pages[name] ?? 0) + 1;
    }
    files.push({
      file: file.name,
      bytes: file.size,
      pageSize: file.pageSize,
      pageCount: file.pageCount,
      ...file.facts,
      pages,
      keys: check.trees.reduce((sum, tree) => sum + tree.keys, 0),
      findings,
      trees: check.trees.map(shown),
    });
  });
  const head = { path: set.path, family: 'btree', dialect: dialect.id };
  if (files.length === 1) {
    const { file: _name, ...rest } = files[0]!;
    return { ...head, ...rest };
  }
  return { ...head, files };
}

function shown(tree: TreeStat): Record<string, unknown> {
  const { usedBytes, pageBytes, jumps, leaves, ...rest } = tree;
  return {
    ...rest,
    leaves,
    fill: percent(usedBytes, pageBytes),
    fragmentation: percent(jumps, Math.max(1, leaves - 1)),
  };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${Math.round((100 * part) / whole)}%`;
}
