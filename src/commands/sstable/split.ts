import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { openPath } from '../../cli/open.ts';
import { compactPaths, compactText } from '../../cli/sstable-compact.ts';
import { writableTable } from '../../cli/sstable-write.ts';
import type { TableDialect } from '../../formats/sstable/model.ts';
import { EXIT } from '../../shared/errors.ts';

export default class SstableSplit extends DdiaCommand {
  static override summary = 'divide a table into tables of a size, with every version of every key';
  static override description =
    'The pieces are of the table’s own layout where that can be written, else of v2; the versions of a key stay together.';
  static override examples = [
    '<%= config.bin %> sstable split fixtures/sstable/v1/clean/t.sst --file-bytes 2000 --out /tmp/ddia-split-1',
    '<%= config.bin %> sstable split fixtures/sstable/leveldb/000005.ldb --file-bytes 20000 --out /tmp/ddia-split-2 --json',
  ];
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'table', required: true }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the file for this dialect' }),
    out: Flags.string({ description: 'directory for the pieces; must not exist', required: true }),
    to: Flags.string({ description: 'layout to write [default: the table’s own, or v2]' }),
    'file-bytes': Flags.integer({
      description: 'a piece at or over this size is closed',
      required: true,
      min: 1,
    }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(SstableSplit);
    const { dialect } = await openPath(this, args.path, 'sstable', flags.dialect);
    const own = (dialect as TableDialect).encoder ? dialect.id : 'v2';
    const report = await compactPaths(this, [args.path], writableTable(flags.to ?? own), {
      out: flags.out,
      dialect: flags.dialect,
      strategy: 'all',
      levels: [],
      bottommost: false,
      keepAll: true,
      fileBytes: flags['file-bytes'],
      blockBytes: undefined,
      compression: undefined,
      force: flags.force,
      dryRun: false,
      limits: limitsOf(flags),
    });
    process.exitCode = report.damage.length > 0 ? EXIT.damage : EXIT.ok;
    if (flags.json) this.printJson(report);
    else this.printText(compactText(report));
  }
}
