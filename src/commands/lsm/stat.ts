import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, openGiven, readingFlags } from '../../cli/lsm-command.ts';
import { storeArg } from '../../cli/lsm-store.ts';
import { statDatabase } from '../../formats/lsm/stat.ts';

export default class LsmStat extends DdiaCommand {
  static override summary = 'levels, tables and logs of an LSM store';
  static override description =
    'Of a store of ours, of LevelDB or of RocksDB: what the manifest says, with the files that are there, and of ours ' +
    'what the log holds beyond the tables. No table is opened, and nothing is touched.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-stat-1 a 1 && <%= config.bin %> lsm stat /tmp/ddia-lsm-stat-1`,
    '<%= config.bin %> lsm stat fixtures/database/rocksdb',
    '<%= config.bin %> lsm stat fixtures/database/leveldb --json',
  ];
  static override args = { dir: storeArg };
  static override flags = readingFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmStat);
    const context = contextOf(this, flags);
    const stat = await statDatabase(await openGiven(args.dir, flags, context), context);
    if (flags.json) {
      this.printJson(stat);
      return;
    }
    const { statText } = await import('../../ui/stat-report.ts');
    this.printText(await statText(stat, flags.color));
  }
}
