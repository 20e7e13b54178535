/** The family `btree`: files of pages with trees in them, whoever wrote them. */
import type { Family, FileEntry, FileSet } from '../format.ts';
import { PROBE_HEAD_BYTES } from '../format.ts';
import { bbolt } from './bbolt/index.ts';
import { layoutOfPages } from './layout.ts';
import { lmdb } from './lmdb/index.ts';
import type { BtreeDialect } from './model.ts';
import { btreeContext } from './open.ts';
import { readSync } from './page-cache.ts';
import { applyTreeRepair, planTreeRepair } from './repair.ts';
import { salvageTrees } from './salvage.ts';
import { dumpTrees } from './scan.ts';
import { sqlite } from './sqlite/index.ts';
import { statTrees } from './stat.ts';
import { v1 } from './v1/index.ts';
import { v2 } from './v2/index.ts';
import { verifyTrees } from './verify.ts';

export const btreeDialects: readonly BtreeDialect[] = [v1, v2, sqlite, bbolt, lmdb];

/** Of a directory, files that are named like one of the dialect and look like one. */
export function selectFiles(set: FileSet, dialect: BtreeDialect): readonly FileEntry[] {
  if (!set.isDirectory) return set.files;
  return set.files.filter(
    (file) => dialect.fileName.test(file.name) && looksLike(set, file, dialect),
  );
}

function looksLike(set: FileSet, file: FileEntry, dialect: BtreeDialect): boolean {
  const source = set.open(file.name);
  try {
    const head = new Uint8Array(Math.min(PROBE_HEAD_BYTES, source.size ?? 0));
    readSync(source, head, head.length, 0);
    const siblings = set.siblings.map(({ name }) => name);
    const { name, size } = source;
    return dialect.detect({ name, size, head, siblings }).confidence !== 'no';
  } finally {
    source.close?.();
  }
}

export const btree: Family<BtreeDialect> = {
  id: 'btree',
  title: 'B+trees: pages, trees, keys and values',
  dialects: btreeDialects,
  pauses: true,
  select: selectFiles,
  verify: (input, context) => verifyTrees(input, btreeContext(input, context)),
  dump: (input, options, context, sink, onDamage) =>
    dumpTrees(input, options, btreeContext(input, context), sink, onDamage),
  inOrder: () => false,
  stat: (input, context) => statTrees(input, btreeContext(input, context)),
  planRepair: (input, _options, context) => planTreeRepair(input, btreeContext(input, context)),
  applyRepair: (input, plan, context, output) =>
    applyTreeRepair(input, plan, btreeContext(input, context), output),
  salvageFormats: ({ id, salvageOnly }) =>
    !salvageOnly ? [] : id === 'sqlite' ? ['ndjson', 'sql', 'v2'] : ['ndjson', 'v2'],
  salvage: (input, context, target) => salvageTrees(input, btreeContext(input, context), target),
  layout: (input, source, context, visit) =>
    layoutOfPages(input, source, btreeContext(input, context), visit),
};
