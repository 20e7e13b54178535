/**
 * How many cells a page has, by its content: cells, free blocks and fragments fill it from where
 * the header says that it begins to its end (https://www.sqlite.org/fileformat2.html, 1.6), so that
 * a number of cells that does so to the byte is the right one, whatever the header counts.
 */
import type { Cell } from './cell.ts';
import { FRAGMENTS_AT, FREEBLOCK_AT, isLeafPage } from './layout.ts';
import { contentOf } from './space.ts';

/** Where the cell pointers begin, from the page's header on. */
export const pointersAt = (type: number): number => (isLeafPage(type) ? 8 : 12);

/** Where there would be more of them, SQLite puts a page in order (1.6, "fragmented bytes"). */
const FRAGMENTS_MAX = 60;

/** 0: no number does. `header`: where in the page, which begins at `start`, its header is. */
export function provedCount(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  header: number,
  type: number,
  cell: Cell,
): number {
  const { usable } = cell;
  const content = contentOf(view, start, header);
  const free = freeBytes(view, start, header, content, usable);
  if (free < 0) return 0;
  let left = usable - content - free;
  let pointer = header + pointersAt(type);
  for (let count = 1; left > 0 && pointer + 2 <= content; count++, pointer += 2) {
    const at = view.getUint16(start + pointer);
    if (at < content || at > usable - 4) return 0;
    if (!cell.parse(bytes, start + at, start + usable, type)) return 0;
    left -= cell.size;
    if (left === 0) return count;
  }
  return 0;
}

/** Two of the first `count` cells share bytes: their sizes prove nothing. */
export function cellsOverlap(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  header: number,
  type: number,
  cell: Cell,
  count: number,
): boolean {
  const cells: { at: number; end: number }[] = [];
  const pointers = header + pointersAt(type);
  for (let slot = 0; slot < count; slot++) {
    const at = view.getUint16(start + pointers + 2 * slot);
    cell.parse(bytes, start + at, start + cell.usable, type);
    cells.push({ at, end: at + cell.size });
  }
  cells.sort((a, b) => a.at - b.at);
  return cells.some(({ at }, i) => i > 0 && at < cells[i - 1]!.end);
}

/** Bytes of free blocks and fragments; -1: more fragments, or a chain, than there can be. */
function freeBytes(
  view: DataView,
  start: number,
  header: number,
  content: number,
  usable: number,
): number {
  let total = view.getUint8(start + header + FRAGMENTS_AT);
  if (total > FRAGMENTS_MAX) return -1;
  let least = content;
  let at = view.getUint16(start + header + FREEBLOCK_AT);
  while (at !== 0) {
    if (at < least || at > usable - 4) return -1;
    const size = view.getUint16(start + at + 2);
    total += size;
    least = at + 4;
    at = view.getUint16(start + at);
  }
  return total;
}
