/** Gaps in a row, kept until it is known what follows them. */
import type { Gap } from './gap.ts';

/** So many are kept apart; more are told as one. */
const GAPS_MAX = 1000;

export class Gaps {
  #list: Gap[] = [];

  get count(): number {
    return this.#list.length;
  }

  /** Joins what continues the last one, unless one of them is a fragment of its own. */
  add(gap: Gap): void {
    const last = this.#list.at(-1);
    const joins = last && last.end === gap.offset && !last.framed;
    if (joins && ((last.kind === gap.kind && !gap.framed) || this.#list.length >= GAPS_MAX)) {
      last.end = gap.end;
    } else this.#list.push(gap);
  }

  /** The bytes up to `end` go with the last gap. False: there is none that they could go with. */
  extend(end: number): boolean {
    const last = this.#list.at(-1);
    if (!last || last.framed) return false;
    last.end = end;
    return true;
  }

  take(): Gap[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }
}
