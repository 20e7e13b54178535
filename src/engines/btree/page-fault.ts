/**
 * Whether a page says what can be worked with. A checksum proves that a page is as somebody wrote
 * it, not that it was written as the layout asks: what relies on a page's lengths, counts and order
 * afterwards does not look again.
 */
import {
  cellBytesMax,
  FREE_ENTRY_BYTES,
  FREELIST,
  HEADER_BYTES,
  HEIGHT_MAX,
  INTERIOR,
  LEAF,
  SLOT_BYTES,
} from '../../formats/btree/v2/layout.ts';
import { V2Page } from '../../formats/btree/v2/page.ts';

const look = new V2Page();

/** What is wrong with it, or undefined. */
export function pageFault(bytes: Uint8Array, view: DataView): string | undefined {
  const size = bytes.length;
  const fits = look.parse(bytes, view, 0, size);
  const { kind, level, count } = look;
  if (kind === FREELIST) {
    const most = Math.floor((size - HEADER_BYTES) / FREE_ENTRY_BYTES);
    return count > most ? `it lists ${count} pages, at most ${most} fit` : undefined;
  }
  if (kind !== LEAF && kind !== INTERIOR) return undefined;
  if (!fits) return `${count} cells do not fit into it`;
  if (!look.isTidy) return 'its header does not say where its cells are';
  if (kind === LEAF ? level !== 0 : level === 0 || level >= HEIGHT_MAX) {
    return `its level is ${level}`;
  }
  const most = cellBytesMax(size) - SLOT_BYTES;
  for (let i = 0; i < count; i++) {
    const length = look.end[i]! - look.at[i]!;
    if (length > most) return `cell ${i} has ${length} bytes, at most ${most} are allowed`;
  }
  const wrong = look.disorder();
  return wrong < 0 ? undefined : `key ${wrong} is not greater than the one before it`;
}
