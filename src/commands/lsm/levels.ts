import { DdiaCommand } from '../../cli/base-command.ts';
import { storeArg, withLsm } from '../../cli/lsm-store.ts';
import { count } from '../../ui/count.ts';

export default class LsmLevels extends DdiaCommand {
  static override summary = 'the levels of an LSM store: tables, bytes, entries, deletions of each';
  static override description = 'Levels without a table are left out.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-levels-1 a 1 && <%= config.bin %> lsm levels /tmp/ddia-lsm-levels-1`,
    `<%= config.bin %> lsm compact /tmp/ddia-lsm-levels-1 && <%= config.bin %> lsm levels /tmp/ddia-lsm-levels-1 --json`,
  ];
  static override args = { dir: storeArg };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmLevels);
    const options = { create: false, autoCompact: false };
    const { levels } = await withLsm(args.dir, options, (store) => store.stat());
    if (flags.json) this.printJson({ levels });
    else if (levels.length === 0) this.printText('no tables');
    for (const { level, tables, bytes, entries, deletions } of flags.json ? [] : levels) {
      this.printText(
        `level ${level}  ${count(tables, 'table')}  ${bytes} bytes  ${entries} entries  ${count(deletions, 'deletion')}`,
      );
    }
  }
}
