/** The families that are built in. Plugins add dialects to them, see src/cli/plugins.ts. */
import type { Family } from './format.ts';
import { sstable } from './sstable/index.ts';
import { wal } from './wal/index.ts';

export const builtInFamilies: readonly Family[] = [
  wal as unknown as Family,
  sstable as unknown as Family,
];
