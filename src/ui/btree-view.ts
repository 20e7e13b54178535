/** Pages, maps and drawn trees for people. */
import type { PageView } from '../formats/btree/model.ts';
import type { DrawnNode, PageMap } from '../formats/btree/show.ts';
import type { Styles } from './color.ts';
import { printable } from './text-sink.ts';

const MAP_COLUMNS = 64;
const VALUE_COLUMNS = 60;
const MEANING: Readonly<Record<string, string>> = {
  M: 'metadata',
  I: 'interior',
  L: 'leaf',
  o: 'overflow',
  '.': 'free',
  T: 'list of free pages',
  P: 'pointer map',
  K: 'lock byte',
  '?': 'nobody’s',
  '!': 'damaged',
};

export function mapText(map: PageMap, chalk: Styles): string {
  const { file, pageSize, firstPage, marks } = map;
  const lines = [`${printable(file)}: ${marks.length} pages of ${pageSize} bytes`];
  const width = String(firstPage + marks.length).length;
  for (let at = 0; at < marks.length; at += MAP_COLUMNS) {
    const row = marks.slice(at, at + MAP_COLUMNS).replaceAll('!', chalk.red('!'));
    lines.push(`  ${String(firstPage + at).padStart(width)}  ${row}`.trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

/** Of the marks that occur. */
export function legend(marks: string): string {
  const known = Object.entries(MEANING).filter(([mark]) => marks.includes(mark));
  return `${known.map(([mark, meaning]) => `${mark} ${meaning}`).join(', ')}\n`;
}

export function pageText(view: PageView, chalk: Styles): string {
  const { page, kind, offset, fields, cells, damage } = view;
  const wrong = damage === undefined ? '' : `  ${chalk.red(`[${damage}]`)}`;
  const lines = [`${chalk.bold(`page ${page}`)} @ ${offset}  ${kind}${wrong}`];
  const named = Object.entries(fields).map(([name, value]) => `${name} ${shown(value)}`);
  if (named.length > 0) lines.push(`  ${named.join(', ')}`);
  for (const { slot, offset: at, ...rest } of cells) {
    const parts = Object.entries(rest).map(([name, value]) => `${name} ${shown(value)}`);
    lines.push(`  ${String(slot).padStart(4)} @ ${String(at).padEnd(5)} ${parts.join('  ')}`);
  }
  return `${lines.join('\n')}\n`;
}

export function nodeText(node: DrawnNode, named: boolean): string {
  const { depth, page, kind, keys, first, last, damage, again, tree, index, of } = node;
  const head = depth === 0 && named ? `${printable(tree)}: ` : '';
  const branch = depth === 0 ? '' : `${'│  '.repeat(depth - 1)}${index === of - 1 ? '└─ ' : '├─ '}`;
  const range = first === undefined ? '' : `  ${shown(first)} … ${shown(last)}`;
  const wrong = damage === undefined ? '' : `  [${damage}]`;
  const seen = again ? '  [again]' : '';
  const count = `${keys} ${keys === 1 ? 'key' : 'keys'}`;
  return `${head}${branch}${kind} ${page}  ${count}${range}${wrong}${seen}\n`;
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'none');
  const safe = text.replace(/[\x7f-\x9f]/g, '?');
  return safe.length > VALUE_COLUMNS ? `${safe.slice(0, VALUE_COLUMNS)}…` : safe;
}
