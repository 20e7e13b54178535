/** The passes beside the walk: metadata, free list, and that every page belongs to somebody. */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { V1File } from './file.ts';
import {
  FREE_HEAD_AT,
  HEIGHT_AT,
  HEIGHT_MAX,
  KEYS_AT,
  META_BYTES,
  NEXT_FREE_AT,
  NO_PAGE,
  ROOT_AT,
} from './layout.ts';
import { lastPage } from './meta.ts';
import { isInternal, V1Page } from './page.ts';

export function checkMeta(file: V1File, check: Check): void {
  const { meta, pageSize, size, pageCount } = file;
  const bad = (at: number, what: string, expected: unknown, actual: unknown) =>
    check.finding('meta-bad', what, { page: 0, at, length: 4, expected, actual });
  check.claim(0, KIND.meta);
  const last = Math.max(1, pageCount - 1);
  if (meta.root < 1 || meta.root >= pageCount) {
    bad(ROOT_AT, 'root is no page of the file', `1 to ${last}`, meta.root);
  }
  if (meta.height < 1 || meta.height > HEIGHT_MAX) {
    bad(HEIGHT_AT, 'height is not plausible', `1 to ${HEIGHT_MAX}`, meta.height);
  }
  if (meta.nextFree < 2) bad(NEXT_FREE_AT, 'next_free is too low', 'at least 2', meta.nextFree);
  if (file.pages.load(0)) {
    const { bytes, start } = file.pages;
    let at = META_BYTES;
    while (at < pageSize && bytes[start + at] === 0) at++;
    if (at < pageSize) bad(at, 'bytes behind the fields are not zero', 0, bytes[start + at]);
  }
  const whole = Math.max(size, pageCount * pageSize);
  if (meta.nextFree > pageCount) {
    check.finding('file-short', `next_free promises ${meta.nextFree} pages`, {
      at: size,
      expected: `${meta.nextFree * pageSize} bytes`,
      actual: `${whole} bytes`,
    });
  }
  const end = Math.max(meta.nextFree, 1) * pageSize;
  const rest = size - Math.min(end, pageCount * pageSize);
  if (rest > 0) {
    const what = `${rest} bytes behind the last page that was ever used`;
    const length = rest;
    check.finding('file-tail', what, {
      at: size - rest,
      length,
      expected: `${Math.min(end, pageCount * pageSize)} bytes`,
      actual: `${size} bytes`,
      severity: 'warning',
      repair: 'cut them off, keep them in quarantine',
    });
  }
}

/** Follows the free list. Each page of it is claimed; what is claimed already ends it. */
export function* checkFree(file: V1File, check: Check): Steps {
  let page = file.meta.freeHead;
  /** The page whose link is followed: 0, the metadata, for the head. */
  let from = 0;
  const repair = 'rebuild the free list';
  while (page !== NO_PAGE) {
    const at = from === 0 ? FREE_HEAD_AT : 3;
    const place = { page: from, at, length: 4, actual: page, repair };
    if (page < 1 || page >= Math.min(file.pageCount, Math.max(file.meta.nextFree, 2))) {
      const expected = `1 to ${lastPage(file)}, or none`;
      check.finding('free-range', 'the free list leads out of the file', { ...place, expected });
      return;
    }
    const kind = check.kindOf(page);
    if (kind === KIND.free) {
      const what = `the free list comes back to page ${page}: a double free`;
      check.finding('free-cycle', what, { ...place, expected: 'a page not yet in the list' });
      return;
    }
    if (kind !== KIND.unknown) {
      const what = `the free list holds page ${page}, which the tree uses`;
      check.finding('free-in-tree', what, { ...place, expected: 'a page that nobody uses' });
      return;
    }
    check.claim(page, KIND.free);
    if (!file.pages.load(page)) return;
    const { bytes, view, start } = file.pages;
    const type = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!;
    if (type !== 0) {
      check.finding('free-type', 'a page of the free list has not the header of a free page', {
        page,
        parent: from,
        at: 0,
        length: 3,
        expected: '000000',
        actual: type.toString(16).padStart(6, '0'),
        repair,
      });
      return;
    }
    from = page;
    page = view.getUint32(start + 3);
    if (check.visited % 4096 === 0) yield check.visited;
  }
}

/** The root hangs on nothing: a page outside the tree that leads to it is what was the root. */
export function* checkRoot(file: V1File, check: Check): Steps {
  const { meta, pages, pageSize, pageCount } = file;
  if (!check.reached(meta.root)) return;
  const above = new V1Page();
  // Behind them lies what a larger tree left when its last key went.
  const end = Math.min(meta.nextFree, pageCount);
  for (let page = 1; page < end; page++) {
    if (page % 4096 === 0) yield check.visited;
    if (check.reached(page) || !pages.load(page)) continue;
    const { bytes, view, start } = pages;
    above.parse(bytes, view, start, pageSize, false);
    if (!isInternal(above, pageCount)) continue;
    const children = Array.from({ length: above.cells + 1 }, (_, i) => above.child(i));
    if (!children.includes(meta.root)) continue;
    check.finding('meta-bad', `root is a child of page ${page}, which is outside the tree`, {
      page: 0,
      at: ROOT_AT,
      length: 4,
      expected: 'a page that no other leads to',
      actual: meta.root,
      repair: 'build the tree anew from all leaves',
    });
    return;
  }
}

/** Every page is metadata, tree or free, and the tree has as many keys as the metadata says. */
export function checkOwners(file: V1File, check: Check, keys: number): void {
  const { meta, pageCount } = file;
  const end = Math.min(meta.nextFree < 2 ? pageCount : meta.nextFree, pageCount);
  for (let page = 1; page < end; page++) {
    if (check.reached(page)) continue;
    check.finding('page-leaked', 'the page belongs to nobody', {
      page,
      expected: 'in the tree or in the free list',
      actual: 'in neither',
      severity: 'warning',
      repair: 'put it on the free list; its bytes go to quarantine',
    });
  }
  for (let page = end; page < pageCount; page++) {
    if (!check.reached(page)) check.claim(page, KIND.unused);
  }
  if (!check.lossy && keys !== meta.totalKeys) {
    check.finding('key-count', 'total_keys is not the number of keys', {
      page: 0,
      at: KEYS_AT,
      length: 4,
      expected: keys,
      actual: meta.totalKeys,
      repair: `set total_keys to ${keys}`,
    });
  }
}
