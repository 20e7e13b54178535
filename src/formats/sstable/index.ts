/** The family `sstable`: immutable tables in the order of their keys, whoever wrote them. */
import type { Family, FileEntry, FileSet } from '../format.ts';
import { dumpTables } from './dump.ts';
import { leveldb } from './leveldb/index.ts';
import { lsmV1 } from './lsm-v1/index.ts';
import type { TableDialect } from './model.ts';
import { applyTableRepair, planTableRepair } from './repair.ts';
import { rocksdb } from './rocksdb/index.ts';
import { type TablesPart, verifyTablesPart } from './second-reader.ts';
import { inMemory } from './seekable.ts';
import { statTables } from './stat.ts';
import { type PrintPart, printTablePart } from './turns.ts';
import { v1 } from './v1/index.ts';
import { v2 } from './v2/index.ts';
import { verifyTables } from './verify.ts';

export const tableDialects: readonly TableDialect[] = [v2, v1, leveldb, rocksdb, lsmV1];

/** Which of a directory's files this dialect reads, by number where their names have one. */
export function selectTables(set: FileSet, dialect: TableDialect): readonly FileEntry[] {
  if (!set.isDirectory) return set.files;
  return set.files.filter(({ name }) => dialect.fileName.test(name));
}

export const sstable: Family<TableDialect> = {
  id: 'sstable',
  title: 'tables: immutable files of entries in the order of their keys',
  dialects: tableDialects,
  select: selectTables,
  verify: (input, context) => verifyTables(input, context),
  verifyPart: (input, part, context) => verifyTablesPart(input, part as TablesPart, context),
  dump: (input, options, context, sink, onDamage) =>
    dumpTables(input, options, context, sink, onDamage),
  printPart: (input, part, context, sink, emit) =>
    printTablePart(input, part as PrintPart, context, sink, emit),
  inOrder: () => false,
  stat: statTables,
  planRepair: planTableRepair,
  applyRepair: applyTableRepair,
  async layout(input, source, context, visit) {
    await input.dialect.layout(await inMemory(source, context.limits), context, visit);
  },
};
