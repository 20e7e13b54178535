import { btreeFlags } from '../../cli/btree-command.ts';
import { RepairCommand } from '../../cli/repair-command.ts';

export default class BtreeRepair extends RepairCommand {
  static override summary = 'repair a B+tree with every byte accounted for';
  static override description =
    'v1: free list, leaf chain and counts are mended; a tree that is broken is built anew from every leaf that ' +
    'can be read, and each choice between two values is told. Pages that cannot be used go to quarantine. ' +
    'Ends with 0 when the result checks clean. Files of other software are not edited: what can be read of them ' +
    'goes to --out FILE as lines of JSON or as SQL, or to --out DIR as a v2 store, as --to says.';
  static override examples = [
    '<%= config.bin %> btree repair fixtures/btree/v1/free-cycle --out /tmp/ddia-btree-1',
    '<%= config.bin %> btree repair fixtures/btree/v1/page-type --dry-run',
    '<%= config.bin %> btree repair fixtures/btree/sqlite/rowid-order.db --out /tmp/ddia-rows.sql --to sql',
    '<%= config.bin %> btree repair fixtures/btree/bbolt/users.db --out /tmp/ddia-users --to v2',
  ];
  static override flags = { ...RepairCommand.flags, ...btreeFlags };
  override readonly family = 'btree';
}
