/**
 * The pointer map of an auto-vacuum database: for each page what it is and which page leads to it.
 * The walks tell what it should say; it is compared at the end, in the order of the file.
 */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { PageCache } from '../page-cache.ts';
import { LOCK_BYTE_AT, PTR_BYTES } from './layout.ts';

const NAMES = ['none', 'root', 'free', 'first overflow', 'overflow', 'b-tree'];

export class PointerMap {
  readonly #types: Uint8Array;
  readonly #parents: Uint32Array;

  constructor(
    readonly pages: PageCache,
    readonly usable: number,
    readonly pageCount: number,
  ) {
    this.#types = new Uint8Array(pageCount + 1);
    this.#parents = new Uint32Array(pageCount + 1);
  }

  expect(page: number, type: number, parent: number): void {
    if (page > this.pageCount) return;
    this.#types[page] = type;
    this.#parents[page] = parent;
  }

  claimPages(check: Check): void {
    for (const page of mapPages(this.usable, this.pages.pageSize, this.pageCount)) {
      check.claim(page, KIND.pointers);
    }
  }

  *check(check: Check): Steps {
    const each = Math.floor(this.usable / PTR_BYTES);
    for (const map of mapPages(this.usable, this.pages.pageSize, this.pageCount)) {
      if (!this.pages.load(map)) continue;
      const { bytes, view, start } = this.pages;
      for (let i = 0; i < each && map + 1 + i <= this.pageCount; i++) {
        const page = map + 1 + i;
        const type = this.#types[page]!;
        if (type === 0) continue;
        const at = i * PTR_BYTES;
        const actual = bytes[start + at]!;
        const parent = view.getUint32(start + at + 1);
        if (actual === type && parent === this.#parents[page]) continue;
        check.finding('pointer-map', `the entry of page ${page} is wrong`, {
          page: map,
          at,
          length: PTR_BYTES,
          expected: `${NAMES[type]}, parent ${this.#parents[page]}`,
          actual: `${NAMES[actual] ?? actual}, parent ${parent}`,
        });
      }
      yield map;
    }
  }
}

/** Numbers of the pages of the map: page 2, and one in front of each stretch that a page covers. */
export function* mapPages(usable: number, pageSize: number, pageCount: number): Generator<number> {
  const each = Math.floor(usable / PTR_BYTES) + 1;
  const lock = lockPage(pageSize);
  for (let page = 2; page <= pageCount; page += each) yield page === lock ? page + 1 : page;
}

export function lockPage(pageSize: number): number {
  return LOCK_BYTE_AT / pageSize + 1;
}
