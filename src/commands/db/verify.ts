import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, databaseArg, databaseFlags, openGiven } from '../../cli/db-command.ts';
import { EXIT_BY_VERDICT } from '../../cli/verify-command.ts';
import { verifyDatabase } from '../../formats/database/verify.ts';

export default class DbVerify extends DdiaCommand {
  static override summary =
    'checks a LevelDB or RocksDB directory: its files, and how they fit together';
  static override description =
    'The edits of the MANIFEST, each table and log by its own format, sizes and ranges of keys against the ' +
    'MANIFEST, levels that overlap, older entries above newer ones, leftovers. Nothing is touched.';
  static override examples = [
    '<%= config.bin %> db verify fixtures/database/rocksdb',
    '<%= config.bin %> db verify fixtures/database/leveldb --quick --json',
  ];
  static override args = databaseArg;
  static override flags = {
    quick: Flags.boolean({ description: 'checksums and framing of tables, files and levels only' }),
    ...databaseFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(DbVerify);
    const context = contextOf(this, flags);
    const result = await verifyDatabase(await openGiven(args.path, flags, context), context);
    process.exitCode = EXIT_BY_VERDICT[result.verdict];
    if (flags.json) {
      this.printJson({ clean: result.clean, results: [result] });
      return;
    }
    const { verifyText } = await import('../../ui/verify-report.ts');
    this.printText(await verifyText([result], flags.color));
  }
}
