/** Tables of LevelDB. See FORMAT.md. */
import { blockTableDialect } from '../block-table/dialect.ts';

export const leveldb = blockTableDialect(
  {
    id: 'leveldb',
    title: 'LevelDB’s table: checksummed blocks with restart points, index, Bloom filter',
    fileName: /^\d+\.(?:ldb|sst)$/,
    unchecked: [
      'the footer has no checksum: its handles are checked by the blocks that they lead to',
      'a checksum does not know its place: a block of another table in the same place would pass',
      'nothing says how many entries there are: blocks cut out with their index entries leave no trace',
    ],
  },
  false,
);
