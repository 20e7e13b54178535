/**
 * Keys and values in order, both ways. The tree is changed in its place: a leaf is copied when it
 * is reached, and the way to the next one is looked for anew, by the separator between the two, so
 * that whatever is written meanwhile no key comes twice, and none that stays is left out.
 */
import type { KeyValue, ScanOptions } from '../btree/snapshot.ts';
import type { Frame } from './frame.ts';
import type { Pager } from './pager.ts';

interface Reached {
  leaf: Frame;
  /** The separator that ends the leaf's keys in the direction of the scan; undefined: none does. */
  edge: Buffer | undefined;
}

/** `pagerNow`: another file may have taken the place of the one at the beginning. */
export function* scanTree(pagerNow: () => Pager, options: ScanOptions): Generator<KeyValue> {
  const { from, to, reverse = false } = options;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let at = reverse ? to : from;
  while (left > 0) {
    const pager = pagerNow();
    pager.trim();
    const { leaf, edge } = reverse ? reachBefore(pager, at) : reach(pager, at);
    const rows = rowsWithin(leaf, from, to);
    if (reverse) rows.reverse();
    for (const row of rows) {
      // Of this leaf, what was told before is behind us.
      if (at && (reverse ? Buffer.compare(row.key, at) >= 0 : Buffer.compare(row.key, at) < 0)) {
        continue;
      }
      yield row;
      if (--left <= 0) return;
    }
    if (edge === undefined || isBeyond(edge, from, to, reverse)) return;
    // Separators of a damaged tree can lead back: a scan goes on in one direction only.
    if (at && Buffer.compare(edge, at) * (reverse ? -1 : 1) <= 0)
      throw pager.corrupt(leaf.page, 'the separator behind it leads back');
    at = edge;
  }
}

function isBeyond(
  edge: Buffer,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  reverse: boolean,
): boolean {
  if (reverse) return from !== undefined && Buffer.compare(edge, from) <= 0;
  return to !== undefined && Buffer.compare(edge, to) >= 0;
}

function rowsWithin(
  leaf: Frame,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): KeyValue[] {
  const first = from ? placeOf(leaf, from) : 0;
  const end = to ? placeOf(leaf, to) : leaf.count;
  const rows: KeyValue[] = [];
  for (let i = first; i < end; i++) rows.push({ key: leaf.key(i), value: leaf.value(i) });
  return rows;
}

/** The first cell that is not less. */
function placeOf(leaf: Frame, key: Uint8Array): number {
  const i = leaf.find(key);
  return i < 0 ? ~i : i;
}

/** The leaf that the key is under; the first one without a key. */
function reach(pager: Pager, key: Uint8Array | undefined): Reached {
  const { root, height } = pager.meta;
  let edge: Buffer | undefined;
  let frame = pager.get(root, height === 1);
  for (let level = height - 1; level > 0; level--) {
    const i = key ? frame.childFor(key) : 0;
    if (i < frame.count) edge = frame.key(i);
    frame = pager.get(frame.child(i), level === 1);
  }
  return { leaf: frame, edge };
}

/** The leaf of the keys right below this one; the last one without a key. */
function reachBefore(pager: Pager, key: Uint8Array | undefined): Reached {
  const { root, height } = pager.meta;
  let edge: Buffer | undefined;
  let frame = pager.get(root, height === 1);
  for (let level = height - 1; level > 0; level--) {
    const i = key ? placeOf(frame, key) : frame.count;
    if (i > 0) edge = frame.key(i - 1);
    frame = pager.get(frame.child(i), level === 1);
  }
  return { leaf: frame, edge };
}
