/** Programs of others, run for what they make of our files and we of theirs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Random } from '../../src/shared/random.ts';
import { ddia, lines, type Ran } from '../cli/run.ts';

/** Runs only where vitest.peers.config.ts asks for it. */
const enabled = process.env['DDIA_PEERS'] === '1';
export const describePeer = describe.runIf(enabled);

/** Makes the suite fail, with the package to install, where `file args` does not run. */
export function needs(file: string, args: readonly string[], debianPackage: string): void {
  beforeAll(() => {
    const { error, status } = spawnSync(file, args, { stdio: 'ignore' });
    if (error || status !== 0) {
      const command = [file, ...args].join(' ');
      throw new Error(
        `${command}: ${error?.message ?? `ended with ${status}`}; Debian has it in the package ` +
          `${debianPackage} (apt-get install ${debianPackage})`,
      );
    }
  });
}

/**
 * Fails with what the program said, so that a test that calls it need not look. Returns its stdout.
 */
export function peer(file: string, args: readonly string[], input = ''): string {
  return told(file, args, input).stdout;
}

/** All that it said. */
export function told(file: string, args: readonly string[], input = '') {
  const { error, status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 256 * 1024 * 1024,
    timeout: 100_000,
  });
  if (error || status !== 0) {
    // A program that ends before it has read its input is an EPIPE; what it said tells more.
    const why = error?.message ?? `ended with ${status}`;
    throw new Error(`${file} ${args[0] ?? ''}: ${why}\n${stderr}`);
  }
  return { stdout, stderr };
}

/**
 * A Python in which `statement` works. A module of Debian's is seen by Debian's Python alone, and
 * the first `python3` of the PATH may be another one.
 */
export function pythonFor(statement: string): string {
  const works = (file: string) =>
    spawnSync(file, ['-c', statement], { stdio: 'ignore' }).status === 0;
  return enabled && !works('python3') && works('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
}

export function script(name: string): string {
  return join(import.meta.dirname, name);
}

/** A directory for the tests of a suite; `path` is known once they run. */
export function workspace(): { path(...names: string[]): string } {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'ddia-peers-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return { path: (...names) => join(directory, ...names) };
}

/** The logs of a database, oldest first. */
export function logsOf(database: string): string[] {
  return readdirSync(database)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(database, name));
}

/** An operation with key and value in hex. */
export interface Operation {
  op: string;
  key?: string | undefined;
  value?: string | undefined;
}

/** What `wal dump --json` prints of an operation. */
export interface Line {
  file: string;
  offset: number;
  length: number;
  seq: number;
  op: string;
  cf?: number;
  key?: unknown;
  value?: unknown;
}

/** As JSON shows bytes: a string if they are UTF-8, else hex. */
export function hexOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return (value as { hex: string }).hex;
}

export function dump(path: string, ...flags: string[]): Line[] {
  const ran = ddia(['wal', 'dump', path, '--json', ...flags]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  return lines<Line>(ran);
}

export function operationOf({ op, key, value }: Line): Operation {
  return { op, key: hexOf(key), value: hexOf(value) };
}

/** Everything that verify has to say is on stdout, so a failure shows it. */
export function expectClean(path: string, ...flags: string[]): void {
  const ran = ddia(['wal', 'verify', path, '--json', ...flags]);
  const { clean, findings } = resultOf(ran);
  expect({ clean, findings, status: ran.status }).toEqual({ clean: true, findings: [], status: 0 });
}

interface Result {
  clean: boolean;
  findings: { code: string }[];
}

export function resultOf(ran: Ran): Result {
  const { results } = JSON.parse(ran.stdout) as { results: Result[] };
  return results[0]!;
}

export class RandomBytes extends Random {
  /** In hex. */
  hex(length: number): string {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32() >>> 24;
    return bytes.toString('hex');
  }

  /** Keys that meet again, some with bytes that are no text. */
  key(): string {
    const name = Buffer.from(`key:${this.below(500)}`).toString('hex');
    return this.below(8) === 0 ? `${name}${this.hex(this.below(20))}` : name;
  }

  /** Sizes of values: mostly small, now and then around a block's end, or several blocks. */
  valueBytes(): number {
    const kind = this.below(40);
    if (kind === 0) return 32_768 - 60 + this.below(70);
    if (kind === 1) return 33_000 + this.below(70_000);
    if (kind < 6) return 1000 + this.below(4000);
    return this.below(kind < 10 ? 2 : 200);
  }
}
