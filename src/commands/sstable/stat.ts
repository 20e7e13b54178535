import { StatCommand } from '../../cli/stat-command.ts';

export default class SstableStat extends StatCommand {
  static override summary = 'properties, range of keys, compression and blocks of a table';
  static override examples = [
    '<%= config.bin %> sstable stat fixtures/sstable/v1/clean/t.sst',
    '<%= config.bin %> sstable stat fixtures/sstable/lsm-v1/clean --json',
  ];
  override readonly family = 'sstable';
}
