import { DumpCommand } from '../cli/dump-command.ts';

export default class Dump extends DumpCommand {
  static override summary = 'print the records of files of any family; the format is detected';
  static override examples = [
    '<%= config.bin %> dump fixtures/wal/v1/clean',
    '<%= config.bin %> dump fixtures/wal/v1/clean --json --limit 3',
  ];
}
