/**
 * Families and dialects: the built-in ones, and those of plugins.
 *
 * A plugin's module is loaded only
 *   1. when its dialect is named by --dialect,
 *   2. when a file of the PATH is named as the plugin declares, or
 *   3. when no dialect known so far is certain about the PATH: then all are loaded, and asked.
 * So plugins cost nothing as long as one works on files that are recognised without them.
 */
import { pathToFileURL } from 'node:url';
import type { Config } from '@oclif/core';
import type { Detection, Dialect, Family, FileSet, Probe } from '../formats/format.ts';
import type { PluginModule } from '../formats/plugin-api.ts';
import { familyIds, loadFamilies } from '../formats/registry.ts';
import { DdiaError } from '../shared/errors.ts';
import { claims, declaredFormats, isNamed, type PluginFormat } from './plugin-formats.ts';

/**
 * The built-in families, with the plugins' dialects that rules 1 and 2 call for. A plugin that is
 * called for and cannot be loaded is an error. `only`: the families that are asked for.
 */
export async function knownFamilies(
  config: Config,
  dialect?: string,
  set?: FileSet,
  only: readonly string[] = familyIds,
): Promise<readonly Family[]> {
  const formats = declaredFormats(config).filter((format) =>
    dialect !== undefined ? isNamed(format, dialect) : set !== undefined && claims(format, set),
  );
  const dialects = await Promise.all(formats.map(loadDialect));
  return withDialects(await loadFamilies(only), dialects);
}

/**
 * Rule 3: with the dialects of all plugins; undefined if that adds none to `families`. What cannot
 * be loaded is told to `warn` and left out: it may have nothing to do with the file.
 */
export async function moreFamilies(
  config: Config,
  families: readonly Family[],
  warn: (message: string) => void,
): Promise<readonly Family[] | undefined> {
  const formats = declaredFormats(config);
  const dialects: Dialect[] = [];
  for (const format of formats) {
    try {
      dialects.push(await loadDialect(format));
    } catch (error) {
      warn((error as Error).message);
    }
  }
  const count = (list: readonly Family[]) => list.reduce((sum, f) => sum + f.dialects.length, 0);
  const own = await loadFamilies(families.map(({ id }) => id));
  const more = withDialects(own, dialects);
  return count(more) > count(families) ? more : undefined;
}

function withDialects(
  families: readonly Family[],
  dialects: readonly Dialect[],
): readonly Family[] {
  if (dialects.length === 0) return families;
  return families.map((family) => {
    const added = dialects.filter((dialect) => dialect.family === family.id);
    if (added.length === 0) return family;
    return Object.create(family, {
      dialects: { value: [...family.dialects, ...added], enumerable: true },
    }) as Family;
  });
}

const loaded = new Map<PluginFormat, Promise<Dialect>>();

/** Runs a plugin's module, once. Throws a DdiaError that names the plugin. */
export function loadDialect(format: PluginFormat): Promise<Dialect> {
  let dialect = loaded.get(format);
  if (!dialect) {
    dialect = load(format);
    loaded.set(format, dialect);
  }
  return dialect;
}

async function load(format: PluginFormat): Promise<Dialect> {
  const { family, dialect: id, module, refused } = format;
  if (refused !== undefined) throw pluginError(format, 'plugin-refused', `refused: ${refused}`);
  const { dialectFault, pluginApi } = await import('../formats/plugin-api.ts');
  let dialect: unknown;
  try {
    const { default: make } = (await import(pathToFileURL(module).href)) as { default?: unknown };
    if (typeof make !== 'function') throw new Error('its default export is no function');
    dialect = await (make as PluginModule)(pluginApi);
  } catch (error) {
    throw pluginError(format, 'plugin-failed', `${module} failed: ${messageOf(error)}`);
  }
  const fault = dialectFault(dialect, family, id);
  if (fault !== undefined) throw pluginError(format, 'plugin-failed', `${module}: ${fault}`);
  return guarded(dialect as Dialect, format);
}

/** A look at a file must not end in an error that nobody can place. */
function guarded(dialect: Dialect, format: PluginFormat): Dialect {
  const detect = (probe: Probe): Detection => {
    try {
      return dialect.detect(probe);
    } catch (error) {
      throw pluginError(format, 'plugin-failed', `detect failed: ${messageOf(error)}`);
    }
  };
  return Object.create(dialect, { detect: { value: detect, enumerable: true } }) as Dialect;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function pluginError(format: PluginFormat, code: string, what: string): DdiaError {
  const { plugin, family, dialect } = format;
  return new DdiaError(
    code,
    `plugin ${plugin}, dialect ${family}/${dialect}: ${what}`,
    `ddia plugins unlink ${plugin} takes the plugin away`,
  );
}
