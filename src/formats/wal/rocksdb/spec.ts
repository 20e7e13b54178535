/** RocksDB's block log, for the shared reader. */
import { ROCKSDB_HEADERS } from '../block-log/header.ts';
import type { BlockLogSpec } from '../block-log/spec.ts';
import { ROCKSDB_EDIT } from './edit-tags.ts';
import { ROCKSDB_SPECIAL } from './special.ts';
import { ROCKSDB_BATCH } from './tags.ts';

export const ROCKSDB_SPEC: BlockLogSpec = {
  id: 'rocksdb',
  headers: ROCKSDB_HEADERS,
  batch: ROCKSDB_BATCH,
  edit: ROCKSDB_EDIT,
  special: ROCKSDB_SPECIAL,
};
