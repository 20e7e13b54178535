/** Where pages are cut that have become too full, or are made even with their neighbour. */
import { HEADER_BYTES } from '../../formats/btree/v1/layout.ts';
import type { Frame } from './frame.ts';

/**
 * The cell that begins the second page, so that both have about as many bytes; -1: no two pages
 * hold these cells.
 */
export function leafCut(cells: Frame, pageSize: number): number {
  const { count, used } = cells;
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < count; i++) {
    const left = cells.cells[i]!;
    const right = HEADER_BYTES + used - left;
    const larger = Math.max(left, right);
    if (larger > pageSize || larger >= least) continue;
    least = larger;
    best = i;
  }
  return best;
}

/**
 * The cell whose key goes up: those before it stay, its child is the first of the next page. Both
 * sides keep a key if that can be; -1: no two pages hold these cells.
 */
export function internalCut(cells: Frame, pageSize: number): number {
  const { count, used } = cells;
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const left = cells.cells[i]!;
    const right = HEADER_BYTES + used - cells.cellEnd(i);
    const bare = i === 0 || i === count - 1;
    const larger = Math.max(left, right);
    if (larger > pageSize) continue;
    // An internal page without keys is a free page by its bytes.
    const cost = larger + (bare ? 2 * pageSize : 0);
    if (cost >= least) continue;
    least = cost;
    best = i;
  }
  return best;
}
