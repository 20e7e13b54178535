/**
 * What was read from data files, in pages of 4 KiB, up to a bound: a look into memory costs a tenth
 * of a call to the operating system. Records are only ever appended, so a page that is full never
 * changes; the one that a file ends with is not kept.
 *
 * Replacement is CLOCK (Corbató, "A Paging Experiment with the Multics System", 1968): a page that
 * was used since the hand came by last is passed over once.
 */
import type { DataFile } from './data-file.ts';

export const PAGE_BITS = 12;
export const PAGE_BYTES = 1 << PAGE_BITS;
/** Memory is taken in pieces of this size, as pages come. */
const SLAB_PAGES = 256;
/** Longer records are not kept. */
const PAGES_MAX = 4;

export class PageCache {
  readonly #slots: number;
  readonly #slabs: Buffer[] = [];
  readonly #views: DataView[] = [];
  /** Where `find` puts together what lies in several pages. */
  readonly #joined = Buffer.allocUnsafeSlow(PAGES_MAX * PAGE_BYTES);
  readonly #joinedView = new DataView(this.#joined.buffer);
  /** What `find` has found. */
  bytes: Buffer = this.#joined;
  view: DataView = this.#joinedView;
  at = 0;
  /** By slot: whose page it is, which, and whether it was used since the hand came by. */
  readonly #owners: (DataFile | undefined)[] = [];
  readonly #pages: number[] = [];
  readonly #used: boolean[] = [];
  #filled = 0;
  #hand = 0;

  constructor(bytes: number) {
    this.#slots = Math.floor(bytes / PAGE_BYTES);
  }

  /**
   * Finds file[position, position + length): afterwards they are bytes[at, at + length), until the
   * next call. False where they cannot be had from whole pages: the caller reads them.
   */
  find(file: DataFile, position: number, length: number): boolean {
    const first = position >>> PAGE_BITS;
    const last = (position + length - 1) >>> PAGE_BITS;
    // Long records would push out many short ones, and cost little more to read than to copy.
    const pages = last - first + 1;
    if (this.#slots === 0 || pages > PAGES_MAX || (last + 1) * PAGE_BYTES > file.size) return false;
    if (pages === 1) {
      const slot = this.#slotOf(file, first);
      if (slot < 0) return false;
      const slab = Math.floor(slot / SLAB_PAGES);
      this.bytes = this.#slabs[slab]!;
      this.view = this.#views[slab]!;
      this.at = (slot % SLAB_PAGES) * PAGE_BYTES + (position & (PAGE_BYTES - 1));
      return true;
    }
    for (let page = first; page <= last; page++) {
      const slot = this.#slotOf(file, page);
      if (slot < 0) return false;
      const from = (slot % SLAB_PAGES) * PAGE_BYTES;
      const slab = this.#slabs[Math.floor(slot / SLAB_PAGES)]!;
      slab.copy(this.#joined, (page - first) * PAGE_BYTES, from, from + PAGE_BYTES);
    }
    this.bytes = this.#joined;
    this.view = this.#joinedView;
    this.at = position & (PAGE_BYTES - 1);
    return true;
  }

  /** The slot that holds the page; -1: the file does not have it. */
  #slotOf(file: DataFile, page: number): number {
    let slot = page < file.pages.length ? file.pages[page]! : 0;
    if (slot === 0) slot = this.#load(file, page);
    if (slot !== 0) this.#used[slot - 1] = true;
    return slot - 1;
  }

  /** Returns slot + 1, or 0 where the file does not have the page. */
  #load(file: DataFile, page: number): number {
    const slot = this.#victim();
    const slab = this.#slabs[Math.floor(slot / SLAB_PAGES)]!;
    const at = (slot % SLAB_PAGES) * PAGE_BYTES;
    const got = file.readInto(slab, at, PAGE_BYTES, page * PAGE_BYTES);
    if (got < PAGE_BYTES) return 0;
    file.reservePages(page);
    file.pages[page] = slot + 1;
    this.#owners[slot] = file;
    this.#pages[slot] = page;
    return slot + 1;
  }

  /** A slot that holds nothing any more. */
  #victim(): number {
    if (this.#filled < this.#slots) {
      if (this.#filled % SLAB_PAGES === 0) {
        const pages = Math.min(SLAB_PAGES, this.#slots - this.#filled);
        const slab = Buffer.allocUnsafeSlow(pages * PAGE_BYTES);
        this.#slabs.push(slab);
        this.#views.push(new DataView(slab.buffer));
      }
      return this.#filled++;
    }
    for (;;) {
      const slot = this.#hand;
      this.#hand = slot + 1 === this.#slots ? 0 : slot + 1;
      if (this.#used[slot]) {
        this.#used[slot] = false;
        continue;
      }
      const owner = this.#owners[slot];
      if (owner) owner.pages[this.#pages[slot]!] = 0;
      this.#owners[slot] = undefined;
      return slot;
    }
  }
}
