/**
 * The families that are built in. Plugins add dialects to them, see src/cli/plugins.ts. A family is
 * loaded when it is asked for: the code of all of them together would be a third of the start.
 */
import type { Family } from './format.ts';

/** Their dialects by id, so that a name can be judged without loading anything. */
export const builtInDialects: Readonly<Record<string, readonly string[]>> = {
  wal: ['v2', 'v1', 'leveldb', 'rocksdb', 'btree-v1', 'lsm-v1'],
  bitcask: ['v2', 'hash-v1', 'log-v1', 'riak'],
  sstable: ['v2', 'v1', 'leveldb', 'rocksdb', 'lsm-v1'],
  btree: ['v2', 'v1', 'sqlite', 'bbolt', 'lmdb'],
  avro: ['ocf'],
  lsm: ['v2'],
};

export const familyIds: readonly string[] = Object.keys(builtInDialects);

const LOADERS: Readonly<Record<string, () => Promise<unknown>>> = {
  wal: async () => (await import('./wal/index.ts')).wal,
  bitcask: async () => (await import('./bitcask/index.ts')).bitcask,
  sstable: async () => (await import('./sstable/index.ts')).sstable,
  btree: async () => (await import('./btree/index.ts')).btree,
  avro: async () => (await import('./avro/index.ts')).avro,
  lsm: async () => (await import('./lsm/index.ts')).lsm,
};

/** In the order in which they are asked about a file. Ids that are none are passed over. */
export function loadFamilies(ids: readonly string[] = familyIds): Promise<readonly Family[]> {
  const wanted = familyIds.filter((id) => ids.includes(id));
  return Promise.all(wanted.map((id) => LOADERS[id]!() as Promise<Family>));
}
