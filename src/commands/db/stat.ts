import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, databaseArg, databaseFlags, openGiven } from '../../cli/db-command.ts';
import { statDatabase } from '../../formats/database/stat.ts';

export default class DbStat extends DdiaCommand {
  static override summary =
    'column families, levels, tables and logs of a LevelDB or RocksDB directory';
  static override description =
    'What the MANIFEST says, with the files that are there. No table is opened.';
  static override examples = [
    '<%= config.bin %> db stat fixtures/database/rocksdb',
    '<%= config.bin %> db stat fixtures/database/leveldb --json',
  ];
  static override args = databaseArg;
  static override flags = databaseFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(DbStat);
    const stat = statDatabase(await openGiven(args.path, flags, contextOf(this, flags)));
    if (flags.json) {
      this.printJson(stat);
      return;
    }
    const { statText } = await import('../../ui/stat-report.ts');
    this.printText(await statText(stat, flags.color));
  }
}
