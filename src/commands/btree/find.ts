import { Args, Flags } from '@oclif/core';
import { BtreeCommand, btreeFlags, pathArg } from '../../cli/btree-command.ts';
import { findRows } from '../../cli/btree-scan.ts';
import { bytesFlags } from '../../cli/dump-command.ts';

export default class BtreeFind extends BtreeCommand {
  static override summary = 'every page of a file in which a key occurs, free and lost ones too';
  static override description =
    'Looks into each page that can be read as a leaf, whoever owns it: an older version of a row may lie in a ' +
    'page that was freed and not yet written over. Ends with 1 if the key is nowhere.';
  static override examples = [
    '<%= config.bin %> btree find fixtures/btree/v1/clean k00006',
    '<%= config.bin %> btree find fixtures/btree/v1/clean k0000 --prefix --json',
  ];
  static override args = {
    path: pathArg,
    key: Args.string({ description: 'key; hex:… and base64:… are understood', required: true }),
  };
  static override flags = {
    ...btreeFlags,
    prefix: Flags.boolean({ description: 'every key that begins so' }),
    ...bytesFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeFind);
    const opened = await this.open(args.path, flags);
    process.exitCode = await findRows(this.out, opened, args.key, flags);
  }
}
