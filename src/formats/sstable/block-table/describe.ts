/** What a table of LevelDB or RocksDB says of itself, for stat. */
import type { ByteSource, ScanContext } from '../../format.ts';
import { CHECKSUM_NAMES, INDEX_TYPES } from './constants.ts';
import { BlockTable } from './table.ts';

export async function describeBlockTable(
  source: ByteSource,
  context: ScanContext,
  rocksdb: boolean,
): Promise<Record<string, unknown>> {
  const table = await BlockTable.load(source, context, rocksdb);
  const { footer, filter, filterName, partitions, index, notices, properties } = table;
  const kind = filter?.kind ?? (await partitionKind(table));
  return {
    ...(footer && rocksdb && { formatVersion: footer.version }),
    checksum: CHECKSUM_NAMES[table.check.checksum] ?? table.check.checksum,
    comparator: table.comparator,
    index: INDEX_TYPES[table.indexType] ?? `type ${table.indexType}`,
    indexEntries: index?.count ?? null,
    filter: filterName === '' ? 'none' : filterName,
    ...(kind && { filterKind: kind }),
    ...(partitions && { filterPartitions: partitions.count }),
    ...(notices.length > 0 && { notices }),
    ...(properties.known && { properties: properties.all() }),
    metaBlocks: table.metas.map(({ role, offset, size }) => ({ role, offset, size })),
  };
}

async function partitionKind(table: BlockTable): Promise<string | undefined> {
  if (!table.partitions || table.partitions.count === 0) return undefined;
  return (await table.partition(0, false))?.kind;
}
