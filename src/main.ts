/** The way into oclif. bin/run.js comes here for everything but --version. */
import { Config, run } from '@oclif/core';
import { EXIT } from './shared/errors.ts';

/** `root` is the package's directory. Sets process.exitCode; never throws. */
export async function main(argv: string[], root: string): Promise<void> {
  try {
    const config = await Config.load({ root });
    await run(argv, config);
  } catch (error) {
    process.exitCode = reportOutsideCommand(error as Error, argv);
  }
}

/** Errors before a command runs: an unknown command, help on nothing. */
function reportOutsideCommand(error: Error & { oclif?: { exit?: number } }, argv: string[]): number {
  if (error.oclif?.exit === 0) return EXIT.ok;
  const message = error.message.trim();
  if (argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code: 'usage', message } })}\n`);
  } else process.stderr.write(`error: ${message}\n`);
  return EXIT.usage;
}
