import { DumpCommand } from '../../cli/dump-command.ts';

export default class WalDump extends DumpCommand {
  static override summary = 'print the operations of a write-ahead log, one a line';
  static override description =
    'Reads on past damage, reports each damaged place on stderr, and ends with 1 if there was any ' +
    '(4 if it is no more than a torn tail).';
  static override examples = [
    '<%= config.bin %> wal dump fixtures/wal/v1/clean',
    '<%= config.bin %> wal dump fixtures/wal/v1/bad-crc --json --with-damage',
    '<%= config.bin %> wal dump fixtures/wal/v1/clean --batches --json',
    '<%= config.bin %> wal dump fixtures/wal/v1/clean --prefix acct: --value-format size',
  ];
  override readonly family = 'wal';
}
