import { ContentCommand } from '../../cli/content-command.ts';

export default class BitcaskKeys extends ContentCommand {
  static override summary = 'print the live keys of a store, in byte order';
  static override examples = [
    '<%= config.bin %> bitcask keys fixtures/bitcask/hash-v1/clean --limit 5',
    '<%= config.bin %> bitcask keys fixtures/bitcask/riak/plain --prefix key01 --json',
  ];
  override readonly family = 'bitcask';
  override readonly keysOnly = true;
}
