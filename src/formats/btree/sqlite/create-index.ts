/** What a CREATE INDEX says, and the columns of a constraint that has an index. */
import type { Collation } from './compare.ts';
import { SqlError, type Token, type TokenReader } from './tokens.ts';

export interface IndexColumn {
  /** Undefined: an expression. */
  name: string | undefined;
  /** As the column has it, if undefined here; `custom` for one that the application defines. */
  collation: Collation | 'custom' | undefined;
  descending: boolean;
}

export interface CreatedIndex {
  kind: 'index';
  table: string;
  unique: boolean;
  partial: boolean;
  columns: IndexColumn[];
}

export function createdIndex(reader: TokenReader, unique: boolean): CreatedIndex {
  named(reader);
  reader.expect('ON');
  const table = reader.name();
  const columns = indexColumns(reader.parentheses());
  const partial = reader.take('WHERE');
  if (!partial && !reader.done) reader.expect(';');
  return { kind: 'index', table, unique, partial, columns };
}

/** `a, b COLLATE nocase DESC, lower(c)` */
export function indexColumns(tokens: Token[]): IndexColumn[] {
  const columns: IndexColumn[] = [];
  let one: Token[] = [];
  let depth = 0;
  const end = () => {
    if (one.length === 0) throw new SqlError('an index column is missing');
    columns.push(indexColumn(one));
    one = [];
  };
  for (const token of tokens) {
    if (token.type === 'punctuation') {
      if (token.text === '(') depth++;
      else if (token.text === ')') depth--;
      else if (token.text === ',' && depth === 0) {
        end();
        continue;
      }
    }
    one.push(token);
  }
  end();
  return columns;
}

function indexColumn(tokens: Token[]): IndexColumn {
  const words = [...tokens];
  const last = () => words.at(-1)?.text.toUpperCase();
  let descending = false;
  if (words.length > 1 && (last() === 'ASC' || last() === 'DESC')) {
    descending = words.pop()!.text.toUpperCase() === 'DESC';
  }
  let collation: IndexColumn['collation'];
  if (words.length > 2 && words.at(-2)!.text.toUpperCase() === 'COLLATE') {
    collation = collationOf(words.pop()!.text) ?? 'custom';
    words.pop();
  }
  const [only] = words;
  const plain = words.length === 1 && only!.type !== 'number' && only!.type !== 'blob';
  // One within an expression may be that of the whole.
  if (words.some(({ type, text }) => type === 'id' && text.toUpperCase() === 'COLLATE')) {
    collation = 'custom';
  }
  return { name: plain ? only!.text : undefined, collation, descending };
}

export function collationOf(name: string): Collation | undefined {
  const upper = name.toUpperCase();
  return upper === 'BINARY' || upper === 'NOCASE' || upper === 'RTRIM' ? upper : undefined;
}

/** The name behind CREATE TABLE or CREATE INDEX. */
export function named(reader: TokenReader): string {
  reader.take('IF', 'NOT', 'EXISTS');
  const name = reader.name();
  return reader.take('.') ? reader.name() : name;
}
