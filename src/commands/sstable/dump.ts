import { DumpCommand } from '../../cli/dump-command.ts';

export default class SstableDump extends DumpCommand {
  static override summary = 'print the entries of tables in file order, one a line';
  static override description =
    'Reads on past damage, reports each damaged place on stderr, and ends with 1 if there was any. ' +
    'Every version of a key is an entry of its own; see get and scan for a look-up by key.';
  static override examples = [
    '<%= config.bin %> sstable dump fixtures/sstable/v1/clean/t.sst --limit 3',
    '<%= config.bin %> sstable dump fixtures/sstable/v1/bad-footer/t.sst --json --prefix key000 --with-damage',
  ];
  override readonly family = 'sstable';
}
