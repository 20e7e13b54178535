/** An open file of our own layout: its meta pages, its tree, its free list. */
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Span } from '../../format.ts';
import { Check, finding } from '../check.ts';
import {
  type BtreeFile,
  type BtreeFinding,
  BtreeRow,
  type CheckOptions,
  KIND_NAMES,
  type PageView,
  type Range,
  type RowVisitor,
  type Steps,
  type TreeInfo,
  type TreeNode,
} from '../model.ts';
import { PageCache } from '../page-cache.ts';
import { boundsOf } from '../range.ts';
import { checkFree, checkMetas, checkOwners } from './accounts.ts';
import {
  BLANK,
  FREELIST,
  INTERIOR,
  LEAF,
  META_PAGES,
  OVERFLOW,
  pageCrc,
  storeSeed,
  VALUE_BYTES_MAX,
} from './layout.ts';
import type { ReadMeta } from './meta.ts';
import { checkNewer } from './newer.ts';
import { V2Page } from './page.ts';
import { spansOfPage } from './spans.ts';
import { V2Walk } from './walk.ts';

/** Kinds as pages have them, in the words of the family. */
const KIND_OF: Record<number, string> = {
  [INTERIOR]: 'interior',
  [LEAF]: 'leaf',
  [OVERFLOW]: 'overflow',
  [FREELIST]: 'freelist',
  [BLANK]: 'free',
};

export class V2File implements BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly pageSize: number;
  readonly firstPage = 0;
  readonly pages: PageCache;
  readonly pageCount: number;
  readonly notes: BtreeFinding[] = [];
  readonly trees: readonly TreeInfo[];
  readonly seed: number;
  readonly #page = new V2Page();

  constructor(
    readonly source: ByteSource,
    readonly metas: readonly ReadMeta[],
    readonly live: ReadMeta,
  ) {
    this.name = source.name;
    this.size = source.size ?? 0;
    this.pageSize = live.pageSize;
    this.pages = new PageCache(source, this.size, this.pageSize);
    this.pageCount = Math.floor(this.size / this.pageSize);
    this.seed = storeSeed(live.storeId);
    const root = live.root === 0 ? -1 : live.root;
    this.trees = [{ name: 'tree', kind: 'tree', root }];
  }

  get facts(): Record<string, unknown> {
    const { txn, height, closed, pages, freePages, storeId, page, keys } = this.live;
    return {
      liveMeta: page,
      transaction: txn,
      storeId: storeId.toString(16).padStart(16, '0'),
      closed,
      height,
      totalKeys: keys,
      pagesInUse: pages - freePages,
      otherMeta: this.#wouldDo(),
    };
  }

  #wouldDo(): string {
    const other = this.metas.find((meta) => meta.page !== this.live.page);
    if (other === undefined || other.fault !== '') return `not usable: ${other?.fault}`;
    const { root, rootCrc, txn } = other;
    const whole = root === 0 || (this.load(root) && this.crcOf(root) === rootCrc);
    return `transaction ${txn}, ${whole ? 'would do' : 'its root cannot be read'}`;
  }

  /** Puts the page in view of `pages`. */
  load(page: number): boolean {
    return page >= META_PAGES && page < this.pageCount && this.pages.load(page);
  }

  /** Of the page in view, as it would be were it page number `page`. */
  crcOf(page: number): number {
    const { bytes, view, start, pageSize } = this.pages;
    return pageCrc(this.seed, page, bytes, view, start, pageSize);
  }

  /** The page in view by itself: its checksum is that of a page of this number. */
  get isWhole(): boolean {
    const { view, start, pageSize } = this.pages;
    const page = Math.floor(view.getUint32(start + 4, true));
    return pageSize > 0 && this.crcOf(page) === view.getUint32(start, true);
  }

  lost(onFinding: (finding: BtreeFinding) => void): void {
    if (this.live.fault !== '') checkMetas(this, new Check(this, this.pageCount, onFinding));
  }

  *check(check: Check, options: CheckOptions): Steps {
    checkMetas(this, check);
    if (this.live.fault !== '') return;
    const walk = new V2Walk(this, check, this.live);
    yield* walk.run();
    yield* checkFree(this, check);
    checkOwners(this, check, walk.stat.keys);
    yield* checkNewer(this, check);
    if (options.deep) yield* this.#checkOther(check);
  }

  /** Whether the other meta page's tree is whole: what a rollback by a transaction would give. */
  *#checkOther(check: Check): Steps {
    const { page: live } = this.live;
    const other = this.metas.find((meta) => meta.page !== live && meta.fault === '');
    if (!other) return;
    let faults = 0;
    const quiet = new Check(this, this.pageCount, () => faults++);
    yield* new V2Walk(this, quiet, other).run();
    const verdict = faults === 0 ? 'is whole' : `has ${faults} findings`;
    const what = `the tree of the other meta page, transaction ${other.txn}, ${verdict}`;
    check.onFinding(finding(this, 'other-meta', what, { page: other.page, severity: 'info' }));
  }

  *rows(_tree: TreeInfo, range: Range, visitor: RowVisitor): Steps {
    if (this.live.fault !== '') return;
    const check = new Check(this, this.pageCount, (finding) => visitor.finding(finding));
    yield* new V2Walk(this, check, this.live, boundsOf(range), visitor).run();
  }

  /** Fills in all but the value; false if that has to be put together. */
  rowOf(row: BtreeRow, leaf: V2Page, page: number, slot: number): boolean {
    row.page = page;
    row.slot = slot;
    row.bytes = leaf.bytes;
    row.valueBytes = leaf.bytes;
    row.keyStart = leaf.keyStart(slot);
    row.keyEnd = leaf.keyEnd(slot);
    row.valueStart = row.keyEnd;
    row.valueEnd = leaf.end[slot]!;
    row.offset = page * this.pageSize + leaf.at[slot]! - leaf.start;
    row.length = leaf.end[slot]! - leaf.at[slot]!;
    return !leaf.inOverflow(slot);
  }

  loose(page: number, visitor: RowVisitor): void {
    if (!this.load(page) || !this.isWhole) return;
    const leaf = new V2Page();
    const { bytes, start, pageSize } = this.pages;
    // A copy, since a value that is put together takes other pages into view.
    const copy = bytes.slice(start, start + pageSize);
    if (!leaf.parse(copy, new DataView(copy.buffer), 0, pageSize) || !leaf.leaf) return;
    const row = new BtreeRow();
    row.tree = 'tree';
    for (let i = 0; i < leaf.cells && !visitor.done(); i++) {
      if (!this.rowOf(row, leaf, page, i)) {
        const value = this.value(leaf, i);
        if (value === undefined) continue;
        row.valueBytes = value;
        row.valueStart = 0;
        row.valueEnd = value.length;
      }
      visitor.row(row);
    }
  }

  /** A value from its overflow pages, if all of them check; pages that it goes through are told. */
  value(leaf: V2Page, slot: number, onPage?: (page: number) => boolean): Uint8Array | undefined {
    const { length, page: first, crc: firstCrc } = leaf.overflowOf(slot);
    if (length > VALUE_BYTES_MAX || length > this.size) return undefined;
    const value = new Uint8Array(length);
    let page = first;
    let crc = firstCrc;
    let done = 0;
    const part = this.#page;
    while (done < length) {
      if (!this.load(page) || this.crcOf(page) !== crc || onPage?.(page) === false)
        return undefined;
      const { bytes, view, start, pageSize } = this.pages;
      part.parse(bytes, view, start, pageSize);
      const most = Math.min(pageSize - 32, length - done);
      if (part.kind !== OVERFLOW || part.length !== most) return undefined;
      value.set(bytes.subarray(start + 32, start + 32 + most), done);
      done += most;
      page = part.link;
      crc = part.linkCrc;
    }
    return page === 0 ? value : undefined;
  }

  /** The page by its own word; undefined if the file does not have it. */
  open(page: number): V2Page | undefined {
    if (!this.load(page)) return undefined;
    const { bytes, view, start, pageSize } = this.pages;
    this.#page.parse(bytes, view, start, pageSize);
    return this.#page;
  }

  describe(page: number, kind: number): PageView {
    const offset = page * this.pageSize;
    const view: PageView = { page, kind: KIND_NAMES[kind]!, offset, fields: {}, cells: [] };
    if (page < META_PAGES) {
      const { storeId, fault, ...fields } = this.metas[page]!;
      const id = storeId.toString(16).padStart(16, '0');
      const shown = { ...view, fields: { ...fields, storeId: id, live: page === this.live.page } };
      return fault === '' ? shown : { ...shown, damage: fault };
    }
    const opened = this.open(page);
    if (!opened) return { ...view, damage: 'the file does not hold this page' };
    const { level, count, txn, link, used } = opened;
    const holds = KIND_OF[opened.kind] ?? 'nothing known';
    view.fields = { holds, transaction: txn };
    if (opened.leaf) Object.assign(view.fields, { count, used });
    else if (opened.kind === INTERIOR)
      Object.assign(view.fields, { level, count, used, child: link });
    else Object.assign(view.fields, { next: link });
    for (let i = 0; i < opened.cells; i++) view.cells.push(this.#cell(opened, i));
    if (!this.isWhole) view.damage = 'its checksum does not hold';
    return view;
  }

  #cell(page: V2Page, i: number): Record<string, unknown> {
    const cell = { slot: i, offset: page.at[i]! - page.start, key: bytesValue(page.key(i)) };
    if (!page.leaf) return { ...cell, child: page.child(i + 1) };
    if (page.inOverflow(i)) return { ...cell, overflow: page.overflowOf(i) };
    return { ...cell, value: bytesValue(page.bytes, page.keyEnd(i), page.end[i]) };
  }

  node(page: number): TreeNode {
    const opened = this.open(page);
    if (!opened) return { page, kind: 'missing', keys: 0, children: [], damage: 'not in the file' };
    const { cells, kind } = opened;
    const node: TreeNode = { page, kind: KIND_OF[kind] ?? 'unknown', keys: cells, children: [] };
    if (cells > 0) {
      node.first = bytesValue(opened.key(0));
      node.last = bytesValue(opened.key(cells - 1));
    }
    if (!this.isWhole) node.damage = 'page-checksum';
    else if (kind === INTERIOR)
      for (let i = 0; i <= cells; i++) node.children.push(opened.child(i));
    return node;
  }

  spans(page: number, kind: number): Span {
    return spansOfPage(this, page < META_PAGES ? undefined : this.open(page), page, kind);
  }

  close(): void {
    this.source.close?.();
  }
}
