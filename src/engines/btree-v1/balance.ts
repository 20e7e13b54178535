/**
 * What happens to a page that is left with little: it is merged with a neighbour below the same
 * parent, or made even with one; a root with one child gives way to it. A merge always empties
 * the right one of two, so that the leaf before them still leads to the left one. Keys are of any
 * length: where a new separator does not fit in the place of the old one, the pages stay as they
 * are.
 */
import { INTERNAL_CELL_BYTES } from '../../formats/btree/v1/layout.ts';
import { internalCut, leafCut } from './cuts.ts';
import type { Frame } from './frame.ts';
import { joined, type Tree } from './tree.ts';

/** A page with less than half of its bytes taken. */
const LEAST = 2;

/** Looks at the page at this depth of the way, after cells of it have gone. */
export function balance(tree: Tree, depth: number): void {
  const { path, index } = tree.way;
  const page = path[depth]!;
  if (depth === 0) {
    collapse(tree);
    return;
  }
  if (page.used * LEAST >= tree.pager.pageSize) return;
  const parent = path[depth - 1]!;
  const i = index[depth - 1]!;
  /** Separators with the page on one side. In files of others there may be none. */
  const sides = [i, i - 1].filter((left) => left >= 0 && left < parent.count);
  for (const left of sides) {
    if (!merge(tree, depth, left)) continue;
    balance(tree, depth - 1);
    return;
  }
  for (const left of sides) if (share(tree, depth, left)) return;
}

/** A root without keys: its only child takes its place. */
function collapse({ pager, way }: Tree): void {
  let root = way.path[0]!;
  while (!root.leaf && root.count === 0) {
    pager.meta.root = root.child(0);
    pager.meta.height--;
    pager.free(root);
    root = pager.get(pager.meta.root, pager.meta.height === 1);
  }
}

/** The pages in front of and behind separator `left`, as children of the page above `depth`. */
function neighbours({ pager, way }: Tree, depth: number, left: number) {
  const parent = way.path[depth - 1]!;
  const front = way.child(pager, depth - 1, left);
  const back = way.child(pager, depth - 1, left + 1);
  // Where neither has keys their place does not tell.
  if (front === back) throw pager.corrupt(front.page, 'it is its own neighbour');
  return { parent, front, back, leaf: front.leaf };
}

function separatorBytes(parent: Frame, left: number, leaf: boolean): number {
  return leaf ? 0 : parent.cellBytes(left);
}

/** The child behind separator `left` goes into the one in front of it. False if it does not fit. */
function merge(tree: Tree, depth: number, left: number): boolean {
  const { pager } = tree;
  const { parent, front, back, leaf } = neighbours(tree, depth, left);
  if (joined(front, back, separatorBytes(parent, left, leaf)) > pager.pageSize) return false;
  pager.touch(parent);
  pager.touch(front);
  if (leaf) front.link = back.link;
  else front.insertChild(front.count, parent.key(left), back.link);
  front.append(back, 0, back.count);
  parent.remove(left);
  pager.free(back);
  return true;
}

/** Spreads the cells of two neighbours over both. False if that changes nothing, or cannot be. */
function share(tree: Tree, depth: number, left: number): boolean {
  const { pager, scratch } = tree;
  const { pageSize } = pager;
  const { parent, front, back, leaf } = neighbours(tree, depth, left);
  scratch.reset(leaf, front.link);
  scratch.append(front, 0, front.count);
  if (!leaf) scratch.insertChild(scratch.count, parent.key(left), back.link);
  scratch.append(back, 0, back.count);
  const cut = leaf ? leafCut(scratch, pageSize) : internalCut(scratch, pageSize);
  if (cut < 0 || cut === front.count) return false;
  const key = scratch.key(cut);
  const more = INTERNAL_CELL_BYTES + key.length - parent.cellBytes(left);
  if (parent.used + more > pageSize) return false;
  for (const one of [parent, front, back]) pager.touch(one);
  const end = scratch.count;
  front.reset(leaf, leaf ? back.page : scratch.link);
  front.append(scratch, 0, cut);
  back.reset(leaf, leaf ? back.link : scratch.child(cut + 1));
  back.append(scratch, leaf ? cut : cut + 1, end);
  parent.remove(left);
  parent.insertChild(left, key, back.page);
  return true;
}
