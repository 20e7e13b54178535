import { VerifyCommand } from '../../cli/verify-command.ts';

export default class BitcaskVerify extends VerifyCommand {
  static override summary =
    'check a store: records, hint files against data in both directions, clocks';
  static override examples = [
    '<%= config.bin %> bitcask verify fixtures/bitcask/hash-v1/merged-with-hint',
    '<%= config.bin %> bitcask verify fixtures/bitcask/hash-v1/hint-wrong-offset --json',
  ];
  override readonly family = 'bitcask';
}
