/** formats: all dialects that are known, and the page of one. */
import type { Config } from '@oclif/core';
import type { Dialect, Family } from '../formats/format.ts';
import { familyIds, loadFamilies } from '../formats/registry.ts';
import { readText } from '../io/small-file.ts';
import { usageError } from '../shared/errors.ts';
import type { FormatPage, FormatRow } from '../ui/format-table.ts';
import { readFormatPage } from './format-page.ts';
import { declaredFormats, type PluginFormat } from './plugin-formats.ts';
import { loadDialect } from './plugins.ts';

/** What dialects may have beyond the interface that all of them share. */
interface Optional {
  /** File names, as people write them: `000001.wal`. */
  readonly fileNames?: readonly string[];
  readonly encoder?: { segmentName?(number: number): string };
  /** Of a store: the names of the data and hint file of a number. */
  dataName?(number: number): string;
  hintName?(number: number): string;
}

interface Known {
  row: FormatRow;
  /** The dialect itself, or what a plugin declares of it. */
  of: Dialect | PluginFormat;
}

async function everything(config: Config): Promise<Known[]> {
  const known: Known[] = [];
  for (const family of await loadFamilies()) {
    for (const dialect of family.dialects)
      known.push({ row: builtInRow(family, dialect), of: dialect });
    for (const format of declaredFormats(config)) {
      if (format.family === family.id) known.push({ row: pluginRow(family, format), of: format });
    }
  }
  // Those of no family that is known: refused, but not passed over in silence.
  for (const format of declaredFormats(config)) {
    if (!familyIds.includes(format.family)) {
      known.push({ row: pluginRow(undefined, format), of: format });
    }
  }
  return known;
}

function builtInRow(family: Family, dialect: Dialect): FormatRow {
  const named = dialect as Dialect & Optional;
  const { fileNames, encoder } = named;
  const examples = [encoder?.segmentName?.(1), named.dataName?.(1), named.hintName?.(1)];
  return {
    family: family.id,
    dialect: dialect.id,
    title: dialect.title,
    names: fileNames ?? examples.filter((name) => name !== undefined),
    write: encoder !== undefined,
    repair: family.planRepair !== undefined,
    origin: 'built-in',
  };
}

function pluginRow(family: Family | undefined, format: PluginFormat): FormatRow {
  return {
    family: format.family,
    dialect: format.dialect,
    title: format.title,
    names: format.names,
    // Its module is not loaded for a list, so this is what it says of itself.
    write: format.writes ?? null,
    repair: family?.planRepair !== undefined,
    origin: format.plugin,
    ...(format.refused !== undefined && { refused: format.refused }),
  };
}

/** All dialects, or those of one family. */
export async function formatRows(config: Config, family?: string): Promise<FormatRow[]> {
  const rows = (await everything(config)).map(({ row }) => row);
  return family === undefined ? rows : rows.filter((row) => row.family === family);
}

/** True for the name of a family alone. */
export function isFamily(name: string): boolean {
  return familyIds.includes(name);
}

/**
 * The page of `FAMILY/DIALECT`, or of `DIALECT` when there is only one. Throws a usage error
 * otherwise.
 */
export async function formatPage(config: Config, name: string): Promise<FormatPage> {
  const known = await everything(config);
  const found = known.filter(
    ({ row }) => row.dialect === name || `${row.family}/${row.dialect}` === name,
  );
  const ids = (list: Known[]) => list.map(({ row }) => `${row.family}/${row.dialect}`).join(', ');
  if (found.length === 0) {
    throw usageError('unknown-dialect', `unknown dialect: ${name}`, `known: ${ids(known)}`);
  }
  if (found.length > 1) {
    throw usageError('ambiguous-dialect', `${name} may be ${ids(found)}`, 'give it in full');
  }
  const { row, of } = found[0]!;
  const plugin = 'plugin' in of ? of : undefined;
  const page = plugin
    ? plugin.page && readText(plugin.page)
    : readFormatPage(config.root, row.family, row.dialect);
  const dialect = 'plugin' in of ? await loadDialect(of) : of;
  return {
    ...row,
    title: dialect.title,
    write: (dialect as Dialect & Optional).encoder !== undefined,
    source: dialect.source,
    unchecked: dialect.unchecked,
    page: page ?? null,
  };
}
