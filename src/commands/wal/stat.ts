import { StatCommand } from '../../cli/stat-command.ts';

export default class WalStat extends StatCommand {
  static override summary = 'what is in a write-ahead log, by segment and in all';
  static override examples = [
    '<%= config.bin %> wal stat fixtures/wal/v1/clean',
    '<%= config.bin %> wal stat fixtures/wal/v1/bad-crc --json',
  ];
  override readonly family = 'wal';
}
