/** What formats prints: the table of dialects, or one dialect's page. */
import { colors } from './color.ts';
import { table } from './table.ts';

export interface FormatRow {
  family: string;
  dialect: string;
  title: string;
  /** File names, or expressions for them. */
  names: readonly string[];
  /** Null where nothing is said. */
  write: boolean | null;
  repair: boolean;
  /** `built-in`, or the plugin's name. */
  origin: string;
  /** Why a plugin's dialect cannot be used. */
  refused?: string;
}

export interface FormatPage extends FormatRow {
  source: string;
  unchecked: readonly string[];
  /** Markdown; null where the dialect has no page. */
  page: string | null;
}

export async function formatTable(rows: readonly FormatRow[], color: boolean): Promise<string> {
  const chalk = await colors(color);
  const cells = rows.map((row) => [
    row.family,
    row.dialect,
    row.refused === undefined ? row.title : `refused: ${row.refused}`,
    row.names.join(' '),
    yesNo(row.write),
    yesNo(row.repair),
    row.origin,
  ]);
  const head = ['FAMILY', 'DIALECT', 'TITLE', 'FILE NAMES', 'WRITE', 'REPAIR', 'ORIGIN'];
  return table(head, cells, chalk);
}

function yesNo(value: boolean | null): string {
  if (value === null) return '?';
  return value ? 'yes' : 'no';
}

/** The page; without one, what the dialect says of itself. */
export function formatPageText(format: FormatPage): string {
  const { family, dialect, title, source, unchecked, page, origin } = format;
  if (page !== null) return page;
  const lines = [`${family}/${dialect}: ${title}`, `source: ${source}`, `origin: ${origin}`];
  if (unchecked.length > 0) {
    lines.push('this layout cannot vouch for:', ...unchecked.map((what) => `  - ${what}`));
  }
  return `${lines.join('\n')}\n`;
}
