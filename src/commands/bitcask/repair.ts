import { RepairCommand } from '../../cli/repair-command.ts';

export default class BitcaskRepair extends RepairCommand {
  static override summary = 'repair a store with every byte accounted for';
  static override description =
    'Keeps every record that can be read, sets aside what cannot, and builds hint files anew that are damaged, ' +
    'missing or wrong. Says which keys fall back to an older value or come back from the dead by what is lost. ' +
    'Ends with 0 when the result verifies clean.';
  static override examples = [
    '<%= config.bin %> bitcask repair fixtures/bitcask/log-v1/bad-crc --out /tmp/ddia-bitcask-repair-1',
    '<%= config.bin %> bitcask repair fixtures/bitcask/hash-v1/hint-wrong-offset --out /tmp/ddia-bitcask-repair-2',
    '<%= config.bin %> bitcask repair fixtures/bitcask/log-v1/bad-crc --dry-run',
  ];
  override readonly family = 'bitcask';
}
