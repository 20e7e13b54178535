import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { openPath } from '../../cli/open.ts';
import { upgradePath, upgradeText } from '../../cli/wal-upgrade.ts';
import { EXIT } from '../../shared/errors.ts';

export default class WalUpgrade extends DdiaCommand {
  static override summary = 'copy a log of any dialect into the hardened layout v2';
  static override description =
    'Every record that can be read keeps its number. Says what the old layout could not vouch for, and what ' +
    'was read past; ends with 1 if anything was. The input is not touched.';
  static override examples = [
    '<%= config.bin %> wal upgrade fixtures/wal/v1/clean --out /tmp/ddia-upgrade-1',
    '<%= config.bin %> wal upgrade fixtures/wal/v1/bad-crc --out /tmp/ddia-upgrade-2 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file or directory of segments',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({ description: 'directory for the new log; must not exist', required: true }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    'segment-bytes': Flags.integer({ description: 'size of the new segments', min: 100 }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalUpgrade);
    const input = await openPath(this, args.path, 'wal', flags.dialect);
    const result = await upgradePath(this, input, {
      out: flags.out,
      force: flags.force,
      segmentBytes: flags['segment-bytes'],
      limits: limitsOf(flags),
    });
    const whole = result.damage.length === 0 && Object.keys(result.leftOut).length === 0;
    process.exitCode = whole ? EXIT.ok : EXIT.damage;
    if (flags.json) this.printJson(result);
    else this.printText(upgradeText(result));
  }
}
