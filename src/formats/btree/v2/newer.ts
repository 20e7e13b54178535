/**
 * Whether the live meta page is older than the file. A transaction writes its pages once the one
 * before it has its meta page, durably; and before the first of them there is a meta page that is
 * not `closed`. So a page of a later transaction than the next one, or of any later one where the
 * meta page is closed, proves that a meta page was written that is not there. So does a page of the
 * next one, or nearly so, where the other meta page is damaged.
 */
import { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { V2File } from './file.ts';
import { INTERIOR, LEAF, META_PAGES, OVERFLOW } from './layout.ts';
import type { NewestRoot } from './lost-metas.ts';
import { liveOf, type Meta } from './meta.ts';
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

/**
 * Whether the tree below this root is all of a later transaction than the live meta page tells. The
 * root may be that of a part, where the true one was cut off: so both trees must be without damage,
 * the later one have all pages of its transaction, and reach as far as the other one.
 */
export function* isNewer(
  file: V2File,
  { meta, txn, sure }: NewestRoot,
  onAnswer: (isNewer: boolean) => void,
): Steps {
  const { live, pageCount } = file;
  const isShort = live.pages > pageCount || meta.height < live.height;
  if (!sure || isShort || txn <= lastBegun(file)) return;
  const before = new Reach(file);
  yield* before.walk(live);
  const after = new Reach(file);
  yield* after.walk(meta);
  if (!after.covers(before)) return;
  for (let page = META_PAGES; page < pageCount; page++) {
    if (page % 1024 === 0) yield page;
    const opened = file.open(page);
    if (opened?.txn !== txn || after.check.reached(page)) continue;
    if (opened.kind === LEAF || opened.kind === INTERIOR || opened.kind === OVERFLOW) return;
  }
  onAnswer(true);
}

/** How far the keys of a tree go. */
class Reach {
  readonly check: Check;
  #first: Uint8Array | undefined;
  #last: Uint8Array | undefined;

  constructor(readonly file: V2File) {
    this.check = new Check(file, file.pageCount, () => {});
  }

  *walk(meta: Meta): Steps {
    const walk = new V2Walk(this.file, this.check, meta, undefined, undefined, {
      leaf: (_, leaf) => {
        if (leaf.cells === 0) return;
        this.#first ??= new Uint8Array(leaf.key(0));
        this.#last = new Uint8Array(leaf.key(leaf.cells - 1));
      },
      lostValue: () => {
        this.check.lossy = true;
      },
    });
    yield* walk.run();
  }

  covers(other: Reach): boolean {
    if (this.check.lossy || other.check.lossy) return false;
    if (!this.#first || !this.#last || !other.#first || !other.#last) return false;
    const from = Buffer.compare(this.#first, other.#first) <= 0;
    return from && Buffer.compare(this.#last, other.#last) >= 0;
  }
}
