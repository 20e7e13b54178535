/**
 * The bytes of a b-tree page from the first cell on: each belongs to one cell or one free block, or
 * is one of the fragments that the header counts.
 */
import type { Cell } from './cell.ts';
import { CONTENT_AT, FRAGMENTS_AT, FREEBLOCK_AT } from './layout.ts';

export interface SpaceFault {
  code: 'free-space' | 'cell-overlap';
  what: string;
  at: number;
  expected?: unknown;
  actual?: unknown;
}

export class PageSpace {
  /** Bytes that begin at an offset of the page; 0: nothing begins there. */
  readonly #begins = new Uint16Array(65_536);
  #count = 0;
  #overlap = -1;
  /** Set where a cell leads out of its page: then the rest cannot be accounted for. */
  broken = false;

  begin(): void {
    this.#count = 0;
    this.#overlap = -1;
    this.broken = false;
  }

  add(at: number, size: number): void {
    if (this.#begins[at] !== 0) this.#overlap = at;
    else this.#count++;
    this.#begins[at] = size;
  }

  /** All cells of an interior page; its children have used the same accounts meanwhile. */
  addAll(
    bytes: Uint8Array,
    view: DataView,
    pointers: number,
    count: number,
    cell: Cell,
    type: number,
  ): void {
    this.begin();
    const { usable } = cell;
    for (let slot = 0; slot < count; slot++) {
      const at = view.getUint16(pointers + 2 * slot);
      if (at < 8 || at > usable - 4 || !cell.parse(bytes, at, usable, type)) this.broken = true;
      else this.add(at, cell.size);
    }
  }

  /** `header`: where the page's header is; `first`: the first byte behind the cell pointers. */
  check(
    view: DataView,
    start: number,
    header: number,
    first: number,
    usable: number,
  ): SpaceFault | undefined {
    const content = contentOf(view, start, header);
    const fault =
      this.#freeBlocks(view, start, header, content, usable) ??
      this.#content(content, first, usable);
    if (fault || this.broken) {
      this.#begins.fill(0);
      return fault;
    }
    return this.#coverage(view.getUint8(start + header + FRAGMENTS_AT), content, header, usable);
  }

  #content(content: number, first: number, usable: number): SpaceFault | undefined {
    if (content >= first && content <= usable) return undefined;
    const what = 'the cell content begins where it cannot';
    return {
      code: 'free-space',
      what,
      at: CONTENT_AT,
      expected: `${first} to ${usable}`,
      actual: content,
    };
  }

  #freeBlocks(
    view: DataView,
    start: number,
    header: number,
    content: number,
    usable: number,
  ): SpaceFault | undefined {
    const wrong = (what: string, at: number, expected: unknown, actual: unknown): SpaceFault => ({
      code: 'free-space',
      what,
      at,
      expected,
      actual,
    });
    let from = header + FREEBLOCK_AT;
    let at = view.getUint16(start + from);
    let least = content;
    while (at !== 0) {
      if (at < least || at > usable - 4) {
        const what = 'the chain of free blocks leads where none can be';
        return wrong(what, from, `${least} to ${usable - 4}`, at);
      }
      const next = view.getUint16(start + at);
      const size = view.getUint16(start + at + 2);
      if (size < 4 || at + size > usable) {
        return wrong('a free block has no possible size', at + 2, `4 to ${usable - at}`, size);
      }
      this.add(at, size);
      // Blocks that touch, or nearly, would have been one.
      least = at + size + 4;
      from = at;
      at = next;
    }
    return undefined;
  }

  /** Goes from one beginning to the next. */
  #coverage(
    stated: number,
    content: number,
    header: number,
    usable: number,
  ): SpaceFault | undefined {
    const begins = this.#begins;
    let fragments = 0;
    let met = 0;
    let at = content;
    while (at < usable) {
      const size = begins[at]!;
      if (size === 0) {
        fragments++;
        at++;
      } else {
        begins[at] = 0;
        met++;
        at += size;
      }
    }
    if (met !== this.#count || this.#overlap >= 0 || at > usable) {
      begins.fill(0);
      const what = 'bytes belong to two cells, or to a cell and a free block';
      return { code: 'cell-overlap', what, at: Math.max(0, this.#overlap) };
    }
    if (fragments === stated) return undefined;
    return {
      code: 'free-space',
      what: 'fragments that the header does not count',
      at: header + FRAGMENTS_AT,
      expected: fragments,
      actual: stated,
    };
  }
}

/** All but what lies between the cell pointers and the cells. */
export function usedBytes(
  view: DataView,
  start: number,
  header: number,
  first: number,
  usable: number,
): number {
  return usable - Math.max(0, contentOf(view, start, header) - first);
}

/** Where the cells begin. */
export function contentOf(view: DataView, start: number, header: number): number {
  const stated = view.getUint16(start + header + CONTENT_AT);
  return stated === 0 ? 65_536 : stated;
}
