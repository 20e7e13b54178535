/**
 * Put and delete in a textbook B+tree, in place. The way from the root to the leaf is kept; splits
 * and merges go up that way.
 *
 * A leaf that is too full is cut where both halves have about as many bytes. The left half keeps
 * its page, so that the leaf before still leads to it; the first key of the right half goes up as
 * well. An internal page is cut around a key, which goes up and stays in neither half.
 */
import {
  HEADER_BYTES,
  INTERNAL_CELL_BYTES,
  LEAF_CELL_BYTES,
} from '../../formats/btree/v1/layout.ts';
import { checkSeparator } from '../../formats/btree/v1/limits.ts';
import { balance } from './balance.ts';
import { internalCut, leafCut } from './cuts.ts';
import { Frame } from './frame.ts';
import type { Pager } from './pager.ts';
import { scanTree } from './scan.ts';
import { Way } from './way.ts';

/** A page that was cut off, and the separator in front of it. */
interface Part {
  key: Uint8Array;
  page: number;
}

const TOO_FEW = 'total_keys is less than there are keys';

/** A page that is too full has at most two cells more than fit, each no longer than a page. */
const SCRATCH_PAGES = 4;

export class Tree {
  readonly way = new Way();
  /** Cells of a page that is too full, or of two neighbours. */
  readonly scratch: Frame;

  constructor(readonly pager: Pager) {
    this.scratch = new Frame(0, SCRATCH_PAGES * pager.pageSize);
  }

  /** Goes to the leaf of the key; returns the cell in it, or ~ of where it would be. */
  #descend(key: Uint8Array): number {
    return this.way.down(this.pager, key).find(key);
  }

  get #leaf(): Frame {
    return this.way.path.at(-1)!;
  }

  get(key: Uint8Array): Buffer | null {
    const i = this.#descend(key);
    return i < 0 ? null : this.#leaf.value(i);
  }

  /** True if the key was not there. It must fit: see checkLengths. */
  put(key: Uint8Array, value: Uint8Array): boolean {
    const { pager } = this;
    const found = this.#descend(key);
    const leaf = this.#leaf;
    const i = found < 0 ? ~found : found;
    const before = leaf.used;
    pager.touch(leaf);
    if (found >= 0) leaf.remove(i);
    else pager.meta.totalKeys++;
    if (leaf.used + LEAF_CELL_BYTES + key.length + value.length > pager.pageSize) {
      const all = this.#copyOf(leaf);
      all.insertValue(i, key, value);
      this.#addParts(this.way.path.length - 2, this.#cutLeaf(leaf, all, i));
    } else {
      leaf.insertValue(i, key, value);
      if (leaf.used < before) balance(this, this.way.path.length - 1);
    }
    return found < 0;
  }

  /** False if there is no such key. */
  delete(key: Uint8Array): boolean {
    const { pager } = this;
    const i = this.#descend(key);
    if (i < 0) return false;
    if (pager.meta.totalKeys === 0) throw pager.corrupt(0, TOO_FEW);
    pager.meta.totalKeys--;
    const leaf = this.#leaf;
    pager.touch(leaf);
    leaf.remove(i);
    balance(this, this.way.path.length - 1);
    if (this.#isEmpty()) pager.clear();
    return true;
  }

  /** By the pages: the number of keys in a file of others may be wrong. */
  #isEmpty(): boolean {
    const { pager } = this;
    const { root, height, totalKeys } = pager.meta;
    if (height === 1) return pager.get(root, true).count === 0;
    if (totalKeys > 0) return false;
    // Pages that could not be merged may be left, each with nothing in it.
    for (const _ of scanTree(() => pager, { limit: 1 })) throw pager.corrupt(0, TOO_FEW);
    return true;
  }

  #copyOf(page: Frame): Frame {
    const { scratch } = this;
    scratch.reset(page.leaf, page.link);
    scratch.append(page, 0, page.count);
    return scratch;
  }

  /** In two, or around the cell `i` where that is too long for two. */
  #cutLeaf(leaf: Frame, all: Frame, i: number): Part[] {
    const { pager } = this;
    const cut = leafCut(all, pager.pageSize);
    const cuts = cut >= 0 ? [cut] : [i, i + 1].filter((at) => at > 0 && at < all.count);
    const parts: Part[] = [];
    const ends = [...cuts, all.count];
    // From the last to the first, so that each knows the one behind it.
    let next = all.link;
    for (let n = cuts.length - 1; n >= 0; n--) {
      const right = pager.allocate(true, next);
      right.append(all, cuts[n]!, ends[n + 1]!);
      parts.unshift({ key: right.key(0), page: right.page });
      next = right.page;
    }
    leaf.reset(true, next);
    leaf.append(all, 0, cuts[0]!);
    return parts;
  }

  /** The parts come behind the child that the way goes to. */
  #addParts(depth: number, parts: readonly Part[]): void {
    const { pager } = this;
    const page = depth < 0 ? this.#newRoot() : this.way.path[depth]!;
    const i = depth < 0 ? 0 : this.way.index[depth]!;
    let bytes = page.used;
    for (const { key } of parts) {
      checkSeparator(pager.pageSize, key.length);
      bytes += INTERNAL_CELL_BYTES + key.length;
    }
    pager.touch(page);
    const fits = bytes <= pager.pageSize;
    const target = fits ? page : this.#copyOf(page);
    parts.forEach((part, n) => {
      target.insertChild(i + n, part.key, part.page);
    });
    if (fits) return;
    // A new root that is too full at once gets one above it.
    this.#addParts(Math.max(0, depth) - 1, this.#cutInternal(page, target, i));
  }

  #newRoot(): Frame {
    const { meta } = this.pager;
    const root = this.pager.allocate(false, meta.root);
    meta.root = root.page;
    meta.height++;
    return root;
  }

  /** Around one key, or around the two at `i` where they are too long for that. */
  #cutInternal(page: Frame, all: Frame, i: number): Part[] {
    const { pager } = this;
    const cut = internalCut(all, pager.pageSize);
    const ups = cut >= 0 ? [cut] : [i, i + 1];
    const parts = ups.map((up, n): Part => {
      const right = pager.allocate(false, all.child(up + 1));
      right.append(all, up + 1, ups[n + 1] ?? all.count);
      return { key: all.key(up), page: right.page };
    });
    page.reset(false, all.child(0));
    page.append(all, 0, ups[0]!);
    return parts;
  }
}

/** Pages of internal cells side by side: what one page would have. */
export function joined(left: Frame, right: Frame, separatorBytes: number): number {
  return left.used + right.used - HEADER_BYTES + separatorBytes;
}
