/** What stat says to people: names and numbers, and a table for each list of parts. */
import { colors, type Styles } from './color.ts';
import { table } from './table.ts';
import { printable } from './text-sink.ts';

export async function statText(stat: Record<string, unknown>, color: boolean): Promise<string> {
  const chalk = await colors(color);
  const lines: string[] = [];
  for (const [name, value] of Object.entries(stat)) {
    if (!Array.isArray(value)) lines.push(`${name.padEnd(13)} ${shown(value)}`);
    else if (value.length > 0) {
      lines.push(chalk.bold(name), await parts(value as Record<string, unknown>[], chalk));
    }
  }
  return `${lines.join('\n')}\n`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const named = Object.entries(value).map(([name, part]) => `${name} ${shown(part)}`);
    return named.length > 0 ? named.join(', ') : 'none';
  }
  return printable(String(value));
}

async function parts(rows: Record<string, unknown>[], chalk: Styles): Promise<string> {
  const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = head.map((name) => rows.every((row) => typeof (row[name] ?? 0) === 'number'));
  const cells = rows.map((row) => head.map((name) => shown(row[name] ?? '')));
  const drawn = await table(head, cells, chalk, numeric);
  return drawn
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
