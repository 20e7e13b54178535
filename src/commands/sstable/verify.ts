import { VerifyCommand } from '../../cli/verify-command.ts';

export default class SstableVerify extends VerifyCommand {
  static override summary =
    'check tables: checksums, blocks, order of keys, index, filter, counts, footer';
  static override description =
    'With --quick the checksums and the framing of blocks alone: nothing is unpacked that need not be.';
  static override examples = [
    '<%= config.bin %> sstable verify fixtures/sstable/v1/clean/t.sst',
    '<%= config.bin %> sstable verify fixtures/sstable/v1/unsorted/t.sst --json',
    '<%= config.bin %> sstable verify fixtures/sstable/v1/clean/t.sst --quick',
  ];
  static override flags = { ...VerifyCommand.flags, ...VerifyCommand.quickFlag };
  override readonly family = 'sstable';
}
