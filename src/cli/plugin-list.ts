/**
 * The list of linked plugins: the package.json in the data directory, read at every start.
 *
 *     { "private": true,
 *       "oclif": { "schema": 1, "plugins": [{ "type": "link", "name": …, "root": … }] } }
 */
import { dirname, join, resolve } from 'node:path';
import { makeDurableDirectory, replaceFile } from '../io/durable.ts';
import { RealDisk } from '../io/real-disk.ts';
import { readText } from '../io/small-file.ts';
import { DdiaError, fromSystemError } from '../shared/errors.ts';

export interface LinkedPlugin {
  type: string;
  name: string;
  root: string;
}

interface ListFile {
  oclif?: { schema?: number; plugins?: LinkedPlugin[] };
  [other: string]: unknown;
}

function listPath(dataDir: string): string {
  return join(dataDir, 'package.json');
}

function readList(dataDir: string): ListFile {
  const path = listPath(dataDir);
  const list = readJson(path);
  if (list === undefined) return { private: true };
  const plugins = (list as ListFile).oclif?.plugins;
  if (plugins !== undefined && !Array.isArray(plugins)) throw notAList(path, 'oclif.plugins');
  return list as ListFile;
}

function writeList(dataDir: string, list: ListFile, plugins: LinkedPlugin[]): void {
  const path = listPath(dataDir);
  const document = { ...list, oclif: { schema: 1, ...list.oclif, plugins } };
  const disk = new RealDisk();
  try {
    makeDurableDirectory(disk, dirname(path));
    replaceFile(disk, path, Buffer.from(`${JSON.stringify(document, null, 2)}\n`));
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

export function linkedPlugins(dataDir: string): LinkedPlugin[] {
  return readList(dataDir).oclif?.plugins ?? [];
}

/** What the package in `directory` says of itself. Throws when it is no oclif plugin. */
export function readPluginPackage(directory: string): {
  name: string;
  root: string;
  pjson: Record<string, unknown>;
} {
  const root = resolve(directory);
  const path = join(root, 'package.json');
  const pjson = readJson(path) as Record<string, unknown> | undefined;
  if (!pjson) throw new DdiaError('not-found', `no such file or directory: ${path}`);
  const { name, oclif } = pjson;
  if (typeof name !== 'string' || name === '') throw notAList(path, 'name');
  if (typeof oclif !== 'object' || oclif === null) {
    throw new DdiaError(
      'not-a-plugin',
      `${path} has no "oclif" field: the package is no plugin`,
      'for a plugin that adds formats alone, "oclif": {} is enough',
    );
  }
  return { name, root, pjson };
}

/** Adds a plugin, or moves one of the same name. */
export function linkPlugin(dataDir: string, plugin: LinkedPlugin): void {
  const list = readList(dataDir);
  const others = (list.oclif?.plugins ?? []).filter(({ name }) => name !== plugin.name);
  writeList(dataDir, list, [...others, plugin]);
}

/** Returns what was taken out of the list. */
export function unlinkPlugin(dataDir: string, name: string): LinkedPlugin {
  const list = readList(dataDir);
  const plugins = list.oclif?.plugins ?? [];
  const found = plugins.find((plugin) => plugin.name === name);
  if (!found) {
    const names = plugins.map((plugin) => plugin.name).join(', ');
    throw new DdiaError(
      'not-linked',
      `no plugin ${name} is linked`,
      names === '' ? 'there are none' : `linked: ${names}`,
    );
  }
  writeList(
    dataDir,
    list,
    plugins.filter((plugin) => plugin !== found),
  );
  return found;
}

/** An object; undefined if there is no file. */
function readJson(path: string): object | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DdiaError('bad-json', `${path}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null) throw notAList(path, 'the document');
  return value;
}

function notAList(path: string, what: string): DdiaError {
  return new DdiaError('bad-json', `${path}: ${what} is not what it should be`);
}
