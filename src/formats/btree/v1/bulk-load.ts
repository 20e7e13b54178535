/**
 * Writes a textbook B+tree front to back from entries in key order: leaves, then each level of
 * internal pages, the root last, then pages for the free list. The metadata in front is known last:
 * whoever can write it afterwards does; who can only append goes through the entries twice
 * (bulkLoad). In memory is one page, and a key a leaf.
 */
import { DdiaError } from '../../../shared/errors.ts';
import { compareKeys } from '../../wal/btree-v1/page.ts';
import {
  COUNT_AT,
  HEADER_BYTES,
  INTERNAL_CELL_BYTES,
  LEAF_CELL_BYTES,
  LINK_AT,
  NO_PAGE,
  TYPE_INTERNAL,
  TYPE_LEAF,
} from './layout.ts';
import { checkCell, checkSeparator } from './limits.ts';
import { metaPage, type V1Meta } from './meta.ts';

/** A key and a value as spans; whoever yields it may reuse it. */
export interface Entry {
  bytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
  /** Where the value is, unless it is in `bytes`. */
  valueBytes?: Uint8Array | undefined;
}

export interface LoadShape {
  /** Keys in a page, at most. The room ends it in any case. */
  readonly keysMax?: number | undefined;
  /** Pages at the end of the file that are put on the free list, for inserts to come. */
  readonly freePages?: number | undefined;
}

/** A page of an internal level: its children, and the key in front of each but the first. */
interface Internal {
  children: number[];
  keys: Uint8Array[];
}

/** A page below the level that is being made, and the least key in it. */
interface Head {
  page: number;
  key: Uint8Array;
}

export class TreeBuilder {
  readonly #page: Uint8Array;
  readonly #view: DataView;
  readonly #keysMax: number;
  readonly #leaves: Head[] = [];
  #keys = 0;
  /** Of the leaf that is being filled. */
  #count = 0;
  #used = HEADER_BYTES;
  /** The key that was added last, in the page. */
  #lastStart = 0;
  #lastEnd = 0;

  constructor(
    readonly pageSize: number,
    /** Takes the pages from 1 on, in order; it may not keep them. */
    readonly write: (page: Uint8Array) => void,
    readonly shape: LoadShape = {},
  ) {
    this.#page = new Uint8Array(pageSize);
    this.#view = new DataView(this.#page.buffer);
    this.#keysMax = shape.keysMax ?? Number.POSITIVE_INFINITY;
  }

  /** Order of this key and the one that was added last; positive: it may come next. */
  order(bytes: Uint8Array, start: number, end: number): number {
    if (this.#keys === 0) return 1;
    return compareKeys(bytes, start, end, this.#page, this.#lastStart, this.#lastEnd);
  }

  /** Throws a DdiaError for a key or value that is too long, and for one that is out of order. */
  add(entry: Entry): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = entry;
    const keyBytes = keyEnd - keyStart;
    const valueBytes = valueEnd - valueStart;
    checkCell(this.pageSize, keyBytes, valueBytes);
    if (this.order(bytes, keyStart, keyEnd) <= 0) {
      throw new DdiaError('not-sorted', `keys must ascend: key ${this.#keys} does not`);
    }
    const cell = LEAF_CELL_BYTES + keyBytes + valueBytes;
    if (this.#used + cell > this.pageSize || this.#count >= this.#keysMax) {
      this.#endLeaf(this.#leaves.length + 1);
    }
    if (this.#count === 0) {
      // A copy also of a Buffer, whose slice would keep all that lies around it in memory.
      const key = new Uint8Array(bytes.subarray(keyStart, keyEnd));
      this.#leaves.push({ page: this.#leaves.length + 1, key });
    }
    const at = this.#used;
    this.#view.setUint16(at, keyBytes);
    copy(bytes, keyStart, keyEnd, this.#page, at + 2);
    this.#lastStart = at + 2;
    this.#lastEnd = at + 2 + keyBytes;
    this.#view.setUint16(this.#lastEnd, valueBytes);
    copy(entry.valueBytes ?? bytes, valueStart, valueEnd, this.#page, this.#lastEnd + 2);
    this.#used += cell;
    this.#count++;
    this.#keys++;
  }

  /** `next`: the leaf behind it. The bytes of its last key stay where they are, to be compared. */
  #endLeaf(next: number): void {
    this.#page.fill(0, this.#used);
    this.#page[0] = TYPE_LEAF;
    this.#view.setUint16(COUNT_AT, this.#count);
    this.#view.setUint32(LINK_AT, next);
    this.write(this.#page);
    this.#count = 0;
    this.#used = HEADER_BYTES;
  }

  /** Writes what is left. Returns the metadata that belongs in front. */
  end(): V1Meta {
    // A tree without keys is one empty leaf.
    if (this.#leaves.length === 0) this.#leaves.push({ page: 1, key: new Uint8Array(0) });
    this.#endLeaf(NO_PAGE);
    let below = this.#leaves;
    let next = 1 + below.length;
    let height = 1;
    while (below.length > 1) {
      const { level, heads } = this.#planLevel(below, next);
      for (const one of level) this.#writeInternal(one);
      next += level.length;
      below = heads;
      height++;
    }
    let freeHead = NO_PAGE;
    for (let left = this.shape.freePages ?? 0; left > 0; left--) {
      this.#page.fill(0);
      this.#view.setUint32(LINK_AT, freeHead);
      this.write(this.#page);
      freeHead = next++;
    }
    return { root: below[0]!.page, height, totalKeys: this.#keys, nextFree: next, freeHead };
  }

  #planLevel(below: readonly Head[], first: number): { level: Internal[]; heads: Head[] } {
    const level: Internal[] = [];
    const heads: Head[] = [];
    let used = 0;
    for (const { page, key } of below) {
      const cell = INTERNAL_CELL_BYTES + key.length;
      const last = level.at(-1);
      if (last) checkSeparator(this.pageSize, key.length);
      if (!last || used + cell > this.pageSize || last.keys.length >= this.#keysMax) {
        heads.push({ page: first + level.length, key });
        level.push({ children: [page], keys: [] });
        used = HEADER_BYTES;
      } else {
        last.children.push(page);
        last.keys.push(key);
        used += cell;
      }
    }
    lendChild(level, heads);
    return { level, heads };
  }

  #writeInternal({ children, keys }: Internal): void {
    const page = this.#page;
    const view = this.#view;
    page.fill(0);
    page[0] = TYPE_INTERNAL;
    view.setUint16(COUNT_AT, keys.length);
    view.setUint32(LINK_AT, children[0]!);
    let p = HEADER_BYTES;
    keys.forEach((key, i) => {
      view.setUint16(p, key.length);
      page.set(key, p + 2);
      view.setUint32(p + 2 + key.length, children[i + 1]!);
      p += INTERNAL_CELL_BYTES + key.length;
    });
    this.write(page);
  }
}

/** The whole file, page 0 first: the entries are gone through twice. */
export function bulkLoad(
  pageSize: number,
  entries: () => Iterable<Entry>,
  write: (page: Uint8Array) => void,
  shape: LoadShape = {},
): V1Meta {
  const fill = (to: (page: Uint8Array) => void): V1Meta => {
    const builder = new TreeBuilder(pageSize, to, shape);
    for (const entry of entries()) builder.add(entry);
    return builder.end();
  };
  write(metaPage(fill(ignore), pageSize));
  return fill(write);
}

function ignore(): void {}

/** An internal page without keys is a free page by its bytes: it gets one of its neighbour. */
function lendChild(level: Internal[], heads: Head[]): void {
  const last = level.at(-1)!;
  const before = level.at(-2);
  if (last.keys.length > 0 || before === undefined || before.keys.length < 2) return;
  last.keys.unshift(heads.at(-1)!.key);
  last.children.unshift(before.children.pop()!);
  heads.at(-1)!.key = before.keys.pop()!;
}

/** Short spans: a loop costs less than a subarray. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 64) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let i = start, p = at; i < end; i++, p++) to[p] = from[i]!;
}
