import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, openGiven, readingFlags } from '../../cli/lsm-command.ts';
import { storeArg } from '../../cli/lsm-store.ts';
import { EXIT_BY_VERDICT } from '../../cli/verify-command.ts';
import { verifyDatabase } from '../../formats/lsm/verify.ts';

export default class LsmVerify extends DdiaCommand {
  static override summary =
    'check the directory of an LSM store: its files, and how they fit together';
  static override description =
    'Of a store of ours, of LevelDB or of RocksDB: the manifest, each table and log by its own format, sizes, keys and ' +
    'numbers against the manifest, levels that overlap, older entries above newer ones, leftovers. Nothing is ' +
    'touched.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-verify-1 a 1 && <%= config.bin %> lsm verify /tmp/ddia-lsm-verify-1`,
    '<%= config.bin %> lsm verify fixtures/database/rocksdb',
    '<%= config.bin %> lsm verify fixtures/database/leveldb --quick --json',
  ];
  static override args = { dir: storeArg };
  static override flags = {
    quick: Flags.boolean({ description: 'checksums and framing of tables, files and levels only' }),
    ...readingFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmVerify);
    const context = contextOf(this, flags);
    const result = await verifyDatabase(await openGiven(args.dir, flags, context), context);
    process.exitCode = EXIT_BY_VERDICT[result.verdict];
    if (flags.json) {
      this.printJson({ clean: result.clean, results: [result] });
      return;
    }
    const { verifyText } = await import('../../ui/verify-report.ts');
    this.printText(await verifyText([result], flags.color));
  }
}
