import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { openPath } from '../../cli/open.ts';
import { upgradeTables, upgradeText } from '../../cli/sstable-upgrade.ts';
import { EXIT } from '../../shared/errors.ts';

export default class SstableUpgrade extends DdiaCommand {
  static override summary = 'copy tables of any dialect into the hardened layout v2';
  static override description =
    'Every entry that can be read keeps its number, type and timestamp, range deletions too. Says what the old layout ' +
    'could not vouch for, and what was read past; ends with 1 if anything was. The input is not touched.';
  static override examples = [
    '<%= config.bin %> sstable upgrade fixtures/sstable/v1/clean/t.sst --out /tmp/ddia-up-1',
    '<%= config.bin %> sstable upgrade fixtures/sstable/leveldb --out /tmp/ddia-up-2 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'table, or directory of tables',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({
      description: 'directory for the new tables; must not exist',
      required: true,
    }),
    'block-bytes': Flags.integer({ description: 'size at which a block is closed', min: 64 }),
    compression: Flags.option({ options: ['none', 'deflate'] as const })({
      description: 'of blocks',
    }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(SstableUpgrade);
    const input = await openPath(this, args.path, 'sstable', flags.dialect);
    const report = await upgradeTables(this, input, {
      out: flags.out,
      force: flags.force,
      blockBytes: flags['block-bytes'],
      compression: flags.compression,
      limits: limitsOf(flags),
    });
    process.exitCode = report.damage.length > 0 ? EXIT.damage : EXIT.ok;
    if (flags.json) this.printJson(report);
    else this.printText(upgradeText(report));
  }
}
