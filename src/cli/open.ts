/** From a PATH on the command line to files, family and dialect. */
import type { Command } from '@oclif/core';
import { type Identified, identify } from '../formats/detect.ts';
import type { Family, FileSet } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { DdiaError } from '../shared/errors.ts';
import { knownFamilies, moreFamilies } from './plugins.ts';
import { steady } from './steady-store.ts';

/**
 * Opens `path` for reading and detects what it is, within `family` if given. Throws a DdiaError
 * when it cannot be read or is nothing known.
 */
export async function openPath(
  command: Command,
  path: string,
  family?: string,
  dialect?: string,
): Promise<Identified> {
  const set = openFileSet(path);
  const of = (only: string | undefined): Promise<Identified> =>
    askDialects(
      command,
      set,
      dialect,
      (families) => {
        const among = only === undefined ? families : families.filter(({ id }) => id === only);
        return identify(among, set, dialect);
      },
      ({ detection }) => detection.confidence === 'certain',
      only,
    );
  try {
    const found = await of(family);
    if (family === undefined && dialect === undefined) tellOfDatabase(found);
    return await steady(found);
  } catch (error) {
    const unknown = error instanceof DdiaError && NOTHING_OF_IT.has(error.code);
    if (!unknown || family === undefined || dialect !== undefined || path === '-') throw error;
    const other = await of(undefined).catch(() => undefined);
    if (!other) throw error;
    const hint = `it looks like ${other.family.id} ${other.dialect.id}: ddia ${other.family.id} --help`;
    throw new DdiaError(error.code, error.message, hint, error.exit);
  }
}

/** Who asks whether a database is whole is not to be told so of its tables alone. */
function tellOfDatabase({ set, family: { id } }: Identified): void {
  const whole = set.isDirectory && set.files.some(({ name }) => name === 'CURRENT');
  if (!whole || (id !== 'sstable' && id !== 'wal')) return;
  const part = id === 'wal' ? 'logs' : 'tables';
  process.stderr.write(
    `note: ${set.path} is a whole database, of which these are the ${part}: see ddia lsm\n`,
  );
}

const NOTHING_OF_IT: ReadonlySet<string> = new Set(['unknown-format', 'no-segments']);

/**
 * Puts a question about `set` to the dialects; once more with those of all plugins when nobody was
 * certain. See plugins.ts for the rule. `family`: no other is asked.
 */
export async function askDialects<T>(
  command: Command,
  set: FileSet,
  dialect: string | undefined,
  ask: (families: readonly Family[]) => Promise<T>,
  isCertain: (answer: T) => boolean,
  family?: string,
): Promise<T> {
  const only = family === undefined ? undefined : [family];
  const families = await knownFamilies(command.config, dialect, set, only);
  let answer: T | undefined;
  let failure: unknown;
  try {
    answer = await ask(families);
    if (dialect !== undefined || isCertain(answer)) return answer;
  } catch (error) {
    if (dialect !== undefined || !(error instanceof DdiaError)) throw error;
    failure = error;
  }
  const more = await moreFamilies(command.config, families, (message) => {
    process.stderr.write(`warning: ${message}\n`);
  });
  if (more) return ask(more);
  if (failure !== undefined) throw failure;
  return answer as T;
}
