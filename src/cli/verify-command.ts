/** verify, by family or by detection. */
import { Args, Flags } from '@oclif/core';
import { worseVerdict } from '../formats/findings.ts';
import type { VerifyResult } from '../formats/format.ts';
import { EXIT } from '../shared/errors.ts';
import { Progress } from '../ui/progress.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { openPath } from './open.ts';

export const EXIT_BY_VERDICT = {
  clean: EXIT.ok,
  'torn-tail': EXIT.tornTail,
  damaged: EXIT.damage,
} as const;

export abstract class VerifyCommand extends DdiaCommand {
  static override strict = false;
  static override args = {
    path: Args.string({ description: 'file, directory of segments, or -', required: true }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...limitFlags,
  };
  /** Restricts detection to a family. */
  readonly family: string | undefined = undefined;

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(this.ctor as typeof VerifyCommand);
    const results: VerifyResult[] = [];
    const progress = new Progress(flags.color);
    for (const path of argv as string[]) {
      const input = await openPath(this, path, this.family, flags.dialect);
      results.push(
        await input.family.verify(input, {
          limits: limitsOf(flags),
          signal: this.signal,
          progress: progress.update,
        }),
      );
    }
    progress.end();
    const verdict = results.map((r) => r.verdict).reduce(worseVerdict, 'clean');
    process.exitCode = EXIT_BY_VERDICT[verdict];
    if (flags.json) {
      this.printJson({ clean: verdict === 'clean', results });
    } else {
      const { verifyText } = await import('../ui/verify-report.ts');
      this.printText(await verifyText(results, flags.color));
    }
  }
}
