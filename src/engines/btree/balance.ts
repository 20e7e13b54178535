/**
 * What a delete does to a page that is left with little: it is merged with a neighbour, or takes
 * cells of one; a root with one child gives way to it. Keys are of any length, so a new separator
 * may not fit where the old one was: then the page stays as it is.
 */
import { LEAF, SLOT_BYTES } from '../../formats/btree/v2/layout.ts';
import { separator } from '../../formats/btree/v2/separator.ts';
import type { Frame } from './frame.ts';
import { childBytes, type Tree } from './tree.ts';

/** A page with less than a third of its room taken. */
const LEAST = 3;

export function balance(tree: Tree, depth: number): void {
  const page = tree.path[depth]!;
  if (depth === 0) {
    collapse(tree);
    return;
  }
  if (page.taken * LEAST >= page.room) return;
  const parent = tree.path[depth - 1]!;
  if (parent.count === 0) {
    // An only child has nobody to go to; without cells it has nothing to stay for.
    if (page.isLeaf && page.count === 0) dropChild(tree, depth);
    return;
  }
  const i = tree.index[depth - 1]!;
  const sides = [i - 1, i].filter((left) => left >= 0 && left < parent.count);
  for (const left of sides) {
    if (!fitTogether(tree, parent, left, page, i)) continue;
    merge(tree, depth, left);
    return;
  }
  share(tree, depth, sides[0]!);
}

/** The root has no cells: its only child takes its place, or the tree is empty. */
function collapse(tree: Tree): void {
  const { pager } = tree;
  let root = tree.root!;
  while (root.count === 0 && !root.isLeaf) {
    const child = pager.child(root, 0);
    pager.discard(root);
    tree.height--;
    root = child;
  }
  tree.root = root;
  if (!root.isLeaf || root.count > 0) return;
  pager.discard(root);
  tree.root = undefined;
  tree.height = 0;
}

/** Takes an empty page out of its parent. */
function dropChild(tree: Tree, depth: number): void {
  const { pager, path, index } = tree;
  pager.discard(path[depth]!);
  if (depth === 0) {
    tree.root = undefined;
    tree.height = 0;
    return;
  }
  const parent = path[depth - 1]!;
  const i = index[depth - 1]!;
  if (parent.count === 0) {
    dropChild(tree, depth - 1);
    return;
  }
  if (i === 0) parent.setChild(0, parent.child(1), parent.childCrc(1));
  parent.remove(Math.max(0, i - 1));
  balance(tree, depth - 1);
}

/** Before their cells come together: each page has its keys on its side of the separator. */
function checkSides(tree: Tree, front: Frame, between: Buffer, back: Frame): void {
  if (front.count > 0 && Buffer.compare(front.key(front.count - 1), between) >= 0) {
    throw tree.pager.misplaced(front.page);
  }
  if (back.count > 0 && Buffer.compare(back.key(0), between) < (back.isLeaf ? 0 : 1)) {
    throw tree.pager.misplaced(back.page);
  }
}

function fitTogether(tree: Tree, parent: Frame, left: number, page: Frame, i: number): boolean {
  const other = tree.pager.child(parent, left === i ? i + 1 : left);
  const between = page.isLeaf ? 0 : childBytes(parent.key(left));
  return page.taken + other.taken + between <= page.room;
}

/** The child behind separator `left` goes into the one in front of it. */
function merge(tree: Tree, depth: number, left: number): void {
  const { pager } = tree;
  const parent = tree.path[depth - 1]!;
  const target = claim(tree, parent, left);
  const source = tree.pager.child(parent, left + 1);
  checkSides(tree, target, parent.key(left), source);
  if (!target.isLeaf) {
    const first = source.child(0);
    target.insertChild(target.count, parent.key(left), first, source.childCrc(0));
  }
  const count = source.count;
  for (let i = 0; i < count; i++) target.copyCell(source, i, target.count);
  pager.discard(source);
  parent.remove(left);
  balance(tree, depth - 1);
}

function claim(tree: Tree, parent: Frame, i: number): Frame {
  const frame = tree.pager.child(parent, i);
  const own = tree.pager.writable(frame);
  if (own !== frame) parent.setChild(i, own.page, 0);
  return own;
}

/** Moves cells from the fuller of two neighbours to the other one. */
function share(tree: Tree, depth: number, left: number): void {
  const parent = tree.path[depth - 1]!;
  const a = tree.pager.child(parent, left);
  const b = tree.pager.child(parent, left + 1);
  checkSides(tree, a, parent.key(left), b);
  const toLeft = a.taken < b.taken;
  const count = howMany(toLeft ? b : a, toLeft ? a : b, toLeft);
  if (count === 0) return;
  const donor = toLeft ? b : a;
  const edge = toLeft ? count : donor.count - count;
  const key = boundary(a, b, toLeft, edge);
  if (parent.taken - childBytes(parent.key(left)) + childBytes(key) > parent.room) return;
  const old = Buffer.from(parent.key(left));
  const front = claim(tree, parent, left);
  const back = claim(tree, parent, left + 1);
  if (front.bytes[8] === LEAF) moveLeafCells(front, back, toLeft, count);
  else moveChildren(front, back, toLeft, count, old);
  parent.remove(left);
  if (!parent.isPlace(left, key)) throw tree.pager.misplaced(back.page);
  parent.insertChild(left, key, back.page, 0);
}

/** Cells to move so that both have about the same; never all. */
function howMany(from: Frame, to: Frame, fromFront: boolean): number {
  let have = from.taken;
  let gets = to.taken;
  let count = 0;
  while (count < from.count - 1) {
    const bytes = SLOT_BYTES + from.cellLength(fromFront ? count : from.count - 1 - count);
    if (gets + bytes > have - bytes) break;
    have -= bytes;
    gets += bytes;
    count++;
  }
  return count;
}

/**
 * The separator once the cells have moved: `edge` is the first that stays behind, or that moves.
 */
function boundary(a: Frame, b: Frame, toLeft: boolean, edge: number): Buffer {
  if (!a.isLeaf) return Buffer.from(toLeft ? b.key(edge - 1) : a.key(edge));
  return Buffer.from(
    toLeft ? separator(b.key(edge - 1), b.key(edge)) : separator(a.key(edge - 1), a.key(edge)),
  );
}

function moveLeafCells(front: Frame, back: Frame, toLeft: boolean, count: number): void {
  if (toLeft) {
    for (let i = 0; i < count; i++) {
      front.copyCell(back, 0, front.count);
      back.remove(0);
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const last = front.count - 1;
    back.copyCell(front, last, 0);
    front.remove(last);
  }
}

/** Through the parent: the separator comes down, the cell at the edge goes up. */
function moveChildren(
  front: Frame,
  back: Frame,
  toLeft: boolean,
  count: number,
  old: Buffer,
): void {
  let between = old;
  for (let i = 0; i < count; i++) {
    if (toLeft) {
      front.insertChild(front.count, between, back.child(0), back.childCrc(0));
      between = Buffer.from(back.key(0));
      back.setChild(0, back.child(1), back.childCrc(1));
      back.remove(0);
    } else {
      const last = front.count - 1;
      back.insertChild(0, between, back.child(0), back.childCrc(0));
      back.setChild(0, front.child(last + 1), front.childCrc(last + 1));
      between = Buffer.from(front.key(last));
      front.remove(last);
    }
  }
}
