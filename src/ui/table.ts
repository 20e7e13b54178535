/** Tables for people: columns that line up, no frames. The library is loaded when one is drawn. */
import type { ChalkInstance } from 'chalk';
import { printable } from './text-sink.ts';

const NOTHING = {
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
};

/** Rows under a line of column heads. `numeric`: columns that line up on the right. */
export async function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  chalk: ChalkInstance,
  numeric: readonly boolean[] = [],
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const drawn = new Table({
    chars: NOTHING,
    colAligns: head.map((_, column) => (numeric[column] ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(head.map((text) => chalk.bold(text)));
  for (const row of rows) drawn.push(row.map(printable));
  const lines = drawn.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
