/**
 * Pages that can be used again, and those that cannot yet. A page that transaction T freed is still
 * part of what T - 1 left; it is used again only when both meta pages are of T or later, and when
 * no reader looks at anything before T.
 *
 * On disk this is a chain of pages. Only its front is written anew with each transaction: what is
 * over goes into full pages behind it, which stay as they are until they are needed, so that a
 * commit costs the same however much is free.
 */
import {
  COUNT_AT,
  FREE_ENTRY_BYTES,
  FREELIST,
  getU64,
  HEADER_BYTES,
  KIND_AT,
  LINK_AT,
  LINK_CRC_AT,
  META_PAGES,
  setU64,
} from '../../formats/btree/v2/layout.ts';
import type { Frame } from './frame.ts';

interface Freed {
  page: number;
  txn: number;
}

/** A page of the chain that stays as it is. */
interface Sealed {
  page: number;
  crc: number;
  count: number;
  /** Until this is past, nothing of it may be used. */
  latest: number;
}

/** What the free list needs of the file. */
export interface ListPages {
  /** A page by its number, checked. */
  get(page: number, crc: number): Frame;
  corrupt(page: number, what: string): Error;
  /** A new page behind all others. */
  extend(): number;
  /** A zeroed page to be written under this number. */
  begin(page: number): Frame;
  /** Its checksum, now that it is complete. */
  seal(frame: Frame): number;
}

export class FreeSpace {
  readonly #pages: ListPages;
  readonly #perPage: number;
  /** May be used at once. */
  #ready: number[] = [];
  /** By ascending transaction. */
  #pending: Freed[] = [];
  /** The next to be used last. */
  #sealed: Sealed[] = [];
  /** Pages that the front of the chain is in. */
  #front: number[] = [];
  /** What transactions up to this one freed may be used. */
  #limit = 0;
  /** A bit for each page that is free or holds the list: none is given up twice. */
  #known = new Uint8Array(0);

  constructor(pages: ListPages, pageSize: number) {
    this.#pages = pages;
    this.#perPage = Math.floor((pageSize - HEADER_BYTES) / FREE_ENTRY_BYTES);
  }

  get size(): number {
    const sealed = this.#sealed.reduce((sum, { count }) => sum + count, 0);
    return this.#ready.length + this.#pending.length + sealed;
  }

  /** Pages that the list itself takes. */
  get listPages(): number {
    return this.#sealed.length + this.#front.length;
  }

  /** Reads the chain, in a file of so many pages. Returns all pages that are free. */
  load(head: number, crc: number, pages: number): number[] {
    const all: number[] = [];
    const chain: Sealed[] = [];
    for (let page = head, sum = crc; page !== 0; ) {
      const frame = this.#pages.get(page, sum);
      if (frame.bytes[KIND_AT] !== FREELIST) {
        throw this.#pages.corrupt(page, 'is none of the free list, which leads to it');
      }
      this.#mark(page);
      const freed = entriesOf(frame);
      const latest = freed.reduce((most, { txn }) => Math.max(most, txn), 0);
      for (const one of freed) {
        if (one.page < META_PAGES || one.page >= pages) {
          throw this.#pages.corrupt(page, `lists page ${one.page} as free, which is none`);
        }
        this.#mark(one.page);
        all.push(one.page);
      }
      chain.push({ page, crc: sum, count: freed.length, latest });
      page = frame.view.getUint32(LINK_AT, true);
      sum = frame.view.getUint32(LINK_CRC_AT, true);
    }
    this.#sealed = chain.reverse();
    // What is not full or has transactions in it is the front that is written anew.
    for (let last = this.#sealed.at(-1); last; last = this.#sealed.at(-1)) {
      if (last.latest === 0 && last.count === this.#perPage) break;
      this.#open();
    }
    this.#pending.sort((a, b) => a.txn - b.txn);
    return all;
  }

  /** The list has the page now, or is in it. Throws `corrupt` if that is known already. */
  #mark(page: number): void {
    const at = page >> 3;
    if (at >= this.#known.length) {
      const larger = new Uint8Array(2 * at + 64);
      larger.set(this.#known);
      this.#known = larger;
    }
    const bit = 1 << (page & 7);
    if (this.#known[at]! & bit) throw this.#pages.corrupt(page, 'is given up, and free already');
    this.#known[at]! |= bit;
  }

  /** Takes the first full page of the chain apart. */
  #open(): void {
    const { page, crc } = this.#sealed.pop()!;
    for (const freed of entriesOf(this.#pages.get(page, crc))) {
      if (freed.txn === 0) this.#ready.push(freed.page);
      else this.#pending.push(freed);
    }
    this.#front.push(page);
  }

  /** From now on, what transactions up to this one freed may be used. */
  release(limit: number): void {
    this.#limit = limit;
    let count = 0;
    while (count < this.#pending.length && this.#pending[count]!.txn <= limit) count++;
    for (const { page } of this.#pending.splice(0, count)) this.#ready.push(page);
  }

  /** A page that may be used, or 0. */
  take(): number {
    if (this.#ready.length === 0) {
      const next = this.#sealed.at(-1);
      if (next === undefined || next.latest > this.#limit) return 0;
      this.#open();
      this.#pending.sort((a, b) => a.txn - b.txn);
      this.release(this.#limit);
    }
    const page = this.#ready.pop() ?? 0;
    // The page is somebody else's now.
    this.#known[page >> 3]! &= ~(1 << (page & 7));
    return page;
  }

  free(page: number, txn: number): void {
    this.#mark(page);
    this.#pending.push({ page, txn });
  }

  /** It was taken in this transaction and never written. */
  giveBack(page: number): void {
    this.#mark(page);
    this.#ready.push(page);
  }

  /** Writes what has changed of the chain, as part of transaction `txn`. */
  write(txn: number): { head: number; crc: number; count: number } {
    for (const page of this.#front) this.#pending.push({ page, txn });
    this.#front = [];
    const room = this.#perPage;
    while (this.#ready.length > 2 * room) {
      const page = this.#place();
      const entries = this.#ready.splice(0, room).map((one) => ({ page: one, txn: 0 }));
      this.#seal(page, entries);
    }
    while (this.#pending.length > 4 * room) {
      this.#seal(this.#place(), this.#pending.splice(0, room));
    }
    const pages: number[] = [];
    while (pages.length * room < this.#ready.length + this.#pending.length) {
      pages.push(this.#place());
    }
    const entries = [...this.#ready.map((page) => ({ page, txn: 0 })), ...this.#pending];
    const last = this.#sealed.at(-1);
    let link = { page: last?.page ?? 0, crc: last?.crc ?? 0 };
    pages.forEach((page, i) => {
      const from = i * room;
      link = { page, crc: this.#write(page, entries.slice(from, from + room), link) };
    });
    this.#front = pages;
    return { head: link.page, crc: link.crc, count: this.size };
  }

  #place(): number {
    const page = this.#ready.pop();
    if (page !== undefined) return page;
    const added = this.#pages.extend();
    this.#mark(added);
    return added;
  }

  #seal(page: number, entries: Freed[]): void {
    const last = this.#sealed.at(-1);
    const crc = this.#write(page, entries, { page: last?.page ?? 0, crc: last?.crc ?? 0 });
    const latest = entries.reduce((most, { txn }) => Math.max(most, txn), 0);
    this.#sealed.push({ page, crc, count: entries.length, latest });
  }

  #write(page: number, entries: Freed[], link: { page: number; crc: number }): number {
    const frame = this.#pages.begin(page);
    const { bytes, view } = frame;
    bytes[KIND_AT] = FREELIST;
    view.setUint16(COUNT_AT, entries.length, true);
    view.setUint32(LINK_AT, link.page, true);
    view.setUint32(LINK_CRC_AT, link.crc, true);
    entries.forEach((entry, i) => {
      const at = HEADER_BYTES + i * FREE_ENTRY_BYTES;
      view.setUint32(at, entry.page, true);
      setU64(view, at + 4, entry.txn);
    });
    return this.#pages.seal(frame);
  }
}

function entriesOf({ view, count }: Frame): Freed[] {
  return Array.from({ length: count }, (_, i) => {
    const at = HEADER_BYTES + i * FREE_ENTRY_BYTES;
    return { page: view.getUint32(at, true), txn: getU64(view, at + 4) };
  });
}
