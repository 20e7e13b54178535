/**
 * What every command keeps: streams, exit codes, errors, --json, Ctrl-C, closed pipes. See
 * docs/cli.md.
 */
import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import { DEFAULT_LIMITS, type Limits } from '../formats/format.ts';
import { DdiaError, EXIT, fromSystemError } from '../shared/errors.ts';
import { ClosedPipe, Output } from '../ui/output.ts';
import { Progress } from '../ui/progress.ts';

export abstract class DdiaCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'print JSON: one document, or one object a line' }),
    color: Flags.boolean({ description: 'colour on a terminal', allowNo: true, default: true }),
  };

  readonly progress = new Progress();
  /** Data goes here, all else to stderr. */
  readonly out: Output = new StandardOutput(this.progress);
  readonly #abort = new AbortController();
  readonly #onInterrupt = (signal: NodeJS.Signals) => this.#abort.abort(new Interrupted(signal));

  /** Aborted by Ctrl-C; handed to whatever takes long. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What readers of files of any size are told. */
  reading(limits: Limits) {
    return {
      limits,
      signal: this.signal,
      progress: this.progress.update,
      idle: () => this.out.flush(),
    };
  }

  override async init(): Promise<void> {
    await super.init();
    process.once('SIGINT', this.#onInterrupt);
    process.once('SIGTERM', this.#onInterrupt);
  }

  override async finally(error: Error | undefined): Promise<void> {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onInterrupt);
    this.progress.end();
    await super.finally(error);
  }

  override async catch(error: Error): Promise<void> {
    this.progress.end();
    process.exitCode = this.#report(error);
  }

  /** Says what went wrong, and returns the exit code for it. */
  #report(error: Error): number {
    if (error instanceof ClosedPipe) return EXIT.ok;
    try {
      this.out.flush();
      return this.#reportOpen(error);
    } catch (second) {
      if (second instanceof ClosedPipe) return EXIT.ok;
      throw second;
    }
  }

  #reportOpen(error: Error): number {
    // What fails after Ctrl-C fails because of it.
    const reason: unknown = this.signal.aborted ? this.signal.reason : error;
    if (reason instanceof Interrupted) {
      process.stderr.write('interrupted\n');
      return reason.signal === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    }
    const { code, message, hint, exit } = describeError(error);
    if (this.argv.includes('--json')) {
      this.out.text(`${JSON.stringify({ error: { code, message, ...(hint && { hint }) } })}\n`);
      this.out.flush();
    } else {
      process.stderr.write(`error: ${message}\n${hint ? `  ${hint}\n` : ''}`);
    }
    return exit;
  }

  /**
   * Parses with the statics of the class and of those it extends: oclif's own parse copies a
   * class's own statics alone.
   */
  protected async parseFor<C extends typeof Command>(type: C) {
    const { args, flags, baseFlags, strict } = type;
    return this.parse<
      Interfaces.InferredFlags<C['flags'] & (typeof DdiaCommand)['baseFlags']>,
      Interfaces.InferredFlags<(typeof DdiaCommand)['baseFlags']>,
      Interfaces.InferredArgs<C['args']>
    >({ args, flags: { ...flags }, baseFlags, strict } as never);
  }

  /** One JSON document. */
  printJson(value: unknown): void {
    this.progress.end();
    this.out.text(`${JSON.stringify(value, null, 2)}\n`);
    this.out.flush();
  }

  printText(text: string): void {
    this.progress.end();
    this.out.text(text.endsWith('\n') ? text : `${text}\n`);
    this.out.flush();
  }
}

/** On a terminal, what scrolls by shows progress enough, and a bar would stand in its way. */
class StandardOutput extends Output {
  constructor(readonly progress: Progress) {
    super(1);
  }

  override put(bytes: Uint8Array, end: number): void {
    if (process.stdout.isTTY) this.progress.end();
    super.put(bytes, end);
  }
}

class Interrupted extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super('interrupted');
  }
}

/** Reduces any error to what the user can act on. A message, never a stack. */
function describeError(error: Error): {
  code: string;
  message: string;
  hint?: string | undefined;
  exit: number;
} {
  if (error instanceof DdiaError) return error;
  const parse = error as Error & { parse?: unknown; oclif?: { exit?: number } };
  if (parse.parse !== undefined || error instanceof Errors.CLIError) {
    const message = error.message
      .split('\nSee more help')[0]!
      .replace(/\s+/g, ' ')
      .replace('The following error occurred: ', '')
      .trim();
    return { code: 'usage', message, hint: 'see --help', exit: EXIT.usage };
  }
  const { code, path } = error as NodeJS.ErrnoException;
  if (code?.startsWith('E') && path !== undefined) return fromSystemError(error, path);
  if (code) return { code: 'system', message: error.message, exit: EXIT.failed };
  return { code: 'internal', message: `internal error: ${error.message}`, exit: EXIT.failed };
}

/** Flags of commands that read files of any size. */
export const limitFlags = {
  'max-record-bytes': Flags.integer({
    description: 'longest record that is read whole',
    default: DEFAULT_LIMITS.recordBytes,
    min: 1024,
    helpGroup: 'LIMIT',
  }),
  'max-findings': Flags.integer({
    description: 'findings that are listed; all are counted',
    default: DEFAULT_LIMITS.findings,
    min: 0,
    helpGroup: 'LIMIT',
  }),
};

export function limitsOf(flags: { 'max-record-bytes': number; 'max-findings': number }): Limits {
  return {
    ...DEFAULT_LIMITS,
    recordBytes: flags['max-record-bytes'],
    findings: flags['max-findings'],
  };
}
