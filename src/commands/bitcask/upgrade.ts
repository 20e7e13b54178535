import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { upgradePath, upgradeText } from '../../cli/bitcask-merge.ts';
import { openPath } from '../../cli/open.ts';
import { EXIT } from '../../shared/errors.ts';

export default class BitcaskUpgrade extends DdiaCommand {
  static override summary = 'copy a store of any dialect into the hardened layout v2';
  static override description =
    'Every record that can be read, overwritten ones and deletions too, in the order in which they count. Says ' +
    'what the old layout could not vouch for, and what was read past; ends with 1 if anything was. The input ' +
    'is not touched.';
  static override examples = [
    '<%= config.bin %> bitcask upgrade fixtures/bitcask/hash-v1/clean --out /tmp/ddia-bitcask-upgrade-1',
    '<%= config.bin %> bitcask upgrade fixtures/bitcask/riak/plain --out /tmp/ddia-bitcask-upgrade-2 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'directory of the store, or one data file of it',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({ description: 'directory for the store; must not exist', required: true }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    'file-bytes': Flags.integer({ description: 'size of the new data files', min: 100 }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskUpgrade);
    const input = await openPath(this, args.path, 'bitcask', flags.dialect);
    const result = await upgradePath(this, input, {
      out: flags.out,
      force: flags.force,
      fileBytes: flags['file-bytes'],
      limits: limitsOf(flags),
    });
    process.exitCode = result.damage.length === 0 ? EXIT.ok : EXIT.damage;
    if (flags.json) this.printJson(result);
    else this.printText(upgradeText(result));
  }
}
