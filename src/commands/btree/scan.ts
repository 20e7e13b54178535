import { Flags } from '@oclif/core';
import { limitFlags } from '../../cli/base-command.ts';
import { BtreeCommand, btreeFlags, pathArg, treeFlag } from '../../cli/btree-command.ts';
import { scanBtree } from '../../cli/btree-scan.ts';
import { bytesFlags, rangeFlags } from '../../cli/dump-command.ts';

export default class BtreeScan extends BtreeCommand {
  static override summary = 'print the keys and values of a B+tree in key order, one a line';
  static override description =
    'Without --tree, rows of all trees, each with the name of its own. In SQLite a row is its rowid, or the ' +
    'columns of its key, and its columns; --from and --to are then rowids, or columns of the key with commas ' +
    'between them. ' +
    'Reads on past damage, reports it on stderr, and ends with 1 if there was any.';
  static override examples = [
    '<%= config.bin %> btree scan fixtures/btree/v1/clean --limit 5',
    '<%= config.bin %> btree scan fixtures/btree/v1/clean --from k00030 --to k00060 --json',
    '<%= config.bin %> btree scan fixtures/btree/sqlite/clean.db --tree t --columns --json --limit 3',
  ];
  static override args = { path: pathArg };
  static override flags = {
    ...btreeFlags,
    tree: treeFlag,
    columns: Flags.boolean({ description: 'SQLite: columns by their names in the schema' }),
    ...rangeFlags,
    'stop-at-damage': Flags.boolean({ description: 'end at the first damage' }),
    summary: Flags.boolean({ description: 'a last line {"summary": …}, so that an end shows' }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeScan);
    const opened = await this.open(args.path, flags);
    process.exitCode = await scanBtree(this.out, opened, flags);
  }
}
