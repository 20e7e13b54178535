/**
 * Whether the live meta page is older than the file. A transaction writes its pages once the one
 * before it has its meta page, durably; and before the first of them there is a meta page that is
 * not `closed`. So a page of a later transaction than the next one, or of any later one where the
 * meta page is closed, proves that a meta page was written that is not there. So does a page of the
 * next one, or nearly so, where the other meta page is damaged.
 */
import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { V2File } from './file.ts';
import { META_PAGES } from './layout.ts';
import type { NewestRoot } from './lost-metas.ts';
import { liveOf } from './meta.ts';
import { readSteadyMetas } from './read-metas.ts';
import { V2Walk } from './walk.ts';

/**
 * The last transaction that may have begun to write pages if nothing is lost. Where the other meta
 * page is, it may have been that of the next one, of which all pages were there before.
 */
function lastBegun({ live, metas }: V2File): number {
  const isAlone = metas.some(({ fault }) => fault !== '');
  return live.closed || isAlone ? live.txn : live.txn + 1;
}

/** Looks at the pages that the tree has not, once it is known which. */
export function* checkNewer(file: V2File, check: Check): Steps {
  const { live, pageCount } = file;
  let newest: { page: number; txn: number } | undefined;
  for (let page = META_PAGES; page < pageCount; page++) {
    if (page % 1024 === 0) yield page;
    const kind = check.kindOf(page);
    if (kind !== KIND.free && kind !== KIND.unused && kind !== KIND.unknown) continue;
    const opened = file.open(page);
    if (opened?.page !== page || !file.isWhole) continue;
    const { txn } = opened;
    if (txn > lastBegun(file) && txn > (newest?.txn ?? 0)) newest = { page, txn };
  }
  // Somebody may have written them since the file was opened: then there is a meta page by now.
  const now = newest && liveOf(readSteadyMetas(file.source));
  if (!newest || (now && now.txn > live.txn)) return;
  const { page, txn } = newest;
  const sure = live.closed || txn > live.txn + 1;
  const is = sure ? 'is' : 'may be';
  const what = `the live meta page ${is} older than the file: page ${page} is of transaction ${txn}`;
  check.finding('meta-bad', what, {
    severity: sure ? 'error' : 'warning',
    page: live.page,
    at: 32,
    length: 8,
    expected: `at least ${txn - 1}`,
    actual: live.txn,
    repair: `take the tree of transaction ${txn}, if all of it is there`,
  });
}

/** Whether the tree below this root is all of a later transaction than the live meta page tells. */
export function* isNewer(
  file: V2File,
  { meta, txn, sure }: NewestRoot,
  check: Check,
  onAnswer: (isNewer: boolean) => void,
): Steps {
  if (!sure || txn <= lastBegun(file)) return;
  let keys = 0;
  const walk = new V2Walk(file, check, meta, undefined, undefined, {
    leaf: (_, leaf) => (keys += leaf.cells),
  });
  yield* walk.run();
  onAnswer(!check.lossy && keys > 0);
}
