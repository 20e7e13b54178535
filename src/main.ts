/** The way into oclif. bin/run.js comes here for everything but --version. */
import { Config, run } from '@oclif/core';
import { EXIT } from './shared/errors.ts';

/** `root` is the package's directory. Sets process.exitCode; never throws. */
export async function main(argv: string[], root: string): Promise<void> {
  try {
    const config = await Config.load({ root });
    const found = findCommand(config, argv);
    // oclif's own run does more on the way (help, its own version checks), and costs a tenth of the start.
    if (found) await config.runCommand(found.id, found.rest);
    else await run(argv, config);
  } catch (error) {
    process.exitCode = reportOutsideCommand(error as Error, argv);
  }
}

/** The command whose words `argv` begins with, the longest; undefined also where help is asked for. */
function findCommand(config: Config, argv: string[]): { id: string; rest: string[] } | undefined {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  if (flags.includes('--help') || flags.includes('-h')) return undefined;
  for (const words of [2, 1]) {
    const id = argv.slice(0, words).join(':');
    if (argv.length >= words && config.findCommand(id)) return { id, rest: argv.slice(words) };
  }
  return undefined;
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
