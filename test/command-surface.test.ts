/**
 * The command surface: every command with its arguments and flags, as the manifest has them. A change of it is
 * a change for everyone who has written it into a script, so it shows here. `npm run golden` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, updatesGolden } from './transcripts/shell.ts';

const snapshotPath = join(import.meta.dirname, 'snapshots/command-surface.json');

interface Parameter {
  type?: string;
  char?: string;
  options?: string[];
  default?: unknown;
  required?: boolean;
  multiple?: boolean;
  allowNo?: boolean;
  exclusive?: string[];
  dependsOn?: string[];
}

interface Command {
  args: Record<string, Parameter>;
  flags: Record<string, Parameter>;
  aliases?: string[];
  strict?: boolean;
  hidden?: boolean;
}

const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, Command>;
};

/** What a script can depend on; descriptions may change at will. */
function surfaceOf({ args, flags, strict, aliases = [], hidden }: Command): unknown {
  return {
    args: parameters(args),
    // Otherwise as many as one likes.
    ...(strict === false && { manyArgs: true }),
    flags: parameters(flags),
    ...(aliases.length > 0 && { aliases }),
    ...(hidden && { hidden }),
  };
}

/** Arguments keep their order, which means something; flags are sorted by whoever calls for them. */
function parameters(all: Record<string, Parameter>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(all).map(([name, parameter]) => {
      const { type, char, options, required, multiple, allowNo, exclusive, dependsOn } = parameter;
      return [
        name,
        {
          ...(type && { type }),
          ...(char && { char }),
          ...(options && { options }),
          ...(parameter.default !== undefined && { default: parameter.default }),
          ...(required && { required }),
          ...(multiple && { multiple }),
          ...(allowNo && { allowNo }),
          ...(exclusive && { exclusive }),
          ...(dependsOn && { dependsOn }),
        },
      ];
    }),
  );
}

const sorted = <T>(of: Record<string, T>): [string, T][] =>
  Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));

describe('the command surface', () => {
  it('is that of the snapshot', () => {
    const surface = Object.fromEntries(
      sorted(commands).map(([id, command]) => [
        id.replaceAll(':', ' '),
        surfaceOf({ ...command, flags: Object.fromEntries(sorted(command.flags)) }),
      ]),
    );
    const text = `${JSON.stringify(surface, null, 2)}\n`;
    if (updatesGolden()) writeFileSync(snapshotPath, text);
    else expect(text).toBe(readFileSync(snapshotPath, 'utf8'));
  });

  it('has --json and --color on every command', () => {
    for (const [id, { flags }] of Object.entries(commands)) {
      expect(Object.keys(flags), id).toEqual(expect.arrayContaining(['json', 'color']));
    }
  });

  it('uses one letter for one thing', () => {
    const meaning = new Map<string, string>();
    for (const [id, { flags }] of Object.entries(commands)) {
      for (const [name, { char }] of Object.entries(flags)) {
        if (char === undefined) continue;
        expect(meaning.get(char) ?? name, `-${char} of ${id}`).toBe(name);
        meaning.set(char, name);
      }
    }
  });
});
