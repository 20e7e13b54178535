/** The families that are built in. Plugins add dialects to them, see src/cli/plugins.ts. */
import { avro } from './avro/index.ts';
import { bitcask } from './bitcask/index.ts';
import { btree } from './btree/index.ts';
import type { Family } from './format.ts';
import { sstable } from './sstable/index.ts';
import { wal } from './wal/index.ts';

export const builtInFamilies: readonly Family[] = [
  wal as unknown as Family,
  bitcask as unknown as Family,
  sstable as unknown as Family,
  btree as unknown as Family,
  avro,
];
