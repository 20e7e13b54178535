/**
 * Makes code from plans: one routine a record, tied together by name so that types may refer to
 * themselves. Only numbers, names of routines and JSON string literals come into the text, never
 * anything of a schema as it stands; all else is handed over as constants.
 */
import { minimumBytes, type RecordType } from '../schema/model.ts';

export class Coder {
  readonly #constants: unknown[] = [];
  readonly #routines: { name: string; counts: boolean; statements: string; result: string }[] = [];
  readonly #names = new Map<string, Map<unknown, string>>();
  readonly #open = new Set<string>();
  #recursive = false;

  /** How the text refers to `value`. */
  constant(value: unknown): string {
    const known = this.#constants.indexOf(value);
    return `k${known >= 0 ? known : this.#constants.push(value) - 1}`;
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
    const names = this.#constants.map((_, i) => `k${i}`);
    const routines = this.#routines.map(({ name, counts, statements, result }) => {
      const [enter, leave] = counts && this.#recursive ? ['c.enter();', 'c.depth--;'] : ['', ''];
      const value = result === '' ? leave : `const r=${result};${leave}return r;`;
      return `function ${name}(c,o){${enter}${statements}${value}}`;
    });
    const text = `'use strict';${routines.join('\n')}\nreturn ${expression};`;
    return new Function(...names, text)(...this.#constants) as T;
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
