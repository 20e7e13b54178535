/** Constants in SQL: defaults of columns. */
import type { SqlValue } from '../model.ts';
import type { Token } from './tokens.ts';

/** A constant; undefined for an expression. */
export function literal(tokens: Token[]): SqlValue | undefined {
  const [first, second] = tokens;
  if (first === undefined) return undefined;
  if (tokens.length === 2 && second!.type === 'number') {
    const value = number(second!.text);
    return first.text === '-' ? -value : first.text === '+' ? value : undefined;
  }
  if (tokens.length > 1) return undefined;
  const upper = first.text.toUpperCase();
  if (first.type === 'number') return number(first.text);
  if (first.type === 'string') return first.text;
  if (first.type === 'blob') return new Uint8Array(Buffer.from(first.text, 'hex'));
  if (first.type === 'quoted') return first.text;
  if (upper === 'NULL') return null;
  if (upper === 'TRUE') return 1;
  if (upper === 'FALSE') return 0;
  return upper.startsWith('CURRENT_') ? undefined : first.text;
}

function number(text: string): number | bigint {
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^\d+$/.test(text)
    ? BigInt(text)
    : value;
}
