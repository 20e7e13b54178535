/** What a CREATE INDEX says, and the columns of a constraint that has an index. */
import type { Collation } from './compare.ts';
import { SqlError, type Token, type TokenReader } from './tokens.ts';

export interface IndexColumn {
  /** Undefined: an expression. */
  name: string | undefined;
  /** Its name is in quotes: if there is no such column, it is a text. */
  quoted: boolean;
  /** As the column has it, if undefined here; `custom` for one that the application defines. */
  collation: Collation | 'custom' | undefined;
  descending: boolean;
}

export interface CreatedIndex {
  kind: 'index';
  name: string;
  table: string;
  unique: boolean;
  partial: boolean;
  columns: IndexColumn[];
}

export function createdIndex(reader: TokenReader, unique: boolean): CreatedIndex {
  const name = named(reader);
  reader.expect('ON');
  const table = reader.name();
  const columns = indexColumns(reader.parentheses());
  const partial = reader.take('WHERE');
  if (!partial && !reader.done) reader.expect(';');
  return { kind: 'index', name, table, unique, partial, columns };
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
  let words = [...tokens];
  const last = () => words.at(-1)?.text.toUpperCase();
  let descending = false;
  if (words.length > 1 && (last() === 'ASC' || last() === 'DESC')) {
    descending = words.pop()!.text.toUpperCase() === 'DESC';
  }
  // A column stays one in parentheses, and with several collations: the outermost counts. Those
  // that are further inside an expression do not.
  let collation: IndexColumn['collation'];
  for (;;) {
    if (words.length > 2 && isWord(words.at(-2)!, 'COLLATE')) {
      const own = isPrimary(words.slice(0, -2)) ? collationOf(last()!) : undefined;
      collation ??= own ?? 'custom';
      words = words.slice(0, -2);
    } else if (isWrapped(words)) words = words.slice(1, -1);
    else break;
  }
  const name = isName(words) ? words[0]!.text : undefined;
  return { name, quoted: words[0]!.type !== 'id', collation, descending };
}

function isWord({ type, text }: Token, word: string): boolean {
  return type === 'id' && text.toUpperCase() === word;
}

/** Constants that look like names. */
const CONSTANTS = /^(?:NULL|TRUE|FALSE|CURRENT_(?:DATE|TIME|TIMESTAMP))$/i;

function isName(words: readonly Token[]): boolean {
  const [only] = words;
  if (words.length !== 1 || only!.type === 'number' || only!.type === 'blob') return false;
  return only!.type !== 'id' || !CONSTANTS.test(only!.text);
}

/** What COLLATE is behind is all that it is for: it binds more than any operator. */
function isPrimary(words: readonly Token[]): boolean {
  if (words.length === 1 || isWrapped(words)) return true;
  if (words.length > 2 && isWord(words.at(-2)!, 'COLLATE')) return isPrimary(words.slice(0, -2));
  return words[0]!.type === 'id' && isWrapped(words.slice(1));
}

/** All of it is in one pair of parentheses. */
function isWrapped(words: readonly Token[]): boolean {
  let depth = 0;
  return words.every(({ type, text }, i) => {
    if (type === 'punctuation' && text === '(') depth++;
    if (type === 'punctuation' && text === ')') depth--;
    return depth > 0 || (i > 0 && i === words.length - 1);
  });
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
