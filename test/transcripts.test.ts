/**
 * Commands and what they print, exactly: transcripts/*.txt. A block is a command line, its standard output,
 * its standard error behind `[stderr]` if there is any, and its exit code:
 *
 *     $ ddia wal stat fixtures/wal/v1/nowhere
 *     [stderr]
 *     error: no such file or directory: fixtures/wal/v1/nowhere
 *     [exit 3]
 *
 * Lines between blocks say what it is about. `npm run golden` writes what comes out now: read the difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hashOf } from './cli/run.ts';
import { type Ran, root, Shell, updatesGolden } from './transcripts/shell.ts';

const directory = join(import.meta.dirname, 'transcripts');
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'));

/** Text between blocks, or a command. */
type Part = { text: string } | { command: string };

const EXIT = /^\[exit -?\d+\]$/;

function parse(transcript: string): Part[] {
  const parts: Part[] = [];
  const lines = transcript.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (!line.startsWith('$ ')) {
      parts.push({ text: line });
      continue;
    }
    parts.push({ command: line.slice(2) });
    // A command that was added and not run yet has no output, and no exit code behind it.
    const next = lines[i + 1] ?? '';
    if (next === '' || next.startsWith('$ ')) continue;
    const exit = lines.findIndex((one, at) => at > i && EXIT.test(one));
    if (exit < 0) throw new Error(`no [exit …] behind: ${line}`);
    i = exit;
  }
  return parts;
}

function rendered({ stdout, stderr, status }: Ran): string {
  const errors = stderr === '' ? '' : `[stderr]\n${closed(stderr)}`;
  return `${closed(stdout)}${errors}[exit ${status}]`;
}

/** A last line without its end is marked, so that it shows. */
function closed(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}[no newline]\n`;
}

async function replay(transcript: string): Promise<string> {
  const shell = new Shell();
  try {
    const lines: string[] = [];
    for (const part of parse(transcript)) {
      if ('text' in part) lines.push(part.text);
      else lines.push(`$ ${part.command}`, rendered(await shell.run(part.command)));
    }
    return lines.join('\n');
  } finally {
    shell.remove();
  }
}

describe('transcripts', () => {
  it.concurrent.each(names)('%s', async (name) => {
    const path = join(directory, name);
    const before = readFileSync(path, 'utf8');
    const after = await replay(before);
    if (updatesGolden()) writeFileSync(path, after);
    else expect(after).toBe(before);
  });

  it('are of commands that leave the fixtures as they are', async () => {
    const before = hashOf(join(root, 'fixtures'));
    const shell = new Shell();
    const paths = 'fixtures/wal/v1/clean fixtures/wal/v1/bad-crc fixtures/wal/v1/torn-tail';
    try {
      for (const verb of ['verify', 'dump']) await shell.run(`ddia ${verb} ${paths}`);
      await shell.run('ddia repair fixtures/wal/v1/bad-crc --out $TMP/out');
    } finally {
      shell.remove();
    }
    expect(hashOf(join(root, 'fixtures'))).toBe(before);
  });
});
