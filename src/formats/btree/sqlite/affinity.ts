/**
 * Affinities of columns, as https://www.sqlite.org/datatype3.html has them. A row that was written
 * before its column was added has the default, changed as a value that is stored would be.
 */
import type { SqlValue } from '../model.ts';
import { literal } from './literal.ts';
import type { Token } from './tokens.ts';

export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC';

export function affinityOf(type: string, strict: boolean): Affinity {
  const has = (...words: string[]) => words.some((word) => type.includes(word));
  if (has('INT')) return 'INTEGER';
  if (has('CHAR', 'CLOB', 'TEXT')) return 'TEXT';
  if (type === '' || has('BLOB') || (strict && type === 'ANY')) return 'BLOB';
  return has('REAL', 'FLOA', 'DOUB') ? 'REAL' : 'NUMERIC';
}

/** A text that is a number, with what SQLite takes for white space around it. */
export const NUMBER_TEXT = /^[ \t-\r]*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[ \t-\r]*$/i;
const DIGITS = /^[ \t-\r]*[+-]?\d+[ \t-\r]*$/;

/** The value of a default; undefined for an expression. */
export function defaultOf(tokens: Token[], affinity: Affinity): SqlValue | undefined {
  const value = literal(tokens);
  const last = tokens.at(-1);
  if (last?.type === 'number' && affinity === 'TEXT' && value !== undefined) {
    // A small integer becomes its digits; all else is the text of the statement: 1e3, not 1000.
    const whole = !/[.e]/i.test(last.text) || /^0x/i.test(last.text);
    if (whole && Math.abs(Number(value)) < 2 ** 31) return `${value}`;
    return `${tokens[0]!.text === '-' ? '-' : ''}${last.text}`;
  }
  if (typeof value === 'bigint' && affinity === 'REAL') return Number(value);
  if (typeof value !== 'string' || affinity === 'TEXT' || affinity === 'BLOB') return value;
  if (!NUMBER_TEXT.test(value)) return value;
  const number = Number(value);
  if (!DIGITS.test(value) || Number.isSafeInteger(number) || affinity === 'REAL') return number;
  const exact = BigInt(value.trim().replace(/^\+/, ''));
  return BigInt.asIntN(64, exact) === exact ? exact : number;
}
