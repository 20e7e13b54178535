import { RepairCommand } from '../../cli/repair-command.ts';

export default class WalRepair extends RepairCommand {
  static override summary = 'repair a write-ahead log with every byte accounted for';
  static override description =
    'Keeps what is intact, mends what the checksums prove, and sets aside in a quarantine what cannot be ' +
    'used. Ends with 0 when the result verifies clean, 1 when damage remains (a lost record leaves a gap).';
  static override examples = [
    '<%= config.bin %> wal repair fixtures/wal/v1/torn-tail --out /tmp/ddia-repair-1',
    '<%= config.bin %> wal repair fixtures/wal/v1/bad-crc --mend --out /tmp/ddia-repair-2',
    '<%= config.bin %> wal repair fixtures/wal/v1/bad-crc --dry-run',
  ];
  override readonly family = 'wal';
}
