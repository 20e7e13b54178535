/** An open LMDB file: its live meta page, its databases, the database of free pages. */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Span } from '../../format.ts';
import { Check, finding } from '../check.ts';
import {
  type BtreeFile,
  type BtreeFinding,
  type CheckOptions,
  KIND,
  KIND_NAMES,
  type PageView,
  type Range,
  type RowVisitor,
  type Steps,
  type TreeInfo,
  type TreeNode,
} from '../model.ts';
import { leftOverTree, type OtherTree } from '../other-tree.ts';
import { PageCache } from '../page-cache.ts';
import { boundsOf } from '../range.ts';
import { u64 } from '../u64.ts';
import { checkFreePages } from './free-pages.ts';
import { F_BIGDATA, FREE_NAME, MAIN_NAME, P_BRANCH, P_LEAF, P_LEAF2 } from './layout.ts';
import type { Database, Meta } from './meta.ts';
import { LmdbPage } from './page.ts';
import { spansOfPage } from './spans.ts';
import { LmdbWalk, type Met } from './walk.ts';

/** What `rows` reads, where the databases within the main one are read with it. */
const EVERYTHING = 'databases';

interface Named {
  name: string;
  database: Database;
  page: number;
}

export class LmdbFile implements BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly firstPage = 0;
  readonly pages: PageCache;
  readonly pageCount: number;
  readonly notes: BtreeFinding[] = [];
  readonly trees: readonly TreeInfo[];
  #lost: Check | undefined;

  constructor(
    readonly source: ByteSource,
    readonly pageSize: number,
    readonly metas: readonly Meta[],
    readonly live: Meta,
    /** Longer values are not put together. */
    readonly valueBytesMax: number,
  ) {
    this.name = source.name;
    this.size = source.size ?? 0;
    this.pages = new PageCache(source, this.size, pageSize);
    this.pageCount = Math.floor(this.size / pageSize);
    this.trees = [
      { name: MAIN_NAME, kind: EVERYTHING, root: live.main.root },
      { name: FREE_NAME, kind: 'database', root: live.free.root, secondary: true },
    ];
  }

  get facts(): Record<string, unknown> {
    const { live, metas } = this;
    const other = metas.find((meta) => meta !== live);
    return {
      liveMeta: live.page,
      transaction: live.txnid,
      mapSize: live.mapSize,
      lastPage: live.lastPage,
      otherMeta: other === undefined ? 'missing' : this.#wouldDo(other),
    };
  }

  #wouldDo(other: Meta): string {
    if (other.fault !== '') return `not usable: ${other.fault}`;
    const { root } = other.main;
    const page = root < 0 ? undefined : this.open(root);
    const readable = root < 0 || (page?.pgno === root && page.nodes === page.count);
    return `transaction ${other.txnid}, ${readable ? 'would do' : 'its root cannot be read'}`;
  }

  lost(onFinding: (finding: BtreeFinding) => void): void {
    if (this.live.fault !== '') this.#checkMetas(new Check(this, this.pageCount, onFinding));
  }

  #checkMetas(check: Check): void {
    const { live } = this;
    for (const meta of this.metas) {
      check.claim(meta.page, KIND.meta);
      if (meta.fault === '') continue;
      const what = `the meta page is not valid: ${meta.fault}`;
      const { page, expected, actual } = meta;
      const severity = live.fault === '' ? 'warning' : 'error';
      check.finding('meta-bad', what, { page, expected, actual, severity });
    }
  }

  *check(check: Check, options: CheckOptions): Steps {
    const { live } = this;
    this.#checkMetas(check);
    yield* this.#databases(check, live);
    yield* checkFreePages(this, check);
    const end = Math.min(live.lastPage + 1, this.pageCount);
    for (let page = 2; page < end; page++) {
      if (check.reached(page)) continue;
      const what = 'the page belongs to nobody: neither a database nor the free pages have it';
      check.finding('page-leaked', what, { page, severity: 'warning' });
    }
    // A meta page that is lost may have been the later one: then its leaves are lost too.
    const sure = this.metas.every(({ fault }) => fault === '');
    for (let page = end; page < this.pageCount; page++) {
      if (sure || !this.#isLeaf(page)) check.claim(page, KIND.unused);
    }
    if (options.deep) yield* this.#checkOther(check);
  }

  /** The main database, then those in it. */
  *#databases(check: Check, meta: Meta): Steps {
    const met: Met[] = [];
    const walk = new LmdbWalk(this, check, { onDatabase: (one) => met.push(one) });
    yield* walk.database(MAIN_NAME, 'database', meta.main, meta.page);
    for (const { name, database, page } of met) {
      yield* new LmdbWalk(this, check).database(nameOf(name), 'database', database, page);
    }
  }

  *#checkOther(check: Check): Steps {
    const other = this.metas.find((meta) => meta !== this.live && meta.fault === '');
    if (!other) return;
    let faults = 0;
    const quiet = new Check(this, this.pageCount, () => faults++);
    yield* this.#databases(quiet, other);
    const verdict = faults === 0 ? 'is whole' : `has ${faults} findings`;
    const what = `the tree of the other meta page, transaction ${other.txnid}, ${verdict}`;
    check.onFinding(finding(this, 'other-meta', what, { page: other.page, severity: 'info' }));
  }

  other(check: Check): OtherTree | undefined {
    const { live } = this;
    const other = this.metas.find((meta) => meta !== live);
    if (!other) return undefined;
    const { root } = other.main;
    const known = other.fault === '' || (root > 1 && this.open(root)?.pgno === root);
    const earlier = live.fault === '' && known && other.txnid < live.txnid;
    // Transactions take the meta pages in turn: further apart, a number is not what was written.
    const next = live.txnid - other.txnid <= 1;
    const older = other.fault === '' ? next : earlier;
    if (older && !check.pageLost) return undefined;
    if (!known) {
      const { rows } = leftOverTree(this, check);
      return { older, rows: (visitor) => this.#again(rows(visitor)) };
    }
    return { older, rows: (visitor) => this.#rowsOf(other, visitor) };
  }

  /** Long values of lost leaves are read in one walk as in the next. */
  *#again(steps: Steps): Steps {
    this.#lost = undefined;
    yield* steps;
    this.#lost = undefined;
  }

  *#rowsOf(meta: Meta, visitor: RowVisitor): Steps {
    const check = new Check(this, this.pageCount, () => {});
    const options = { rows: visitor, end: this.pageCount };
    const met: Met[] = [];
    const walk = new LmdbWalk(this, check, { ...options, onDatabase: (one) => met.push(one) });
    yield* walk.database(MAIN_NAME, 'database', meta.main, meta.page);
    for (const { name, database, page } of met) {
      yield* new LmdbWalk(this, check, options).database(nameOf(name), 'database', database, page);
    }
  }

  *rows(tree: TreeInfo, range: Range, visitor: RowVisitor): Steps {
    const check = new Check(this, this.pageCount, (one) => visitor.finding(one));
    const named = this.#named(tree.name);
    if (!named) return;
    const bounds = boundsOf(range);
    const met: Met[] = [];
    const options = { rows: visitor, bounds, onDatabase: (one: Met) => met.push(one) };
    const walk = new LmdbWalk(this, check, options);
    yield* walk.database(named.name, 'database', named.database, named.page);
    if (tree.kind !== EVERYTHING) return;
    for (const { name, database, page } of met) {
      if (visitor.done()) return;
      const inner = new LmdbWalk(this, check, { rows: visitor, bounds });
      yield* inner.database(nameOf(name), 'database', database, page);
    }
  }

  findTree(name: string): TreeInfo | undefined {
    const named = this.#named(name);
    return named && { name, kind: 'database', root: named.database.root };
  }

  namesWithin(most: number): string[] {
    const names: string[] = [];
    const { main, page } = this.live;
    const check = new Check(this, this.pageCount, () => {});
    const walk = new LmdbWalk(this, check, { onDatabase: (met) => names.push(nameOf(met.name)) });
    for (const _ of walk.database(MAIN_NAME, 'database', main, page)) {
      if (names.length >= most) break;
    }
    return names;
  }

  #named(name: string): Named | undefined {
    const { live } = this;
    if (name === MAIN_NAME) return { name, database: live.main, page: live.page };
    if (name === FREE_NAME) return { name, database: live.free, page: live.page };
    let found: Named | undefined;
    const check = new Check(this, this.pageCount, () => {});
    const walk = new LmdbWalk(this, check, {
      onDatabase: (met) => {
        if (nameOf(met.name) === name) found = { name, database: met.database, page: met.page };
      },
    });
    for (const _ of walk.database(MAIN_NAME, 'database', live.main, live.page)) if (found) break;
    return found;
  }

  /** Fills `into` with `count` pages. */
  readRun(page: number, count: number, into: Uint8Array): void {
    for (let i = 0; i < count; i++) {
      if (!this.pages.load(page + i)) return;
      const { bytes, start } = this.pages;
      into.set(bytes.subarray(start, start + this.pageSize), i * this.pageSize);
    }
  }

  /** A copy of a page by itself. */
  open(page: number): LmdbPage | undefined {
    if (page < 0 || !this.pages.load(page)) return undefined;
    const { bytes, start } = this.pages;
    const copy = bytes.slice(start, start + this.pageSize);
    const opened = new LmdbPage();
    opened.parse(copy, new DataView(copy.buffer), 0, copy.length);
    return opened;
  }

  #isLeaf(page: number): boolean {
    const opened = this.open(page);
    return opened !== undefined && isLeaf(opened, page) && opened.nodes > 0;
  }

  loose(page: number, visitor: RowVisitor): void {
    const opened = page < 2 ? undefined : this.open(page);
    if (!opened || !isLeaf(opened, page)) return;
    // Kept, so that no value is read more often than once, however many lost leaves lead to it.
    this.#lost ??= new Check(this, this.pageCount, () => {});
    const walk = new LmdbWalk(this, this.#lost, { rows: visitor, end: this.pageCount });
    for (const _ of walk.loose(opened, page)) if (visitor.done()) return;
  }

  describe(page: number, kind: number): PageView {
    const offset = page * this.pageSize;
    const view: PageView = { page, kind: KIND_NAMES[kind]!, offset, fields: {}, cells: [] };
    const opened = this.open(page);
    if (!opened) return { ...view, damage: 'the file does not hold this page' };
    if (kind === KIND.free || kind === KIND.unused) return view;
    const meta = this.metas.find((one) => one.page === page);
    const { pgno, flags, lower, upper, pad } = opened;
    if (meta) return { ...view, fields: { pgno, flags, ...meta } };
    if ((flags & (P_LEAF | P_BRANCH)) === 0) return view;
    view.fields = { pgno, flags, ...(opened.leaf2 && { pad }), lower, upper };
    for (let i = 0; i < opened.nodes; i++) {
      const key = bytesValue(opened.key(i));
      const at = opened.keyStart(i);
      const cell = { slot: opened.slot(i), offset: opened.leaf2 ? at : opened.node(i), key };
      if (opened.leaf2) view.cells.push(cell);
      else if (!opened.leaf) view.cells.push({ ...cell, child: opened.child(i) });
      else view.cells.push({ ...cell, ...this.#data(opened, i) });
    }
    return view;
  }

  #data(page: LmdbPage, i: number): Record<string, unknown> {
    const flags = page.nodeFlags(i);
    const from = page.keyEnd(i);
    const size = page.dataSize(i);
    if ((flags & F_BIGDATA) !== 0) return { size, overflow: u64(page.view, from) };
    const value = bytesValue(page.bytes, from, from + size);
    return flags === 0 ? { value } : { flags, value };
  }

  node(page: number): TreeNode {
    const opened = this.open(page);
    const known = opened && [P_BRANCH, P_LEAF, P_LEAF | P_LEAF2].includes(opened.flags);
    if (!known) return { page, kind: 'missing', keys: 0, children: [], damage: 'not of a tree' };
    const { leaf, nodes, count, stated } = opened;
    const node: TreeNode = { page, kind: leaf ? 'leaf' : 'interior', keys: nodes, children: [] };
    const first = leaf ? 0 : 1;
    if (nodes > first) {
      node.first = bytesValue(opened.key(first));
      node.last = bytesValue(opened.key(nodes - 1));
    }
    if (!leaf) for (let i = 0; i < nodes; i++) node.children.push(opened.child(i));
    if (nodes < count) node.damage = 'page-overflow';
    else if (count !== stated) node.damage = 'key-count';
    return node;
  }

  spans(page: number, kind: number): Span {
    return spansOfPage(this, page, kind);
  }

  close(): void {
    this.source.close?.();
  }
}

function isLeaf({ flags, pgno }: LmdbPage, page: number): boolean {
  return pgno === page && (flags & ~P_LEAF2) === P_LEAF;
}

function nameOf(key: Uint8Array): string {
  return isUtf8(key) ? Buffer.from(key).toString('utf8') : `hex:${toHex(key)}`;
}
