/**
 * What the documents say is what happens. Blocks marked `console` in README.md and docs/*.md are run from the
 * root of the repository, and their output compared:
 *
 *     $ ddia wal repair fixtures/wal/v1/bad-crc --out /tmp/repaired
 *     > continues the command line of a line that ends in a backslash
 *     …                                     stands for any number of lines
 *
 * Both streams are shown, as on a terminal. `/tmp` is a fresh directory for each document, and the repository
 * lies in /home/ada/ddia. `npm run golden` writes the outputs anew, but for those with a `…` that still fits.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, Shell, updatesGolden } from './transcripts/shell.ts';

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');

const ELISION = '…';
const HOME = '/home/ada/ddia';

/** A document as it should be: each command with what it prints now. */
async function rerun(text: string): Promise<string> {
  const shell = new Shell();
  try {
    const out: string[] = [];
    const lines = text.split('\n');
    let inside = false;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      if (line.startsWith('```')) inside = line === '```console';
      out.push(line);
      if (!inside || !line.startsWith('$ ')) continue;
      let command = line.slice(2);
      while (command.endsWith('\\')) {
        out.push(lines[++i]!);
        command = `${command.slice(0, -1)}${lines[i]!.replace(/^> /, '')}`;
      }
      const from = i + 1;
      while (!/^(?:\$ |```)/.test(lines[i + 1]!)) i++;
      const documented = lines.slice(from, i + 1);
      const printed = await outputOf(shell, command);
      out.push(...(fits(documented, printed) ? documented : printed));
    }
    return out.join('\n');
  } finally {
    shell.remove();
  }
}

/** With `/tmp` for the shell's own directory. */
function inScratch(command: string, { scratch }: Shell): string {
  return command.replaceAll(/(?<![\w./-])\/tmp(?=[/\s]|$)/g, scratch);
}

async function outputOf(shell: Shell, command: string): Promise<string[]> {
  const { stdout } = await shell.run(inScratch(command, shell), true);
  const text = stdout.replaceAll('$TMP', '/tmp').replaceAll('$ROOT', HOME);
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** `documented` may leave out lines. */
function fits(documented: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = documented;
  if (first === undefined) return printed.length === 0;
  if (first.trim() !== ELISION) return first === printed[0] && fits(rest, printed.slice(1));
  return printed.some((_, i) => fits(rest, printed.slice(i))) || rest.length === 0;
}

const manifest = JSON.parse(textOf('oclif.manifest.json')) as {
  commands: Record<string, { examples?: string[]; flags: Record<string, unknown> }>;
};

describe('documents', () => {
  it.concurrent.each(documents)('%s shows what is printed', async (name) => {
    const text = textOf(name);
    const now = await rerun(text);
    if (updatesGolden()) writeFileSync(join(root, name), now);
    else expect(now).toBe(text);
  });

  it.each(documents)('%s has links that lead somewhere', (name) => {
    const links = [...textOf(name).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, to]) => to!);
    const ours = links.filter((to) => !/^[a-z]+:/.test(to));
    expect(ours.filter((to) => !existsSync(join(root, dirname(name), to)))).toEqual([]);
  });

  it.each(documents)('%s names flags that there are', (name) => {
    const known = new Set(['help', 'version']);
    for (const { flags } of Object.values(manifest.commands)) {
      for (const flag of Object.keys(flags)) known.add(flag).add(`no-${flag}`);
    }
    // Of other programs, only what stands in a line without ddia.
    const named = textOf(name)
      .split('\n')
      .filter((line) => !/\b(?:npm|node|git|npx|jq)\b/.test(line))
      .flatMap((line) =>
        [...line.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, flag]) => flag!),
      );
    expect([...new Set(named)].filter((flag) => !known.has(flag))).toEqual([]);
  });

  it('tell of every command', () => {
    const all = documents.map(textOf).join('\n');
    const untold = Object.keys(manifest.commands)
      .map((id) => id.replaceAll(':', ' '))
      .filter((id) => {
        const [topic, verb] = id.split(' ');
        const pattern = verb === undefined ? `ddia ${topic}` : `${topic} (?:[\\w\`,/ ]*)${verb}`;
        return !new RegExp(`\\b${pattern}\\b`).test(all) && !all.includes(`\`${id}\``);
      });
    expect(untold).toEqual([]);
  });
});

/** What dump and diff report of a damaged input is no error of the command. */
const DAMAGE_REPORT = /^error: [a-z-]+ (?:[AB]: )?.* @ \d+ \+\d+: /;

describe('examples of --help', () => {
  const commands = Object.entries(manifest.commands);

  it.concurrent.each(commands)('%s work as they are printed', async (id, { examples = [] }) => {
    const shell = new Shell();
    try {
      for (const example of examples) {
        const printed = example.replaceAll('<%= config.bin %>', 'ddia');
        // Only what is linked can be unlinked.
        if (id === 'plugins:unlink') {
          await shell.run('ddia plugins link examples/ddia-plugin-lines');
        }
        const { status, stderr } = await shell.run(inScratch(printed, shell));
        const errors = stderr
          .split('\n')
          .filter((line) => line.includes('error:') && !DAMAGE_REPORT.test(line));
        expect({ printed, errors }).toEqual({ printed, errors: [] });
        expect([0, 1, 4], `exit code of: ${printed}\n${stderr}`).toContain(status);
      }
    } finally {
      shell.remove();
    }
  });
});

describe('the page on wal v2', () => {
  const page = textOf('src/formats/wal/v2/FORMAT.md');

  it('has an example that is a whole segment', async () => {
    const [, drawn = ''] = page.split('## A worked example')[1]!.split('```');
    const digits = drawn
      .trim()
      .split('\n')
      .map((line) => /^[0-9a-f]{8} {2}((?:[0-9a-f]{2} {1,2})+)/.exec(line)![1]!);
    const bytes = Buffer.from(digits.join('').replaceAll(' ', ''), 'hex');
    const shell = new Shell();
    try {
      writeFileSync(join(shell.scratch, '000001.wal2'), bytes);
      const verified = await shell.run('ddia wal verify $TMP/000001.wal2 --json');
      expect(verified.status).toBe(0);
      const dumped = await shell.run('ddia wal dump $TMP/000001.wal2 --batches --json');
      expect(JSON.parse(dumped.stdout)).toMatchObject({
        ops: [
          { op: 'put', key: 'user:1', value: 'Ada' },
          { op: 'delete', key: 'user:2' },
        ],
      });
    } finally {
      shell.remove();
    }
  });
});
