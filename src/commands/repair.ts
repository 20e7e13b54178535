import { RepairCommand } from '../cli/repair-command.ts';

export default class Repair extends RepairCommand {
  static override summary = 'repair files of any family with every byte accounted for';
  static override examples = [
    '<%= config.bin %> repair fixtures/wal/v1/bad-length --out /tmp/ddia-repair-3',
    '<%= config.bin %> repair fixtures/wal/v1/bad-crc --dry-run',
  ];
}
