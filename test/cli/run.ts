/** Runs the built command, as a user does, and tells what came of it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';

export const root = join(import.meta.dirname, '../..');

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Uint8Array;
  env?: Record<string, string>;
}

/** Without colour, and without the plugins that somebody has linked. */
export function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _force, NODE_OPTIONS: _options, ...env } = process.env;
  return { ...env, NO_COLOR: '1', DDIA_DATA_DIR: join(root, 'test/cli/no-such-data'), ...more };
}

export function ddia(args: readonly string[], options: RunOptions = {}): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin/run.js'), ...args],
    {
      cwd: root,
      encoding: 'utf8',
      input: options.input ?? '',
      env: environment(options.env),
      maxBuffer: 64 * 1024 * 1024,
      timeout: 50_000,
    },
  );
  return { status, stdout, stderr };
}

/** One JSON document. */
export function json<T>(ran: Ran): T {
  return JSON.parse(ran.stdout) as T;
}

/** One JSON object a line. */
export function lines<T>(ran: Ran): T[] {
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** What --json says of an error. */
export interface ErrorAnswer {
  error: { code: string; message: string; hint?: string };
}

/** A directory that is gone when the tests of the file are done. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ddia-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** SHA-256 over names and bytes of all files below `directory`. */
export function hashOf(directory: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory, { recursive: true }).map(String).sort()) {
    const path = join(directory, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** No command of this test file may change a fixture. */
export function fixturesStayTheSame(directory = 'fixtures/wal/v1'): void {
  let before = '';
  beforeAll(() => {
    before = hashOf(join(root, directory));
  });
  afterAll(() => expect(hashOf(join(root, directory))).toBe(before));
}
