/** The passes beside the walk: meta pages, free list, and that every page belongs to somebody. */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { V2File } from './file.ts';
import {
  FREE_ENTRY_BYTES,
  FREELIST,
  getU64,
  HEADER_BYTES,
  META_BYTES,
  META_PAGES,
} from './layout.ts';
import { hex } from './meta.ts';
import { V2Page } from './page.ts';

export function checkMetas(file: V2File, check: Check): void {
  const { live, metas, pageSize, size, pageCount } = file;
  for (const meta of metas) {
    const { page, fault, expected, actual } = meta;
    check.claim(page, KIND.meta);
    if (fault !== '') {
      const severity = live.fault === '' ? 'warning' : 'error';
      const repair = live.fault === '' ? 'write it anew, as the other one says' : undefined;
      const said = { page, expected, actual, severity, repair } as const;
      check.finding('meta-bad', `the meta page is not valid: ${fault}`, said);
    }
    if (!file.pages.load(page)) continue;
    const { bytes, start } = file.pages;
    let at = META_BYTES;
    while (at < pageSize && bytes[start + at] === 0) at++;
    if (at < pageSize) {
      const said = { page, at, length: 1, expected: 0, actual: bytes[start + at] };
      check.finding('meta-bad', 'bytes behind the fields are not zero', said);
    }
  }
  const other = metas.find((meta) => meta.page !== live.page);
  if (live.fault !== '') return;
  if (other?.fault === '' && (other.txn !== live.txn - 1 || other.storeId !== live.storeId)) {
    const what = 'the other meta page is not that of the transaction before';
    const said = { page: other.page, expected: live.txn - 1, actual: other.txn };
    check.finding('meta-bad', what, { ...said, severity: 'warning' });
  }
  if (live.pages > pageCount) {
    check.finding('file-short', `the meta page promises ${live.pages} pages`, {
      at: size,
      expected: `${live.pages * pageSize} bytes`,
      actual: `${size} bytes`,
    });
  }
  const rest = size - live.pages * pageSize;
  if (rest > 0) {
    check.finding('file-tail', `${rest} bytes behind the last page`, {
      at: size - rest,
      length: rest,
      expected: `${live.pages * pageSize} bytes`,
      actual: `${size} bytes`,
      // A transaction that is being written, or was when the machine stopped.
      severity: live.closed ? 'warning' : 'info',
      repair: 'cut them off, keep them in quarantine',
    });
  }
}

/** Follows the free list; pages that it holds must be whole, whatever they once were. */
export function* checkFree(file: V2File, check: Check): Steps {
  const { live, pageSize, pages } = file;
  let page = live.freeHead;
  let crc = live.freeCrc;
  let parent = live.page;
  let count = 0;
  const end = Math.min(live.pages, file.pageCount);
  const list = new V2Page();
  while (page !== 0) {
    if (page < META_PAGES || page >= end) {
      const said = { page: parent, expected: `0, or ${META_PAGES} to ${end - 1}`, actual: page };
      check.finding('free-range', 'the free list leads out of the file', said);
      return;
    }
    if (!check.claim(page, KIND.freelist)) {
      const cycle = check.kindOf(page) === KIND.freelist;
      const what = cycle
        ? 'the free list comes back to a page of its own'
        : 'the tree uses a page of the free list';
      const said = { page, parent, expected: 'a page that nobody uses', actual: page };
      check.finding(cycle ? 'free-cycle' : 'free-in-tree', what, said);
      return;
    }
    if (!file.load(page) || file.crcOf(page) !== crc) {
      const actual = hex(file.load(page) ? file.crcOf(page) : 0);
      const said = { page, parent, expected: hex(crc), actual };
      check.finding('free-type', 'a page of the free list is damaged or another one', said);
      return;
    }
    list.parse(pages.bytes, pages.view, pages.start, pageSize);
    const room = Math.floor((pageSize - HEADER_BYTES) / FREE_ENTRY_BYTES);
    if (list.kind !== FREELIST || list.count > room) {
      const expected = `kind ${FREELIST}, at most ${room} pages`;
      const actual = `kind ${list.kind}, ${list.count} pages`;
      check.finding('free-type', 'the page is no free list', { page, parent, expected, actual });
      return;
    }
    const entries = entriesOf(file, list.count);
    for (const { free, txn } of entries) checkEntry(file, check, page, free, txn);
    count += entries.length;
    parent = page;
    page = list.link;
    crc = list.linkCrc;
    yield check.visited;
  }
  if (count !== live.freePages) {
    const said = { page: live.page, at: 68, length: 4, expected: count, actual: live.freePages };
    check.finding('key-count', 'free_pages is not the length of the free list', said);
  }
}

/** Of the page in view. */
function entriesOf(file: V2File, count: number): { free: number; txn: number }[] {
  const { view, start } = file.pages;
  return Array.from({ length: count }, (_, i) => {
    const at = start + HEADER_BYTES + i * FREE_ENTRY_BYTES;
    return { free: view.getUint32(at, true), txn: getU64(view, at + 4) };
  });
}

function checkEntry(file: V2File, check: Check, parent: number, free: number, txn: number): void {
  const { live } = file;
  if (free < META_PAGES || free >= live.pages) {
    const said = { page: parent, expected: `${META_PAGES} to ${live.pages - 1}`, actual: free };
    check.finding('free-range', 'the free list holds no page of the file', said);
    return;
  }
  if (txn > live.txn) {
    const said = { page: free, parent, expected: `at most ${live.txn}`, actual: txn };
    check.finding('free-type', 'the page is freed by a transaction to come', said);
  }
  if (!check.claim(free, KIND.free)) {
    const twice = check.kindOf(free) === KIND.free;
    const what = twice ? 'the free list holds the page twice' : 'the free list holds a page in use';
    const said = { page: free, parent, expected: 'a page that nobody uses', actual: free };
    check.finding(twice ? 'free-cycle' : 'free-in-tree', what, said);
    return;
  }
  if (!file.load(free)) return;
  const { view, start } = file.pages;
  const stored = view.getUint32(start, true);
  const actual = file.crcOf(free);
  if (actual === stored) return;
  check.finding('page-checksum', 'the checksum of a free page does not hold', {
    page: free,
    parent,
    expected: hex(stored),
    actual: hex(actual),
    // A transaction that never came to its end may have begun to write it.
    severity: live.closed ? 'warning' : 'info',
    repair: 'nothing of the tree is in it',
  });
}

/** Every page is metadata, tree or free, and the tree has as many keys as the meta page says. */
export function checkOwners(file: V2File, check: Check, keys: number): void {
  const { live, pageCount } = file;
  const end = Math.min(live.pages, pageCount);
  for (let page = META_PAGES; page < end; page++) {
    if (check.reached(page)) continue;
    check.finding('page-leaked', 'the page belongs to nobody', {
      page,
      expected: 'in the tree or in the free list',
      actual: 'in neither',
      severity: 'warning',
    });
  }
  for (let page = end; page < pageCount; page++) check.claim(page, KIND.unused);
  if (!check.lossy && keys !== live.keys) {
    const said = { page: live.page, at: 72, length: 8, expected: keys, actual: live.keys };
    check.finding('key-count', 'the number of keys is not that of the meta page', said);
  }
}
