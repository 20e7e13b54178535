/**
 * The database of free pages: by transaction, the pages that it freed.
 *
 *     key    txnid u64
 *     value  count u64, count × page u64, descending
 */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import { u64 } from '../u64.ts';
import type { LmdbFile } from './file.ts';
import { FREE_NAME } from './layout.ts';
import { LmdbWalk } from './walk.ts';

export function* checkFreePages(file: LmdbFile, check: Check): Steps {
  const { live } = file;
  const lists: Float64Array[] = [];
  const pagesOf: number[] = [];
  const walk = new LmdbWalk(file, check, {
    onValue(bytes, start, end, page) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const room = Math.floor((end - start) / 8) - 1;
      const count = end - start < 8 ? 0 : u64(view, start);
      if (count > room || end - start < 8) {
        const said = { page, expected: `at most ${Math.max(0, room)}`, actual: count };
        check.finding('page-overflow', 'a list has more free pages than room for them', said);
      }
      const list = new Float64Array(Math.max(0, Math.min(count, room)));
      for (let i = 0; i < list.length; i++) list[i] = u64(view, start + 8 + 8 * i);
      lists.push(list);
      pagesOf.push(page);
    },
  });
  // All of the database first: its own pages are not free.
  yield* walk.database(FREE_NAME, 'database', live.free, live.page);
  for (const [i, list] of lists.entries()) {
    claimList(file, check, list, pagesOf[i]!);
    yield check.visited;
  }
}

function claimList(file: LmdbFile, check: Check, list: Float64Array, page: number): void {
  let before = Number.POSITIVE_INFINITY;
  for (const free of list) {
    const said = { page, actual: free };
    if (free < 2 || free > file.live.lastPage) {
      const expected = `2 to ${file.live.lastPage}`;
      check.finding('free-range', 'the free pages hold no page of the file', { ...said, expected });
    } else if (free < file.pageCount) {
      if (check.kindOf(free) === KIND.free) {
        const expected = 'a page not yet in a list';
        check.finding('free-cycle', `page ${free} is free twice`, { ...said, expected });
      } else if (!check.claim(free, KIND.free)) {
        const expected = 'a page that nobody uses';
        check.finding('free-in-tree', `a database uses page ${free}, which is free`, {
          ...said,
          expected,
        });
      } else if (free >= before) {
        const expected = `less than ${before}`;
        check.finding('free-type', 'a list of free pages is not in order', { ...said, expected });
      }
    }
    before = free;
  }
}
