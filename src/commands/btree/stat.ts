import { btreeFlags } from '../../cli/btree-command.ts';
import { StatCommand } from '../../cli/stat-command.ts';

export default class BtreeStat extends StatCommand {
  static override summary =
    'what is in a B+tree: pages by kind; height, fill, fragmentation by tree';
  static override examples = [
    '<%= config.bin %> btree stat fixtures/btree/v1/clean',
    '<%= config.bin %> btree stat fixtures/btree/v1/clean --json',
  ];
  static override flags = { ...StatCommand.flags, ...btreeFlags };
  override readonly family = 'btree';
}
