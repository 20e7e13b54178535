/** The free list: trunk pages, each with the numbers of free pages that are not looked at. */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { SqliteFile } from './file.ts';
import { FREE_COUNT_AT, FREELIST_AT, PTR_FREE } from './layout.ts';
import type { Pointers } from './payload.ts';

export function* checkFreelist(file: SqliteFile, check: Check, pointers: Pointers): Steps {
  const { header, pages, pageCount } = file;
  let trunk = header.freelist;
  let from = 1;
  let at = FREELIST_AT;
  let count = 0;
  let broken = false;
  const take = (page: number, kind: number, place: { page: number; at: number }): boolean => {
    pointers?.expect(page, PTR_FREE, 0);
    const said = { ...place, length: 4, actual: page };
    if (page < 2 || page > pageCount) {
      const expected = `2 to ${pageCount}`;
      check.finding('free-range', 'the free list leads out of the file', { ...said, expected });
      return false;
    }
    const owner = check.kindOf(page);
    if (owner === KIND.free || owner === KIND.freelist) {
      const expected = 'a page not yet in the list';
      check.finding('free-cycle', `page ${page} is in the free list twice`, { ...said, expected });
      return false;
    }
    if (!check.claim(page, kind)) {
      const expected = 'a page that nobody uses';
      check.finding('free-in-tree', `a tree uses page ${page} of the free list`, {
        ...said,
        expected,
      });
      return false;
    }
    return true;
  };
  while (trunk !== 0) {
    if (!take(trunk, KIND.freelist, { page: from, at })) {
      broken = true;
      break;
    }
    count++;
    if (!pages.load(trunk)) break;
    const { view, start } = pages;
    const leaves = view.getUint32(start + 4);
    const most = Math.floor(header.usable / 4) - 2;
    if (leaves > most) {
      const said = { page: trunk, at: 4, length: 4, expected: `at most ${most}`, actual: leaves };
      check.finding('free-type', 'the page lists more free pages than it has room for', said);
      broken = true;
    } else {
      for (let i = 0; i < leaves; i++) {
        const place = { page: trunk, at: 8 + 4 * i };
        if (!take(view.getUint32(start + place.at), KIND.free, place)) broken = true;
      }
      count += leaves;
    }
    from = trunk;
    at = 0;
    trunk = view.getUint32(start);
    yield check.visited;
  }
  if (count !== header.freeCount && !broken) {
    const said = {
      page: 1,
      at: FREE_COUNT_AT,
      length: 4,
      expected: count,
      actual: header.freeCount,
    };
    check.finding('free-count', 'the header does not count the free pages right', said);
  }
}
