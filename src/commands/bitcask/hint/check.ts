import { VerifyCommand } from '../../../cli/verify-command.ts';
import type { Identified } from '../../../formats/detect.ts';
import type { ScanContext, VerifyResult } from '../../../formats/format.ts';

export default class BitcaskHintCheck extends VerifyCommand {
  static override summary = 'hold hint files against the data: in both directions, entry by entry';
  static override description =
    'Tells what verify tells of hint files, and nothing else. The data is read for it as a whole.';
  static override examples = [
    '<%= config.bin %> bitcask hint check fixtures/bitcask/riak/plain',
    '<%= config.bin %> bitcask hint check fixtures/bitcask/hash-v1/hint-truncated --json',
  ];
  override readonly family = 'bitcask';

  protected override async verify(input: Identified, context: ScanContext): Promise<VerifyResult> {
    const { checkHintsOf } = await import('../../../cli/bitcask-hint.ts');
    return checkHintsOf(input, context);
  }
}
