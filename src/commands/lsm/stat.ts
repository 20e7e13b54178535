import { DdiaCommand } from '../../cli/base-command.ts';
import { storeArg, withLsm } from '../../cli/lsm-store.ts';

export default class LsmStat extends DdiaCommand {
  static override summary = 'what an LSM store holds: tables, levels, memory, numbers';
  static override description = 'One line a figure; with --json one document.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-stat-1 a 1 && <%= config.bin %> lsm stat /tmp/ddia-lsm-stat-1`,
    `<%= config.bin %> lsm put /tmp/ddia-lsm-stat-1 a 2 && <%= config.bin %> lsm stat /tmp/ddia-lsm-stat-1 --json`,
  ];
  static override args = { dir: storeArg };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmStat);
    const options = { create: false, autoCompact: false };
    const stat = await withLsm(args.dir, options, (store) => store.stat());
    if (flags.json) this.printJson(stat);
    else {
      const { nextSeq, flushedSeq, memtableEntries, memtableBytes, tables, tableBytes } = stat;
      const lines = { nextSeq, flushedSeq, memtableEntries, memtableBytes, tables, tableBytes };
      const width = Math.max(...Object.keys(lines).map((name) => name.length));
      for (const [name, value] of Object.entries(lines)) {
        this.printText(`${name.padEnd(width)}  ${value}`);
      }
    }
  }
}
