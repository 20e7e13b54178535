/**
 * JSON whose integers keep every digit: those beyond 2^53 - 1 become BigInts, where JSON.parse
 * would round. Text without a long row of digits goes to JSON.parse, which is several times as
 * fast.
 */

const LONG_DIGITS = /\d{16}/;
/** Deeper than this nothing sensible is nested; it keeps the recursion off the end of the stack. */
const DEPTH_MAX = 1000;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;
const WORD = /true|false|null/y;

/** Throws a SyntaxError as JSON.parse does. */
export function parseJsonBig(text: string): unknown {
  return LONG_DIGITS.test(text) ? new Parser(text).document() : (JSON.parse(text) as unknown);
}

class Parser {
  #at = 0;

  constructor(readonly text: string) {}

  document(): unknown {
    const value = this.#value(0);
    if (this.#at < this.text.length) this.#fail();
    return value;
  }

  #fail(): never {
    const what = this.text[this.#at];
    throw new SyntaxError(
      what === undefined
        ? 'Unexpected end of JSON input'
        : `Unexpected token ${JSON.stringify(what)} in JSON at position ${this.#at}`,
    );
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match) this.#at += match[0].length;
    return match;
  }

  #space(): void {
    this.#take(SPACE);
  }

  #value(depth: number): unknown {
    if (depth > DEPTH_MAX) throw new SyntaxError(`JSON nested deeper than ${DEPTH_MAX}`);
    this.#space();
    const value = this.#bare(depth);
    this.#space();
    return value;
  }

  #bare(depth: number): unknown {
    const first = this.text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    const word = this.#take(WORD);
    if (word) return word[0] === 'null' ? null : word[0] === 'true';
    const number = this.#take(NUMBER);
    if (!number) return this.#fail();
    const [digits, fraction, exponent] = number;
    const value = Number(digits);
    const whole = fraction === undefined && exponent === undefined;
    return whole && !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }

  #string(): string {
    const match = this.#take(STRING);
    if (!match) return this.#fail();
    return JSON.parse(match[0]) as string;
  }

  #object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#close('}')) return object;
    for (;;) {
      this.#space();
      if (this.text[this.#at] !== '"') this.#fail();
      const key = this.#string();
      this.#space();
      if (this.text[this.#at] !== ':') this.#fail();
      this.#at++;
      const value = this.#value(depth + 1);
      // A plain assignment to __proto__ would set the prototype.
      Object.defineProperty(object, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      if (this.#close('}')) return object;
      this.#comma();
    }
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#close(']')) return array;
    for (;;) {
      array.push(this.#value(depth + 1));
      if (this.#close(']')) return array;
      this.#comma();
    }
  }

  #close(bracket: string): boolean {
    if (this.text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #comma(): void {
    if (this.text[this.#at] !== ',') this.#fail();
    this.#at++;
  }
}
