import { btreeFlags, deepFlag } from '../../cli/btree-command.ts';
import { tellOfWriters } from '../../cli/btree-writer.ts';
import { VerifyCommand } from '../../cli/verify-command.ts';

export default class BtreeFsck extends VerifyCommand {
  static override summary = 'check a B+tree: metadata, trees, leaf chain, free list, accounts';
  static override description =
    'Five passes, in every dialect with the same codes. Each finding says page, parent, what was expected ' +
    'and what is there. SQLite: whenever PRAGMA integrity_check complains, so does fsck, with --deep where ' +
    'content of indexes or an expression decides: SQLite itself, in memory, evaluates those (sql.js). What ' +
    'cannot be evaluated is told as not-evaluated.';
  static override examples = [
    '<%= config.bin %> btree fsck fixtures/btree/v1/clean/btree.db',
    '<%= config.bin %> btree fsck fixtures/btree/v1/free-cycle --json',
  ];
  static override flags = { ...VerifyCommand.flags, ...btreeFlags, deep: deepFlag };
  override readonly family = 'btree';

  override async finally(error: Error | undefined): Promise<void> {
    tellOfWriters(this.argv.filter((arg) => !arg.startsWith('-')));
    await super.finally(error);
  }
}
