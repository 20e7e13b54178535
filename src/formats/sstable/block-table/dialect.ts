/** What the dialects leveldb and rocksdb have in common. */
import type { TableDialect } from '../model.ts';
import { describeBlockTable } from './describe.ts';
import { detectBlockTable } from './detect.ts';
import { layoutBlockTable } from './layout.ts';
import { openBlockTable } from './open.ts';
import { rebuildBlockTable } from './rebuild.ts';
import { scanBlockTable } from './scan.ts';

type Own = Pick<TableDialect, 'id' | 'title' | 'fileName' | 'unchecked'>;

export function blockTableDialect(own: Own, rocksdb: boolean): TableDialect {
  return {
    ...own,
    family: 'sstable',
    source: 'FORMAT.md',
    hasSeq: true,
    hasTimestamp: false,
    readsParts: true,
    detect: (probe) => detectBlockTable(probe, rocksdb),
    scan: (source, context, visitor) => scanBlockTable(source, context, visitor, rocksdb),
    open: (source, context) => openBlockTable(source, context, rocksdb),
    layout: (source, context, visit) => layoutBlockTable(source, context, visit, rocksdb),
    describe: (source, context) => describeBlockTable(source, context, rocksdb),
    rebuild: (source, context, target) => rebuildBlockTable(source, context, target, rocksdb),
  };
}
