/** Block-based tables of RocksDB. See FORMAT.md. */
import { blockTableDialect } from '../block-table/dialect.ts';

export const rocksdb = blockTableDialect(
  {
    id: 'rocksdb',
    title: 'RocksDB’s block-based table, format_version 2 to 6: all checksums and compressions',
    fileName: /^.+\.sst$/,
    unchecked: [
      'before format_version 6 the footer has no checksum, and block checksums do not know their place',
      'with checksum type none, damage shows only where it breaks a block’s structure or the order of keys',
      'the global sequence number of an ingested file is put in past the checksum of the properties',
      'ribbon filters, hash indexes and prefixes of an application’s own are named, not compared with the keys',
    ],
  },
  true,
);
