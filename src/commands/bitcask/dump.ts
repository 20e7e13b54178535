import { DumpCommand } from '../../cli/dump-command.ts';

export default class BitcaskDump extends DumpCommand {
  static override summary = 'print the records of a store as they lie in its data files';
  static override description =
    'Overwritten records and deletions too. Reads on past damage, reports each damaged place on stderr, and ' +
    'ends with 1 if there was any (4 if it is no more than torn tails). A hint file that is given alone is ' +
    'printed entry by entry.';
  static override examples = [
    '<%= config.bin %> bitcask dump fixtures/bitcask/hash-v1/clean --prefix key05',
    '<%= config.bin %> bitcask dump fixtures/bitcask/log-v1/bad-crc --json --with-damage',
    '<%= config.bin %> bitcask dump fixtures/bitcask/riak/plain --limit 5 --value-format size',
  ];
  override readonly family = 'bitcask';
}
