/** verify, by family or by detection. */
import { join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { Identified } from '../formats/detect.ts';
import { worseVerdict } from '../formats/findings.ts';
import type { ScanContext, VerifyResult } from '../formats/format.ts';
import { DdiaError, EXIT } from '../shared/errors.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { openPath } from './open.ts';

export const EXIT_BY_VERDICT = {
  clean: EXIT.ok,
  'torn-tail': EXIT.tornTail,
  damaged: EXIT.damage,
} as const;

/** Less is read before a second thread has started. */
const ASIDE_FROM_BYTES = 64 * 1024 * 1024;

export abstract class VerifyCommand extends DdiaCommand {
  static override strict = false;
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
  /** For families whose verify can do with checksums and framing alone. */
  static readonly quickFlag = {
    quick: Flags.boolean({ description: 'checksums and framing only' }),
  };
  /** Restricts detection to a family. */
  readonly family: string | undefined = undefined;

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(this.ctor as typeof VerifyCommand);
    const results: VerifyResult[] = [];
    const failures: { path: string; error: { code: string; message: string } }[] = [];
    for (const path of argv as string[]) {
      try {
        results.push(await this.#verify(path, flags));
      } catch (error) {
        // One path that cannot be read does not take the others' results away.
        if (argv.length === 1 || !(error instanceof DdiaError)) throw error;
        failures.push({ path, error: { code: error.code, message: error.message } });
      }
    }
    this.progress.end();
    const verdict = results.map((r) => r.verdict).reduce(worseVerdict, 'clean');
    process.exitCode = failures.length > 0 ? EXIT.failed : EXIT_BY_VERDICT[verdict];
    if (flags.json) {
      const clean = verdict === 'clean' && failures.length === 0;
      this.printJson({ clean, results, ...(failures.length > 0 && { failures }) });
    } else {
      for (const { error } of failures) process.stderr.write(`error: ${error.message}\n`);
      const { verifyText } = await import('../ui/verify-report.ts');
      this.printText(await verifyText(results, flags.color));
    }
  }

  /** What is verified of it. */
  protected verify(input: Identified, context: ScanContext): Promise<VerifyResult> {
    return input.family.verify(input, context);
  }

  async #verify(
    path: string,
    flags: {
      dialect?: string | undefined;
      quick?: boolean;
      'max-record-bytes': number;
      'max-findings': number;
    },
  ): Promise<VerifyResult> {
    const input = await openPath(this, path, this.family, flags.dialect);
    const context = {
      ...this.reading(limitsOf(flags)),
      options: flags,
      quick: flags.quick,
    };
    const bytes = input.files.reduce((sum, { size = 0 }) => sum + size, 0);
    if (bytes < ASIDE_FROM_BYTES) return this.verify(input, context);
    const { asideFor } = await import('./aside.ts');
    const worker = join(this.config.root, 'dist/aside-worker.js');
    return this.verify(input, { ...context, aside: asideFor(input, context, worker) });
  }
}
