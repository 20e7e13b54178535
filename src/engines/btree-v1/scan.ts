/**
 * Keys and values in order, both ways. The tree is changed in its place: a leaf is copied when it
 * is reached, and the way to the next one is looked for anew, by the separator between the two, so
 * that whatever is written meanwhile no key comes twice, and none that stays is left out.
 */
import type { KeyValue, ScanOptions } from '../btree/snapshot.ts';
import type { Frame } from './frame.ts';
import type { Pager } from './pager.ts';
import { Way } from './way.ts';

/** `pagerNow`: another file may have taken the place of the one at the beginning. */
export function* scanTree(pagerNow: () => Pager, options: ScanOptions): Generator<KeyValue> {
  const { from, to, reverse = false } = options;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  const way = new Way();
  let at = reverse ? to : from;
  while (left > 0) {
    const pager = pagerNow();
    pager.trim();
    const leaf = way.down(pager, at, reverse);
    // Beyond what was told: separators ascend, and the leaf's keys lie between them.
    const edge = way.edge(reverse);
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
  const first = from ? leaf.placeOf(from) : 0;
  const end = to ? leaf.placeOf(to) : leaf.count;
  const rows: KeyValue[] = [];
  for (let i = first; i < end; i++) rows.push({ key: leaf.key(i), value: leaf.value(i) });
  return rows;
}
