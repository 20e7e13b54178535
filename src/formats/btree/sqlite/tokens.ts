/** The tokens of SQL, as https://www.sqlite.org/lang_keywords.html and tokenize.c have them. */

import { isHex } from '../../../shared/packed-text.ts';

export interface Token {
  /** `id`: a name or a keyword; `quoted`: a name in quotes; `bad`: no token of SQL. */
  type: 'id' | 'quoted' | 'string' | 'number' | 'blob' | 'punctuation' | 'bad';
  /** Names without their quotes. */
  text: string;
  at: number;
}

/**
 * Of what stands in quotes only where it begins: a pattern that repeats a group takes from V8's
 * stack with each round, and a default can be a text of many MiB.
 */
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([xX]?'|["`])|\[([^\]]*)\]|(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)|(\|\||<<|>>|<=|>=|<>|==|!=|->>|->|[-+*/%(),.;=<>&|~])|([?@:#$][\w$]*)|([\s\S])/gy;

/** More of a statement is not looked at. */
const TOKENS_MAX = 100_000;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(sql);
    if (!match || tokens.length >= TOKENS_MAX) return tokens;
    const [, opening, bracket, number, id, punctuation, variable, bad] = match;
    const push = (type: Token['type'], text: string) => tokens.push({ type, text, at });
    if (opening !== undefined) {
      const end = takeQuoted(sql, at, opening, tokens);
      if (end < 0) return tokens;
      TOKEN.lastIndex = end;
    } else if (bracket !== undefined) push('quoted', bracket);
    else if (number !== undefined) push('number', number);
    else if (id !== undefined) push('id', id);
    else if (punctuation !== undefined) push('punctuation', punctuation);
    else if (variable !== undefined) push('bad', variable);
    else if (bad !== undefined) push('bad', bad);
  }
}

/** Returns where it ends; below 0 if it does not: what is behind it is no SQL either. */
function takeQuoted(sql: string, at: number, opening: string, tokens: Token[]): number {
  const quote = opening.at(-1)!;
  const from = at + opening.length;
  const end = closingQuote(sql, from, quote);
  if (end < 0) {
    tokens.push({ type: 'bad', text: opening, at });
    return -1;
  }
  const text = sql.slice(from, end);
  if (opening.length > 1 && isHex(text)) {
    tokens.push({ type: 'blob', text, at });
    return end + 1;
  }
  if (opening.length > 1) {
    tokens.push({ type: 'id', text: opening[0]!, at });
    return at + 1;
  }
  const type = quote === "'" ? 'string' : 'quoted';
  tokens.push({ type, text: text.replaceAll(quote + quote, quote), at });
  return end + 1;
}

/** Two of them are one within. */
function closingQuote(sql: string, from: number, quote: string): number {
  let at = sql.indexOf(quote, from);
  while (at >= 0 && sql[at + 1] === quote) at = sql.indexOf(quote, at + 2);
  return at;
}

/** Goes through tokens; throws SqlError where something else is due. */
export class TokenReader {
  #next = 0;

  constructor(readonly tokens: readonly Token[]) {}

  get done(): boolean {
    return this.#next >= this.tokens.length;
  }

  get peek(): Token | undefined {
    return this.tokens[this.#next];
  }

  /** A keyword, or punctuation; of any case. */
  is(...words: string[]): boolean {
    return words.every((word, i) => {
      const token = this.tokens[this.#next + i];
      if (token === undefined) return false;
      if (token.type !== 'id' && token.type !== 'punctuation') return false;
      return token.text.toUpperCase() === word;
    });
  }

  take(...words: string[]): boolean {
    if (!this.is(...words)) return false;
    this.#next += words.length;
    return true;
  }

  expect(...words: string[]): void {
    if (!this.take(...words)) throw this.#unexpected(words.join(' '));
  }

  name(): string {
    const token = this.peek;
    if (token?.type !== 'id' && token?.type !== 'quoted' && token?.type !== 'string') {
      throw this.#unexpected('a name');
    }
    this.#next++;
    return token.text;
  }

  any(): Token {
    const token = this.peek;
    if (token === undefined || token.type === 'bad') throw this.#unexpected('more');
    this.#next++;
    return token;
  }

  /** From an opening parenthesis to the one that closes it. Returns the tokens between. */
  parentheses(): Token[] {
    this.expect('(');
    const inside: Token[] = [];
    for (let depth = 1; ; ) {
      const token = this.any();
      if (token.type === 'punctuation' && token.text === '(') depth++;
      if (token.type === 'punctuation' && token.text === ')' && --depth === 0) return inside;
      inside.push(token);
    }
  }

  #unexpected(what: string): SqlError {
    const token = this.peek;
    const found = token === undefined ? 'the end' : JSON.stringify(token.text);
    return new SqlError(`expected ${what}, found ${found}`);
  }
}

export class SqlError extends Error {}
