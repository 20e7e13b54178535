/** stat, by family or by detection. */
import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { openPath } from './open.ts';

export abstract class StatCommand extends DdiaCommand {
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file, directory that holds it or its segments, or -',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...limitFlags,
  };
  readonly family: string | undefined = undefined;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(this.ctor as typeof StatCommand);
    const input = await openPath(this, args.path, this.family, flags.dialect);
    const stat = await input.family.stat(input, {
      ...this.reading(limitsOf(flags)),
      now: Date.now(),
      options: flags,
    });
    if (flags.json) this.printJson(stat);
    else {
      const { statText } = await import('../ui/stat-report.ts');
      this.printText(await statText(stat, flags.color));
    }
  }
}
