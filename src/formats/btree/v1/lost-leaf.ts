/**
 * A tree may be whole as far as its root leads and yet not be all of the tree: a root that is one
 * page too deep, a split of which the parent knows nothing. Pages that nobody leads to are then
 * more than pages that were never put on the free list.
 */
import type { Check } from '../check.ts';
import { KIND } from '../model.ts';
import type { V1File } from './file.ts';
import { saysLeaf, V1Page } from './page.ts';

/**
 * Whether a leaf with keys lies outside the tree, and the file says that it is part of it: the
 * metadata promise more keys than the tree has, or a leaf of the tree has it as its sibling.
 */
export function hasLostLeaf(file: V1File, check: Check, siblings: ReadonlySet<unknown>): boolean {
  const short = (check.trees[0]?.keys ?? 0) < file.meta.totalKeys;
  const leaf = new V1Page();
  for (let page = 1; page < file.pageCount; page++) {
    const kind = check.kindOf(page);
    if (kind !== KIND.unknown && kind !== KIND.unused && kind !== KIND.free) continue;
    if ((short || siblings.has(page)) && isLeaf(file, page, leaf)) return true;
  }
  return false;
}

function isLeaf({ pages, pageSize }: V1File, page: number, leaf: V1Page): boolean {
  if (!pages.load(page)) return false;
  const { bytes, view, start } = pages;
  const fits = leaf.parse(bytes, view, start, pageSize, true) && saysLeaf(leaf);
  return fits && leaf.cells > 0 && leaf.disorder() < 0;
}
