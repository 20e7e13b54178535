/** The way into oclif. bin/run.js comes here for everything but --version. */
import { Config, run } from '@oclif/core';
import { EXIT } from './shared/errors.ts';

/** `root` is the package's directory. Sets process.exitCode; never throws. */
export async function main(argv: string[], root: string): Promise<void> {
  process.stdout.on('error', onStdoutError);
  let config: Config | undefined;
  try {
    config = await Config.load({ root });
    // `ddia help wal verify` is what people try first.
    const asked = argv[0] === 'help' && !config.findCommand('help');
    await run(asked ? [...argv.slice(1), '--help'] : argv, config);
  } catch (error) {
    process.exitCode = await reportOutsideCommand(error as Error, argv, config);
  }
}

/**
 * Help is printed by oclif through process.stdout; a reader that has gone is no error there
 * either.
 */
function onStdoutError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exitCode = EXIT.ok;
}

/** Errors before a command runs: an unknown command, help on nothing. */
async function reportOutsideCommand(
  error: Error & { oclif?: { exit?: number } },
  argv: string[],
  config: Config | undefined,
): Promise<number> {
  if (error.oclif?.exit === 0) return EXIT.ok;
  let code = 'usage';
  let message = error.message.trim();
  let hint: string | undefined;
  if (config && /^command .* not found\.?$/is.test(message)) {
    const { explainUnknown } = await import('./cli/suggest.ts');
    const words = argv[0] === 'help' ? argv.slice(1) : argv;
    const flag = words.findIndex((word) => word.startsWith('-'));
    const unknown = explainUnknown(words.slice(0, flag < 0 ? undefined : flag), config.commandIDs);
    if (unknown.meant !== undefined && unknown.meant === unknown.given) {
      // A command without arguments: with one it has another name to oclif.
      message = `${unknown.given} takes no arguments`;
      hint = `see ${config.bin} ${unknown.given} --help`;
    } else {
      code = 'unknown-command';
      message = `${unknown.given || words[0]} is not a command`;
      hint = unknown.meant ? `did you mean: ${config.bin} ${unknown.meant}` : 'see ddia --help';
    }
  }
  if (argv.includes('--json')) {
    process.stdout.write(
      `${JSON.stringify({ error: { code, message, ...(hint && { hint }) } })}\n`,
    );
  } else process.stderr.write(`error: ${message}\n${hint ? `  ${hint}\n` : ''}`);
  return EXIT.usage;
}
