/** From a PATH on the command line to files, family and dialect. */
import type { Command } from '@oclif/core';
import { type Identified, identify } from '../formats/detect.ts';
import { openFileSet } from '../io/file-set.ts';
import { knownFamilies } from './plugins.ts';

/**
 * Opens `path` for reading and detects what it is, within `family` if given. Throws a DdiaError when it
 * cannot be read or is nothing known.
 */
export async function openPath(
  command: Command,
  path: string,
  family?: string,
  dialect?: string,
): Promise<Identified> {
  const set = openFileSet(path);
  const families = await knownFamilies(command.config, dialect);
  const among = family === undefined ? families : families.filter(({ id }) => id === family);
  return identify(among, set, dialect);
}
