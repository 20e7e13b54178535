import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { dialectFlag, keyArg, pageSizeFlag, storeArg, withBtree } from '../../cli/btree-engine.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';

export default class BtreePut extends DdiaCommand {
  static override summary = 'put a key into a B+tree of our own, durably';
  static override description =
    'Makes the store if it is not there. Says whether the key was new. In v2 a value that does not fit into a ' +
    'leaf goes to overflow pages; what is too long, in v1 for a page, is refused, with the limit.';
  static override examples = [
    '<%= config.bin %> btree put /tmp/ddia-btree-put-1 user:1 Ada',
    '<%= config.bin %> btree put /tmp/ddia-btree-put-2 user:1 hex:00ff --page-size 512 --json',
    '<%= config.bin %> btree put /tmp/ddia-btree-put-3/btree.db user:1 Ada --dialect v1',
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
  static override flags = { ...dialectFlag, ...pageSizeFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreePut);
    const { dir } = args;
    const { dialect, 'page-size': pageSize } = flags;
    const isNew = await withBtree(dir, { dialect, pageSize }, (store) =>
      store.put(parseBytes(args.key), parseBytes(args.value)),
    );
    if (flags.json) this.printJson({ dir, new: isNew });
    else this.printText(`${dir}: put, ${isNew ? 'new' : 'in place of another value'}`);
  }
}
