import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { keyArg, pageSizeFlag, storeArg, withBtree } from '../../cli/btree-engine.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';

export default class BtreePut extends DdiaCommand {
  static override summary = 'put a key into a B+tree of layout v2, durably';
  static override description =
    'Makes the store if it is not there. Says whether the key was new. A value that does not fit into a leaf ' +
    'goes to overflow pages; a key that is too long is refused, with the limit.';
  static override examples = [
    '<%= config.bin %> btree put /tmp/ddia-btree-put-1 user:1 Ada',
    '<%= config.bin %> btree put /tmp/ddia-btree-put-2 user:1 hex:00ff --page-size 512 --json',
  ];
  static override args = {
    dir: storeArg,
    key: keyArg,
    value: Args.string({
      ignoreStdin: true,
      description: 'the value, in the same way',
      required: true,
    }),
  };
  static override flags = pageSizeFlag;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreePut);
    const { dir } = args;
    const pageSize = flags['page-size'];
    const isNew = await withBtree(dir, pageSize === undefined ? {} : { pageSize }, (store) =>
      store.put(parseBytes(args.key), parseBytes(args.value)),
    );
    if (flags.json) this.printJson({ dir, new: isNew });
    else this.printText(`${dir}: put, ${isNew ? 'new' : 'in place of another value'}`);
  }
}
