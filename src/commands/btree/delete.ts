import { DdiaCommand } from '../../cli/base-command.ts';
import { dialectFlag, keyArg, storeArg, withBtree } from '../../cli/btree-engine.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { EXIT } from '../../shared/errors.ts';

export default class BtreeDelete extends DdiaCommand {
  static override summary = 'delete a key from a B+tree of our own, durably';
  static override description = 'Ends with 1 if the key is not there: nothing is written then.';
  static override examples = [
    '<%= config.bin %> btree put /tmp/ddia-btree-delete-1 a 1 && <%= config.bin %> btree delete /tmp/ddia-btree-delete-1 a',
    '<%= config.bin %> btree put /tmp/ddia-btree-delete-2 a 1 && <%= config.bin %> btree delete /tmp/ddia-btree-delete-2 hex:61 --json',
  ];
  static override args = { dir: storeArg, key: keyArg };
  static override flags = dialectFlag;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeDelete);
    const { dir } = args;
    const there = await withBtree(dir, { create: false, dialect: flags.dialect }, (store) =>
      store.delete(parseBytes(args.key)),
    );
    if (!there) process.exitCode = EXIT.damage;
    if (flags.json) this.printJson({ dir, deleted: there });
    else this.printText(`${dir}: ${there ? 'deleted' : 'not there'}`);
  }
}
