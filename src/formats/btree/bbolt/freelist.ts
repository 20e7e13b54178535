/** The free list: one page, which may go on, of page numbers in ascending order. */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import { u64 } from '../u64.ts';
import type { BboltFile } from './file.ts';
import { COUNT_ELSEWHERE, FREELIST, PAGE_HEADER_BYTES } from './layout.ts';

export function* checkFreelist(file: BboltFile, check: Check): Steps {
  const page = file.live.freelist;
  if (page < 0) return;
  const meta = file.live.page;
  const range = `2 to ${file.highWater - 1}`;
  if (page < 2 || page >= file.highWater) {
    const said = { page: meta, expected: range, actual: page };
    check.finding('free-range', 'the page of the free list is none of the file', said);
    return;
  }
  const node = file.open(page)!;
  if (node.flags !== FREELIST || node.id !== page) {
    const expected = `flags ${FREELIST}, page ${page}`;
    const actual = `flags ${node.flags}, page ${node.id}`;
    check.finding('free-type', 'the page is no free list', {
      page,
      parent: meta,
      expected,
      actual,
    });
    return;
  }
  for (let i = 0; i <= node.overflow && page + i < file.highWater; i++) {
    if (check.claim(page + i, KIND.freelist)) continue;
    const what = 'a bucket uses a page of the free list itself';
    check.finding('free-in-tree', what, { page: page + i, parent: page });
  }
  const elsewhere = node.stated === COUNT_ELSEWHERE;
  const first = node.start + PAGE_HEADER_BYTES;
  const count = elsewhere ? u64(node.view, first) : node.stated;
  const at = first + (elsewhere ? 8 : 0);
  const room = Math.floor((node.bytes.length - at) / 8);
  if (count > room) {
    const said = { page, parent: meta, expected: `at most ${room}`, actual: count };
    check.finding('page-overflow', 'the free list has more pages than room for them', said);
  }
  let before = 0;
  for (let i = 0; i < Math.min(count, room); i++) {
    const free = u64(node.view, at + 8 * i);
    const said = { page, parent: meta, at: at - node.start + 8 * i, length: 8, actual: free };
    if (free < 2 || free >= file.live.highWater) {
      check.finding('free-range', 'the free list holds no page of the file', {
        ...said,
        expected: range,
      });
    } else if (free < file.highWater) claim(check, free, said);
    if (free <= before && check.kindOf(free) !== KIND.free) {
      const expected = `more than ${before}`;
      check.finding('free-type', 'the free list is not in order', { ...said, expected });
    }
    before = free;
    if (i % 65_536 === 0) yield check.visited;
  }
}

function claim(check: Check, free: number, said: { page: number; actual: number }): void {
  const kind = check.kindOf(free);
  if (kind === KIND.free) {
    const expected = 'a page not yet in the list';
    check.finding('free-cycle', `page ${free} is in the free list twice`, { ...said, expected });
  } else if (!check.claim(free, KIND.free)) {
    const expected = 'a page that nobody uses';
    check.finding('free-in-tree', `a bucket uses page ${free} of the free list`, {
      ...said,
      expected,
    });
  }
}
