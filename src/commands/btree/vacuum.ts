import { DdiaCommand } from '../../cli/base-command.ts';
import { dialectFlag, storeArg, withBtree } from '../../cli/btree-engine.ts';

export default class BtreeVacuum extends DdiaCommand {
  static override summary = 'write a B+tree of our own anew, without free pages, each page full';
  static override description =
    'Builds a file beside the old one and puts it in its place: a crash leaves the one or the other, whole. ' +
    'Readers that have the old one open go on with it. A damaged file is refused, and stays as it is: ' +
    'btree repair makes a sound one of it.';
  static override examples = [
    '<%= config.bin %> btree put /tmp/ddia-btree-vacuum-1 a 1 && <%= config.bin %> btree vacuum /tmp/ddia-btree-vacuum-1',
    '<%= config.bin %> btree put /tmp/ddia-btree-vacuum-2 a 1 && <%= config.bin %> btree vacuum /tmp/ddia-btree-vacuum-2 --json',
  ];
  static override args = { dir: storeArg };
  static override flags = dialectFlag;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeVacuum);
    const { dir } = args;
    const { dialect } = flags;
    const waiting = { signal: this.signal };
    const done = await withBtree(dir, { create: false, dialect }, (store) =>
      store.vacuum({ waiting }),
    );
    const { before, after } = done;
    if (flags.json) this.printJson({ dir, before, after });
    else this.printText(`${dir}: ${before} bytes, ${after} now`);
  }
}
