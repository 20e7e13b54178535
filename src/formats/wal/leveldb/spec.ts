/** LevelDB's block log, for the shared reader. */
import { LEVELDB_HEADERS } from '../block-log/header.ts';
import type { BlockLogSpec } from '../block-log/spec.ts';
import { LEVELDB_BATCH, LEVELDB_EDIT } from './tags.ts';

export const LEVELDB_SPEC: BlockLogSpec = {
  id: 'leveldb',
  headers: LEVELDB_HEADERS,
  batch: LEVELDB_BATCH,
  edit: LEVELDB_EDIT,
};
