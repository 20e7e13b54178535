/**
 * A shell in which `ddia` is the built command and all that could differ from machine to machine is fixed:
 * colour, width, home, plugins, paths. What runs in it says `$TMP` for its scratch directory and `$ROOT` for
 * the repository, in which it stands.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A command that takes longer hangs. */
const TIMEOUT_MS = 30_000;
/** Commands that run at the same time, over all shells of a test file. */
const COMMANDS_MAX = 2;

export interface Ran {
  stdout: string;
  stderr: string;
  status: number;
}

export class Shell {
  readonly #base = realpathSync(mkdtempSync(join(tmpdir(), 'ddia-shell-')));
  /** `$TMP`: empty at first. */
  readonly scratch = join(this.#base, 'tmp');

  constructor() {
    for (const name of ['tmp', 'bin', 'home', 'data']) mkdirSync(join(this.#base, name));
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/run.js' "$@"\n`;
    writeFileSync(join(this.#base, 'bin/ddia'), shim, { mode: 0o755 });
  }

  /** `merged`: stderr comes with stdout, in the order in which a terminal would show both. */
  async run(line: string, merged = false): Promise<Ran> {
    await enter();
    try {
      return await this.#run(merged ? `exec 2>&1\n${line}` : line);
    } finally {
      leave();
    }
  }

  #run(script: string): Promise<Ran> {
    const child = spawn('sh', ['-c', script], {
      cwd: root,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) =>
        resolve({
          stdout: this.#fixed(Buffer.concat(stdout).toString('utf8')),
          stderr: this.#fixed(Buffer.concat(stderr).toString('utf8')),
          status: status ?? (signal === null ? -1 : 128),
        }),
      );
    });
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${join(this.#base, 'bin')}:${process.env['PATH']}`,
      HOME: join(this.#base, 'home'),
      DDIA_DATA_DIR: join(this.#base, 'data'),
      TMP: this.scratch,
      NO_COLOR: '1',
      COLUMNS: '100',
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      SHELL: '/bin/bash',
    };
  }

  /** Paths and process ids by their names. */
  #fixed(text: string): string {
    return text
      .replaceAll(this.scratch, '$TMP')
      .replaceAll(root, '$ROOT')
      .replaceAll(/(\.(?:repaired|tmp)-)\d+/g, '$1PID');
  }

  remove(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}

let running = 0;
const waiting: (() => void)[] = [];

async function enter(): Promise<void> {
  if (running >= COMMANDS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
}

/** The place goes to the next one that waits, if there is one. */
function leave(): void {
  const next = waiting.shift();
  if (next) next();
  else running--;
}

/** UPDATE_GOLDEN=1 writes what is compared otherwise; never where nobody reads the difference. */
export function updatesGolden(): boolean {
  if ((process.env['UPDATE_GOLDEN'] ?? '') === '') return false;
  if ((process.env['CI'] ?? '') !== '') throw new Error('golden files are not rewritten under CI');
  return true;
}
