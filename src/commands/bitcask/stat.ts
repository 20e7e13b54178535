import { StatCommand } from '../../cli/stat-command.ts';

export default class BitcaskStat extends StatCommand {
  static override summary =
    'what is in a store, by data file and in all: live, dead, and what a merge wins';
  static override description =
    'fragmentation is the share of the records’ bytes that a merge would leave out, in percent.';
  static override examples = [
    '<%= config.bin %> bitcask stat fixtures/bitcask/hash-v1/clean',
    '<%= config.bin %> bitcask stat fixtures/bitcask/riak/merged --json',
  ];
  override readonly family = 'bitcask';
}
