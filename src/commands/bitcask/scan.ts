import { ContentCommand } from '../../cli/content-command.ts';

export default class BitcaskScan extends ContentCommand {
  static override summary = 'print the live content of a store, by key in byte order';
  static override description =
    'The newest value of each key that is not deleted and not expired, found in the data files: hint files ' +
    'are not relied on. Reads on past damage, reports it on stderr, and ends with 1 if there was any (4 if it ' +
    'is no more than torn tails).';
  static override examples = [
    '<%= config.bin %> bitcask scan fixtures/bitcask/hash-v1/clean --limit 5',
    '<%= config.bin %> bitcask scan fixtures/bitcask/log-v1/clean --from key05 --to key10 --reverse --json',
    '<%= config.bin %> bitcask scan fixtures/bitcask/riak/plain --prefix key019 --places',
  ];
  override readonly family = 'bitcask';
}
