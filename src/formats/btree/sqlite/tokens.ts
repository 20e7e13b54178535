/** The tokens of SQL, as https://www.sqlite.org/lang_keywords.html and tokenize.c have them. */

export interface Token {
  /** `id`: a name or a keyword; `quoted`: a name in quotes; `bad`: no token of SQL. */
  type: 'id' | 'quoted' | 'string' | 'number' | 'blob' | 'punctuation' | 'bad';
  /** Names without their quotes. */
  text: string;
  at: number;
}

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([xX]'(?:[0-9a-fA-F]{2})*')|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)|(\|\||<<|>>|<=|>=|<>|==|!=|->>|->|[-+*/%(),.;=<>&|~])|([?@:#$][\w$]*)|([\s\S])/gy;

/** More of a statement is not looked at. */
const TOKENS_MAX = 100_000;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(sql);
    if (!match || tokens.length >= TOKENS_MAX) return tokens;
    const [, blob, string, double, tick, bracket, number, id, punctuation, variable, bad] = match;
    const push = (type: Token['type'], text: string) => tokens.push({ type, text, at });
    if (blob !== undefined) push('blob', blob.slice(2, -1));
    else if (string !== undefined) push('string', string.replaceAll("''", "'"));
    else if (double !== undefined) push('quoted', double.replaceAll('""', '"'));
    else if (tick !== undefined) push('quoted', tick.replaceAll('``', '`'));
    else if (bracket !== undefined) push('quoted', bracket);
    else if (number !== undefined) push('number', number);
    else if (id !== undefined) push('id', id);
    else if (punctuation !== undefined) push('punctuation', punctuation);
    else if (variable !== undefined) push('bad', variable);
    else if (bad !== undefined) push('bad', bad);
  }
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
