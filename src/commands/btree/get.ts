import { Args } from '@oclif/core';
import { BtreeCommand, btreeFlags, pathArg, treeFlag } from '../../cli/btree-command.ts';
import { getKey } from '../../cli/btree-scan.ts';
import { bytesFlags } from '../../cli/dump-command.ts';

export default class BtreeGet extends BtreeCommand {
  static override summary = 'print the value of one key of a B+tree';
  static override description =
    'Goes down from the root, by the separators, as a reader of the file would. In SQLite the key is a rowid, ' +
    'or the columns of the key with commas between them. Ends with 1 if it is not there.';
  static override examples = [
    '<%= config.bin %> btree get fixtures/btree/v1/clean k00006',
    '<%= config.bin %> btree get fixtures/btree/v1/clean k00891 --json',
  ];
  static override args = {
    path: pathArg,
    key: Args.string({ description: 'key; hex:… and base64:… are understood', required: true }),
  };
  static override flags = { ...btreeFlags, tree: treeFlag, ...bytesFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeGet);
    const opened = await this.open(args.path, flags);
    process.exitCode = await getKey(this.out, opened, args.key, flags);
  }
}
