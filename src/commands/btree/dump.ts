import { BtreeCommand, btreeFlags, pathArg } from '../../cli/btree-command.ts';
import { showPageList } from '../../cli/btree-show.ts';

export default class BtreeDump extends BtreeCommand {
  static override summary = 'print a B+tree page by page: header fields and cells';
  static override description =
    'Pages in the order of the file, each with what it is and its cells. Ends with 1 if fsck finds anything ' +
    'wrong. Rows in key order: btree scan.';
  static override examples = [
    '<%= config.bin %> btree dump fixtures/btree/v1/clean',
    '<%= config.bin %> btree dump fixtures/btree/v1/clean --json',
  ];
  static override args = { path: pathArg };
  static override flags = { ...btreeFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeDump);
    const opened = await this.open(args.path, flags);
    process.exitCode = await showPageList(this.out, opened, undefined, flags);
  }
}
