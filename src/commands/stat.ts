import { StatCommand } from '../cli/stat-command.ts';

export default class Stat extends StatCommand {
  static override summary = 'what is in files of any family; the format is detected';
  static override examples = [
    '<%= config.bin %> stat fixtures/wal/v1/clean',
    '<%= config.bin %> stat fixtures/wal/v1/clean --json',
  ];
}
