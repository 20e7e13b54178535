/** What stat says to people: names and numbers, and a table for each list of parts. */
import Table from 'cli-table3';
import { colors } from './color.ts';
import { printable } from './text-sink.ts';

const BARE = {
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
  style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
};

export async function statText(stat: Record<string, unknown>, color: boolean): Promise<string> {
  const chalk = await colors(color);
  const lines: string[] = [];
  for (const [name, value] of Object.entries(stat)) {
    if (Array.isArray(value)) {
      if (value.length > 0) lines.push(chalk.bold(name), table(value as Record<string, unknown>[]));
    } else lines.push(`${name.padEnd(13)} ${shown(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(([name, part]) => `${name} ${shown(part)}`);
    return parts.length > 0 ? parts.join(', ') : 'none';
  }
  return printable(String(value));
}

function table(rows: Record<string, unknown>[]): string {
  const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = head.map((name) => rows.every((row) => typeof (row[name] ?? 0) === 'number'));
  const colAligns = numeric.map((is) => (is ? ('right' as const) : ('left' as const)));
  const out = new Table({ ...BARE, head, colAligns });
  for (const row of rows) out.push(head.map((name) => shown(row[name] ?? '')));
  return out
    .toString()
    .split('\n')
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}
