import { VerifyCommand } from '../../cli/verify-command.ts';

export default class WalVerify extends VerifyCommand {
  static override summary =
    'check a write-ahead log: checksums, lengths, sequence, batches, segments';
  static override examples = [
    '<%= config.bin %> wal verify fixtures/wal/v1/clean',
    '<%= config.bin %> wal verify fixtures/wal/v1/bad-crc --json',
  ];
  override readonly family = 'wal';
}
