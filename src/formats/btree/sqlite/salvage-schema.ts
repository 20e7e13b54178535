/**
 * Statements of the schema as a script can hold them: what sqlite3 would take for the beginning of
 * more (a quote that never closes, a trigger without its END) would swallow all that stands behind
 * it, and a line with a dot behind a whole statement would be a command of the shell.
 */
import { tokensOf } from './tokens.ts';

/** The statement with its end, or, where it cannot stand alone, a comment. */
export function statementText(sql: string): string {
  const statement = sql.trim().replace(/;+$/, '');
  if (standsAlone(statement)) return `${statement};\n`;
  // A zero byte would end the line for sqlite3.
  const lines = statement.replaceAll('\0', ' ').split(/\r\n|[\r\n]/);
  return `-- a statement that cannot be read:\n${lines.map((line) => `-- ${line}\n`).join('')}`;
}

/** All of it are tokens of SQL. */
export function isWhole(statement: string): boolean {
  return !statement.includes('\0') && tokensOf(statement).every(({ type }) => type !== 'bad');
}

function standsAlone(statement: string): boolean {
  if (!isWhole(statement)) return false;
  const tokens = tokensOf(statement);
  const words = tokens.map(({ type, text }) =>
    type === 'id' || type === 'punctuation' ? text.toUpperCase() : '',
  );
  if (words[0] !== 'CREATE') return false;
  // A comment at the end that takes the semicolon with it.
  if (/--[^\n]*$/.test(statement.slice(tokens.at(-1)!.at))) return false;
  const trigger = words[1] === 'TRIGGER' || /^TEMP/.test(words[1]!);
  if (!trigger) return !words.includes(';');
  const ends = words.findIndex((word, i) => word === 'END' && words[i - 1] === ';');
  return ends === words.length - 1;
}

/** A name in quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('\0', '').replaceAll('"', '""')}"`;
}
