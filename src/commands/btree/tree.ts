import { Flags } from '@oclif/core';
import { BtreeCommand, btreeFlags, pathArg, treeFlag } from '../../cli/btree-command.ts';
import { showTree } from '../../cli/btree-show.ts';

export default class BtreeTree extends BtreeCommand {
  static override summary = 'draw a tree: its pages, their first and last keys';
  static override examples = [
    '<%= config.bin %> btree tree fixtures/btree/v1/clean --depth 2',
    '<%= config.bin %> btree tree fixtures/btree/v1/clean --json',
  ];
  static override args = { path: pathArg };
  static override flags = {
    ...btreeFlags,
    tree: treeFlag,
    depth: Flags.integer({ description: 'levels that are drawn', min: 1, default: 3 }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeTree);
    const opened = await this.open(args.path, flags);
    process.exitCode = await showTree(this.out, opened, flags);
  }
}
