import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../../cli/base-command.ts';
import { buildHintsOf, hintBuildText } from '../../../cli/bitcask-hint.ts';
import { openPath } from '../../../cli/open.ts';
import { EXIT, usageError } from '../../../shared/errors.ts';

export default class BitcaskHintBuild extends DdiaCommand {
  static override summary = 'build the hint files that are missing or wrong from the data files';
  static override description =
    'For every data file that nothing more is written to, which is all but the last one. The result verifies ' +
    'before the command ends: with 0 if it is clean.';
  static override examples = [
    '<%= config.bin %> bitcask hint build fixtures/bitcask/hash-v1/clean --all --out /tmp/ddia-hint-build-1',
    '<%= config.bin %> bitcask hint build fixtures/bitcask/hash-v1/hint-truncated --out /tmp/ddia-hint-build-2 --json',
  ];
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'directory of the store', required: true }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    all: Flags.boolean({ description: 'all of them anew, that of the last data file too' }),
    out: Flags.string({ description: 'directory for a copy with the hints; must not exist' }),
    'in-place': Flags.boolean({
      description: 'put them beside the data, keeping each old one as NAME.bak',
      exclusive: ['out'],
    }),
    backup: Flags.boolean({ description: 'keep NAME.bak', allowNo: true, default: true }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskHintBuild);
    if (flags.out === undefined && !flags['in-place']) {
      throw usageError('usage', 'where to? --out DIR, or --in-place');
    }
    const input = await openPath(this, args.path, 'bitcask', flags.dialect);
    const report = await buildHintsOf(
      input,
      { all: flags.all },
      {
        out: flags.out,
        inPlace: flags['in-place'],
        backup: flags.backup,
        quarantine: undefined,
        force: flags.force,
      },
      this.reading(limitsOf(flags)),
    );
    process.exitCode = report.result.clean ? EXIT.ok : EXIT.damage;
    if (flags.json) this.printJson(report);
    else this.printText(await hintBuildText(report, flags.color));
  }
}
