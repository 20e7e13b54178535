import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { compactPaths, compactText, STRATEGIES } from '../../cli/sstable-compact.ts';
import { writableTable } from '../../cli/sstable-write.ts';
import { EXIT } from '../../shared/errors.ts';

export default class SstableCompact extends DdiaCommand {
  static override summary = 'merge tables of any dialect into new ones, dropping what is shadowed';
  static override description =
    'The later a table is given, the newer it is, where sequence numbers and timestamps do not tell. Deletions stay, ' +
    'unless --bottommost says that no other table has older versions, and none that is given but not picked can have. ' +
    'Level 0 merges at 4 files, level L holds 10 MiB times 10^(L-1); a tier of about equal sizes merges at 4 files.';
  static override examples = [
    '<%= config.bin %> sstable compact fixtures/sstable/leveldb/000005.ldb fixtures/sstable/leveldb/000007.ldb --out /tmp/ddia-compact-1',
    '<%= config.bin %> sstable compact fixtures/sstable/leveldb --strategy size-tiered --dry-run',
  ];
  static override strict = false;
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'tables, or directories of them',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({ description: 'directory for the new tables; must not exist' }),
    to: Flags.string({ description: 'layout to write', default: 'v2' }),
    strategy: Flags.option({ options: STRATEGIES, default: 'all' as const })({
      description: 'which of the tables are merged',
    }),
    levels: Flags.string({
      description: 'the level of each table, in order: 0,0,1 [default: all 0]',
    }),
    bottommost: Flags.boolean({ description: 'no other table has older versions: drop deletions' }),
    'file-bytes': Flags.integer({
      description: 'a new table at or over this size is closed',
      default: 64 * 1024 * 1024,
      min: 1,
    }),
    'block-bytes': Flags.integer({ description: 'size at which a block is closed', min: 64 }),
    compression: Flags.option({ options: ['none', 'deflate'] as const })({
      description: 'of blocks, in v2',
    }),
    'dry-run': Flags.boolean({ description: 'show what would be merged, and why' }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(SstableCompact);
    const report = await compactPaths(this, argv as string[], writableTable(flags.to), {
      out: flags.out,
      dialect: flags.dialect,
      strategy: flags.strategy,
      levels: flags.levels === undefined ? [] : flags.levels.split(',').map(Number),
      bottommost: flags.bottommost,
      keepAll: false,
      fileBytes: flags['file-bytes'],
      blockBytes: flags['block-bytes'],
      compression: flags.compression,
      force: flags.force,
      dryRun: flags['dry-run'],
      limits: limitsOf(flags),
    });
    process.exitCode = report.damage.length > 0 ? EXIT.damage : EXIT.ok;
    if (flags.json) this.printJson(report);
    else this.printText(compactText(report));
  }
}
