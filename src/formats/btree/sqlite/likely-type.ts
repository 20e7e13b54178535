/** What type a page is, judged by its cells: where the byte that says so is hit. */
import type { Cell } from './cell.ts';
import type { SqliteFile } from './file.ts';
import {
  CELLS_AT,
  INTERIOR_INDEX,
  INTERIOR_TABLE,
  isLeafPage,
  LEAF_INDEX,
  LEAF_TABLE,
  RIGHT_CHILD_AT,
} from './layout.ts';
import type { SqliteTree } from './schema.ts';
import { contentOf } from './space.ts';

interface Judged {
  /** What the page is to be read as; 0: it is none of such a tree. */
  type: number;
  stated: number;
  /** What the byte should be, where it is something else. */
  expected?: number | string;
}

/**
 * The page that is loaded: of a table or an index, as the schema says of the tree, and a leaf or
 * not, as its cells say. `sure`: leaves are expected here, which need no second look.
 */
export function judgeType(
  file: SqliteFile,
  tree: SqliteTree,
  header: number,
  sure: boolean,
  cell: Cell,
): Judged {
  const stated = file.pages.bytes[file.pages.start + header]!;
  const table = tree.kind === 'table' && tree.rowid;
  const types = table ? [LEAF_TABLE, INTERIOR_TABLE] : [LEAF_INDEX, INTERIOR_INDEX];
  const fits = types.includes(stated);
  if (fits && sure && isLeafPage(stated)) return { type: stated, stated };
  if (stated !== types[0]) types.reverse(); // what it says comes first
  const likely = types.find((type) => cellsFit(file, header, type, cell)) ?? 0;
  if (fits && (likely === stated || likely === 0)) return { type: stated, stated };
  const any = table ? '5 or 13 (table)' : '2 or 10 (index)';
  return { type: likely, stated, expected: likely || any };
}

/** All cells lie in the page's content, not on each other, and lead to pages that there are. */
function cellsFit(file: SqliteFile, header: number, type: number, cell: Cell): boolean {
  const { bytes, view, start } = file.pages;
  const { usable } = file.header;
  const leaf = isLeafPage(type);
  const first = header + (leaf ? 8 : 12);
  const count = view.getUint16(start + header + CELLS_AT);
  const content = contentOf(view, start, header);
  const isPage = (page: number): boolean => page >= 2 && page <= file.pageCount;
  if (count === 0 || content < first + 2 * count || content >= usable) return false;
  // Where the type says inner page, a hit in the right child makes it no leaf.
  const asStated = bytes[start + header] === type;
  if (!leaf && !asStated && !isPage(view.getUint32(start + header + RIGHT_CHILD_AT))) return false;
  let used = 0;
  let before = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < count; slot++) {
    const at = view.getUint16(start + first + 2 * slot);
    if (at < content || at > usable - 4) return false;
    if (!cell.parse(bytes, start + at, start + usable, type)) return false;
    if (!leaf && !isPage(cell.child)) return false;
    used += cell.size;
    if (type !== LEAF_TABLE && type !== INTERIOR_TABLE) continue;
    // Rowids ascend; as doubles they may be taken for equal.
    const rowid = cell.rowHigh * 0x1_0000_0000 + (cell.rowLow >>> 0);
    if (rowid < before) return false;
    before = rowid;
  }
  return used <= usable - content;
}
