/** Sentences for people, up to a number of them; the rest is counted. */
export class ToldList {
  readonly #told: string[] = [];
  #more = 0;

  constructor(readonly most: number) {}

  add(what: string): void {
    if (this.#told.length < this.most) this.#told.push(what);
    else this.#more++;
  }

  /** All of them; `of` says what was not told. */
  told(of: string): string[] {
    return this.#more === 0 ? [...this.#told] : [...this.#told, `… and ${this.#more} more ${of}`];
  }
}
