import { VerifyCommand } from '../cli/verify-command.ts';

export default class Verify extends VerifyCommand {
  static override summary = 'check files of any family; the format is detected';
  static override examples = [
    '<%= config.bin %> verify fixtures/wal/v1/clean',
    '<%= config.bin %> verify fixtures/wal/v1/clean fixtures/wal/v1/torn-tail --json',
  ];
}
