/**
 * The dialects that plugins declare in their package.json, read without running any of their code:
 *
 *     "ddia": {
 *       "apiVersion": 1,
 *       "formats": [{ "id": "wal/lines", "module": "./index.js", "title": "…",
 *                     "names": ["^\\d+\\.lines$"], "writes": true, "page": "./FORMAT.md" }]
 *     }
 *
 * `names` are regular expressions of file names, `writes` says whether the dialect has an encoder,
 * `page` is what `ddia formats` prints of it; these three may be left out.
 */
import { isAbsolute, join } from 'node:path';
import type { Config } from '@oclif/core';
import type { FileSet } from '../formats/format.ts';
import { PLUGIN_API_VERSION } from '../formats/plugin-version.ts';
import { builtInDialects, familyIds } from '../formats/registry.ts';
import { DdiaError } from '../shared/errors.ts';

export interface PluginFormat {
  plugin: string;
  /** The plugin package's directory. */
  root: string;
  family: string;
  dialect: string;
  title: string;
  /** The expressions as declared, and ready for use. */
  names: readonly string[];
  patterns: readonly RegExp[];
  writes: boolean | undefined;
  /** Absolute paths. */
  module: string;
  page: string | undefined;
  /** Why it cannot be used; its module is then never loaded. */
  refused: string | undefined;
}

/** What there is to know of a plugin: a part of oclif's Plugin. */
export interface PluginPackage {
  readonly name: string;
  readonly root: string;
  readonly pjson: unknown;
}

const known = new WeakMap<Config, readonly PluginFormat[]>();

/** Of all plugins of this run. Throws when two declare the same id. */
export function declaredFormats(config: Config): readonly PluginFormat[] {
  let formats = known.get(config);
  if (!formats) {
    formats = collectFormats(config.getPluginsList());
    known.set(config, formats);
  }
  return formats;
}

/** `unique`: throws when an id is declared twice, or is that of a built-in dialect. */
export function collectFormats(plugins: readonly PluginPackage[], unique = true): PluginFormat[] {
  const owners = new Map<string, string>();
  for (const [family, ids] of Object.entries(builtInDialects)) {
    for (const id of ids) owners.set(`${family}/${id}`, 'ddia itself');
  }
  const formats: PluginFormat[] = [];
  for (const plugin of plugins) {
    for (const format of formatsOf(plugin)) {
      const id = `${format.family}/${format.dialect}`;
      const owner = owners.get(id);
      const self = `plugin ${plugin.name} (${plugin.root})`;
      if (owner !== undefined && unique) {
        throw new DdiaError(
          'duplicate-dialect',
          `dialect ${id} is declared twice: by ${owner} and by ${self}`,
          `ddia plugins unlink ${plugin.name} takes the plugin away`,
        );
      }
      owners.set(id, self);
      formats.push(format);
    }
  }
  return formats;
}

function formatsOf(plugin: PluginPackage): PluginFormat[] {
  const declared = object(object(plugin.pjson)?.['ddia']);
  if (!declared) return [];
  const list = declared['formats'];
  if (!Array.isArray(list)) return [];
  const version = declared['apiVersion'];
  const refused =
    version === PLUGIN_API_VERSION
      ? undefined
      : `it is written for plugin apiVersion ${JSON.stringify(version)}, ` +
        `this is ${PLUGIN_API_VERSION}`;
  return list.map((entry, index) => formatOf(plugin, object(entry) ?? {}, index, refused));
}

function formatOf(
  plugin: PluginPackage,
  entry: Record<string, unknown>,
  index: number,
  refusedAll: string | undefined,
): PluginFormat {
  const { root } = plugin;
  const [family = '', dialect = ''] = String(entry['id'] ?? '').split('/');
  const names = Array.isArray(entry['names']) ? entry['names'].map(String) : [];
  const { patterns, fault } = compile(names);
  const module = entry['module'];
  const page = entry['page'];
  let refused = refusedAll ?? fault;
  if (typeof module !== 'string') refused ??= `formats[${index}] names no module`;
  if (!familyIds.includes(family) || dialect === '') {
    const families = familyIds.join(', ');
    const id = JSON.stringify(entry['id']);
    refused ??= `id ${id} is no FAMILY/NAME of a family known (${families})`;
  }
  return {
    plugin: plugin.name,
    root,
    family: family === '' ? '?' : family,
    dialect: dialect === '' ? `?${index}` : dialect,
    title: typeof entry['title'] === 'string' ? entry['title'] : '',
    names,
    patterns,
    writes: typeof entry['writes'] === 'boolean' ? entry['writes'] : undefined,
    module: within(root, typeof module === 'string' ? module : ''),
    page: typeof page === 'string' ? within(root, page) : undefined,
    refused,
  };
}

function within(root: string, path: string): string {
  return isAbsolute(path) ? path : join(root, path);
}

function compile(names: readonly string[]): { patterns: RegExp[]; fault: string | undefined } {
  const patterns: RegExp[] = [];
  for (const name of names) {
    try {
      patterns.push(new RegExp(name));
    } catch (error) {
      return { patterns: [], fault: `names: ${(error as Error).message}` };
    }
  }
  return { patterns, fault: undefined };
}

function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

/** True where `--dialect id` means this one: by its full id or by its name alone. */
export function isNamed(format: PluginFormat, id: string): boolean {
  return id === format.dialect || id === `${format.family}/${format.dialect}`;
}

/** True where a file of the set is named as the plugin says that its files are. */
export function claims(format: PluginFormat, set: FileSet): boolean {
  return set.files.some(({ name }) => format.patterns.some((pattern) => pattern.test(name)));
}
