/**
 * Makes code from plans: one routine a record, tied together by name so that types may refer to
 * themselves. Only numbers, names of routines and JSON string literals come into the text, never
 * anything of a schema as it stands; all else is handed over as constants.
 */
import { minimumBytes, type RecordType } from '../schema/model.ts';

export class Coder {
  readonly #constants = new Map<unknown, string>();
  readonly #routines: { name: string; counts: boolean; statements: string; result: string }[] = [];
  readonly #names = new Map<string, Map<unknown, string>>();
  readonly #open = new Set<string>();
  #recursive = false;

  /** How the text refers to `value`. */
  constant(value: unknown): string {
    // To a Map both zeros are one.
    if (Object.is(value, -0)) return '(-0)';
    const known = this.#constants.get(value) ?? `k${this.#constants.size}`;
    this.#constants.set(value, known);
    return known;
  }

  /**
   * The name of the routine for `key`, whose statements `body` makes when it is asked for the first
   * time. `result` is an expression for what it returns, after its statements. Where one leads to
   * itself, those that `count` tell how deep they are.
   */
  routine(
    key: unknown,
    purpose: string,
    body: () => string,
    result?: () => string,
    counts = false,
  ): string {
    const names = this.#names.get(purpose) ?? new Map<unknown, string>();
    this.#names.set(purpose, names);
    const known = names.get(key);
    if (known !== undefined) {
      if (this.#open.has(known)) this.#recursive = true;
      return known;
    }
    const name = `${purpose}${names.size}`;
    names.set(key, name);
    this.#open.add(name);
    const statements = body();
    this.#routines.push({ name, counts, statements, result: result?.() ?? '' });
    this.#open.delete(name);
    return name;
  }

  /** The function that `expression`, made with this coder, stands for. */
  build<T>(expression: string): T {
    const routines = this.#routines.map(({ name, counts, statements, result }) => {
      const [enter, leave] = counts && this.#recursive ? ['c.enter();', 'c.depth--;'] : ['', ''];
      const value = result === '' ? leave : `const r=${result};${leave}return r;`;
      return `function ${name}(c,o){${enter}${statements}${value}}`;
    });
    // Handed over in one array: of arguments there can be too many for the stack.
    const names = [...this.#constants.values()].map((name, i) => `const ${name}=k[${i}];`);
    const text = `'use strict';${names.join('')}${routines.join('\n')}\nreturn ${expression};`;
    return new Function('k', text)([...this.#constants.keys()]) as T;
  }
}

/**
 * What a routine for a record begins with. A schema can lead to more records than can be read in a
 * lifetime: they end with the bytes, or where they take none, with what is left of a budget.
 */
export function recordGuard(type: RecordType): string {
  const spent = minimumBytes(type) === 0 ? '||--c.emptyItems<0' : '';
  return `if(c.at>c.end${spent})c.fail();`;
}
