/** The payload of a cell whole, with what lies on overflow pages. */
import type { Check } from '../check.ts';
import { KIND } from '../model.ts';
import type { PageCache } from '../page-cache.ts';
import type { Cell } from './cell.ts';
import { PTR_OVERFLOW_FIRST, PTR_OVERFLOW_MORE } from './layout.ts';

export interface Owner {
  page: number;
  slot: number;
}

/** Where an overflow chain's pages are told to the pointer map. */
export type Pointers = { expect(page: number, type: number, parent: number): void } | undefined;

/** A buffer that grows as needed, and its view. */
export class GrowingBuffer {
  bytes = new Uint8Array(8192);
  view = new DataView(this.bytes.buffer);

  reserve(length: number): void {
    if (this.bytes.length >= length) return;
    this.bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
    this.view = new DataView(this.bytes.buffer);
  }
}

export class Payloads {
  constructor(
    readonly pages: PageCache,
    readonly usable: number,
    /** Number of the last page. */
    readonly last: number,
  ) {}

  /** Overflow pages of a cell. */
  count(cell: Cell): number {
    return Math.ceil((cell.payload - cell.local) / (this.usable - 4));
  }

  /**
   * Follows the chain of `cell` and claims its pages. Returns how many there were; less than it
   * should be if the chain is broken, which is told.
   */
  claim(cell: Cell, owner: Owner, check: Check, pointers: Pointers): number {
    const expected = this.count(cell);
    const said = { page: owner.page };
    let page = cell.overflow;
    let from = owner.page;
    let done = 0;
    while (page !== 0) {
      // What the chain leads to behind its end has an owner of its own, or none.
      if (done++ === expected) break;
      if (done === 1) pointers?.expect(page, PTR_OVERFLOW_FIRST, owner.page);
      else pointers?.expect(page, PTR_OVERFLOW_MORE, from);
      if (page < 1 || page > this.last) {
        const what = `the overflow chain of cell ${owner.slot} leads out of the file`;
        check.finding('child-range', what, {
          ...said,
          expected: `2 to ${this.last}`,
          actual: page,
        });
        return done - 1;
      }
      if (!check.claim(page, KIND.overflow)) {
        const what = `a second reference to the page, from the overflow chain of cell ${owner.slot}`;
        check.finding('page-shared', what, { page, parent: from });
        return done - 1;
      }
      if (!this.pages.load(page)) return done;
      from = page;
      page = this.pages.view.getUint32(this.pages.start);
    }
    if (done === expected) return done;
    const what = `the overflow chain of cell ${owner.slot} has not as many pages as its payload`;
    const actual = done > expected ? `more than ${expected}` : done;
    check.finding('overflow-broken', what, { ...said, expected, actual });
    return done;
  }

  /**
   * Puts the first `wanted` bytes of the payload into `into`: those in the page at
   * bytes[cell.at, cell.at + cell.local), then those of the chain. Returns how many there were.
   */
  gather(cell: Cell, bytes: Uint8Array, wanted: number, into: GrowingBuffer): number {
    into.reserve(wanted);
    let done = Math.min(cell.local, wanted);
    into.bytes.set(bytes.subarray(cell.at, cell.at + done), 0);
    let page = cell.overflow;
    while (done < wanted && page >= 1 && page <= this.last) {
      if (!this.pages.load(page)) break;
      const { bytes: from, view, start } = this.pages;
      const part = Math.min(this.usable - 4, wanted - done);
      into.bytes.set(from.subarray(start + 4, start + 4 + part), done);
      done += part;
      page = view.getUint32(start);
    }
    return done;
  }
}
