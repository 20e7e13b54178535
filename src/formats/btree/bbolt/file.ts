/** An open bbolt file: its live meta page, its buckets, its free list. */
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Span } from '../../format.ts';
import { Check, finding, keepLost } from '../check.ts';
import {
  type BtreeFile,
  type BtreeFinding,
  type BtreeRow,
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
import { checkFreelist } from './freelist.ts';
import { BRANCH, BUCKET_FLAG, COUNT_AT, FLAGS_AT, LEAF, META } from './layout.ts';
import type { Meta } from './meta.ts';
import { Node } from './node.ts';
import { spansOfPage } from './spans.ts';
import { BboltWalk, type Met } from './walk.ts';

export class BboltFile implements BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly firstPage = 0;
  readonly pages: PageCache;
  readonly pageCount: number;
  readonly notes: BtreeFinding[] = [];
  readonly highWater: number;
  #trees: TreeInfo[] | undefined;
  /** What was met on the way to them. */
  readonly #lost: BtreeFinding[] = [];

  constructor(
    readonly source: ByteSource,
    readonly pageSize: number,
    readonly metas: readonly Meta[],
    readonly live: Meta,
    /** Pages that go on in others are read whole up to this. */
    readonly runBytesMax: number,
  ) {
    this.name = source.name;
    this.size = source.size ?? 0;
    this.pages = new PageCache(source, this.size, pageSize);
    this.pageCount = Math.floor(this.size / pageSize);
    this.highWater = Math.min(live.highWater, this.pageCount);
  }

  /** The buckets of the root; those in them are read with them. */
  get trees(): readonly TreeInfo[] {
    if (this.#trees) return this.#trees;
    const trees: TreeInfo[] = [];
    const check = new Check(this, this.pageCount, (one) => keepLost(this.#lost, one));
    const walk = new BboltWalk(this, check, {
      onBucket: ({ name, root, page }) => {
        trees.push({ name, kind: 'bucket', root: root === 0 ? page : root });
        return false;
      },
    });
    for (const _ of walk.bucket(this.rootBucket(this.live))) if (trees.length > 1_000_000) break;
    this.#trees = trees;
    return trees;
  }

  rootBucket(meta: Meta): Met {
    return { name: '', root: meta.root, inline: undefined, page: meta.page };
  }

  get facts(): Record<string, unknown> {
    const { live, metas } = this;
    const other = metas.find((meta) => meta !== live);
    return {
      liveMeta: live.page,
      transaction: live.txid,
      highWater: live.highWater,
      freelist: live.freelist < 0 ? 'not kept' : live.freelist,
      otherMeta: other === undefined ? 'missing' : this.#wouldDo(other),
    };
  }

  #wouldDo(other: Meta): string {
    if (other.fault !== '') return `not usable: ${other.fault}`;
    const node = this.open(other.root);
    const readable = node !== undefined && node.id === other.root && node.elements === node.count;
    return `transaction ${other.txid}, ${readable ? 'would do' : 'its root cannot be read'}`;
  }

  lost(onFinding: (finding: BtreeFinding) => void): void {
    if (this.live.fault !== '') {
      this.#checkMetas(new Check(this, this.pageCount, onFinding));
      return;
    }
    void this.trees; // what is in the way is met by looking for them
    for (const one of this.#lost) onFinding(one);
  }

  #checkMetas(check: Check): void {
    for (const meta of this.metas) {
      check.claim(meta.page, KIND.meta);
      if (meta.fault === '') continue;
      const what = `the meta page is not valid: ${meta.fault}`;
      const { page, expected, actual } = meta;
      const severity = this.live.fault === '' ? 'warning' : 'error';
      check.finding('meta-bad', what, { page, expected, actual, severity });
    }
  }

  *check(check: Check, options: CheckOptions): Steps {
    this.#checkMetas(check);
    if (this.live.highWater > this.pageCount) {
      check.finding('file-short', 'the file has fewer pages than its meta page says', {
        at: this.size,
        expected: this.live.highWater,
        actual: this.pageCount,
      });
    }
    yield* new BboltWalk(this, check).bucket(this.rootBucket(this.live));
    yield* checkFreelist(this, check);
    for (let page = 2; page < this.highWater; page++) {
      if (check.reached(page)) continue;
      if (this.live.freelist < 0) {
        // Without a list, what hung below a page that is lost cannot be told from free pages.
        if (!check.lossy || !this.isNode(page)) check.claim(page, KIND.free);
      } else {
        const what = 'the page belongs to nobody: neither a bucket nor the free list has it';
        check.finding('page-leaked', what, { page, severity: 'warning' });
      }
    }
    // A meta page that is lost may have been the later one: then its leaves are lost too.
    const sure = this.metas.every(({ fault }) => fault === '');
    for (let page = this.highWater; page < this.pageCount; page++) {
      if (sure || !this.isNode(page)) check.claim(page, KIND.unused);
    }
    if (options.deep) yield* this.#checkOther(check);
  }

  /** Whether the other meta page's tree is whole: what a rollback by a transaction would give. */
  *#checkOther(check: Check): Steps {
    const other = this.metas.find((meta) => meta !== this.live && meta.fault === '');
    if (!other) return;
    let faults = 0;
    const quiet = new Check(this, this.pageCount, () => faults++);
    yield* new BboltWalk(this, quiet).bucket(this.rootBucket(other));
    const verdict = faults === 0 ? 'is whole' : `has ${faults} findings`;
    const what = `the tree of the other meta page, transaction ${other.txid}, ${verdict}`;
    check.onFinding(finding(this, 'other-meta', what, { page: other.page, severity: 'info' }));
  }

  other(check: Check): OtherTree | undefined {
    const { live, pageCount } = this;
    const other = this.metas.find((meta) => meta !== live);
    if (!other) return undefined;
    const known = other.fault === '' || this.isNode(other.root);
    const earlier = live.fault === '' && known && other.txid < live.txid;
    const older = other.fault === '' || earlier;
    if (older && !check.pageLost) return undefined;
    if (!known) return leftOverTree(this, check);
    const bucket = this.rootBucket(other);
    const rows = (visitor: RowVisitor) => {
      const own = new Check(this, pageCount, () => {});
      return new BboltWalk(this, own, { rows: visitor, end: pageCount }).bucket(bucket);
    };
    return { older, rows };
  }

  *rows(tree: TreeInfo, range: Range, visitor: RowVisitor): Steps {
    const check = new Check(this, this.pageCount, (finding) => visitor.finding(finding));
    const found = this.#met(tree.name);
    if (!found) return;
    yield* new BboltWalk(this, check, { rows: visitor, bounds: boundsOf(range) }).bucket(found);
  }

  findTree(name: string): TreeInfo | undefined {
    const met = this.#met(name);
    return met && { name, kind: 'bucket', root: met.root === 0 ? met.page : met.root };
  }

  /** Goes down by the names of the buckets on the way. */
  #met(name: string): Met | undefined {
    let found: Met | undefined;
    const check = new Check(this, this.pageCount, () => {});
    const walk = new BboltWalk(this, check, {
      onBucket: (bucket) => {
        if (bucket.name === name) found = bucket;
        return found === undefined && name.startsWith(`${bucket.name}/`);
      },
    });
    for (const _ of walk.bucket(this.rootBucket(this.live))) if (found) break;
    return found;
  }

  rowOf(row: BtreeRow, leaf: Node, page: number, i: number, inline: boolean): BtreeRow {
    const keyEnd = leaf.keyEnd(i);
    const slot = leaf.slot(i);
    row.part = false;
    const key = leaf.keyStart(i);
    return this.#filled(row, leaf, page, slot, inline, key, keyEnd, leaf.valueEnd(i));
  }

  /** What there is of an element whose value is cut. */
  partOf(row: BtreeRow, leaf: Node, page: number, slot: number, inline: boolean): BtreeRow {
    const { key, keyEnd, valueEnd } = leaf.cutAt(slot);
    row.part = true;
    return this.#filled(row, leaf, page, slot, inline, key, keyEnd, valueEnd);
  }

  #filled(
    row: BtreeRow,
    leaf: Node,
    page: number,
    slot: number,
    inline: boolean,
    key: number,
    keyEnd: number,
    valueEnd: number,
  ): BtreeRow {
    row.page = page;
    row.slot = slot;
    row.bytes = leaf.bytes;
    row.valueBytes = leaf.bytes;
    row.keyStart = key;
    row.keyEnd = keyEnd;
    row.valueStart = keyEnd;
    row.valueEnd = valueEnd;
    // What lies in a value of another leaf has no place but that leaf.
    row.offset = page * this.pageSize + (inline ? 0 : key - leaf.start);
    row.length = valueEnd - key;
    return row;
  }

  /** Fills `into` with `count` pages. */
  readRun(page: number, count: number, into: Uint8Array): void {
    for (let i = 0; i < count; i++) {
      if (!this.pages.load(page + i)) return;
      const { bytes, start } = this.pages;
      into.set(bytes.subarray(start, start + this.pageSize), i * this.pageSize);
    }
  }

  /**
   * How many pages the one that is in view of `node` has. Where it would go on behind the end, as
   * many as its elements need of those that there are.
   */
  runAt(node: Node, page: number, end: number): number {
    const count = node.overflow + 1;
    if (page + count <= end) return count;
    const needed = Math.ceil((node.needed ?? Number.POSITIVE_INFINITY) / this.pageSize);
    return Math.min(needed, end - page);
  }

  /** A page by itself, with those that it goes on in; undefined if the file does not have it. */
  open(page: number): Node | undefined {
    if (page < 0 || page >= this.pageCount || !this.pages.load(page)) return undefined;
    const node = new Node();
    const { bytes, view, start } = this.pages;
    node.parse(bytes, view, start, start + this.pageSize);
    const count = this.runAt(node, page, this.pageCount);
    if (count * this.pageSize > this.runBytesMax) return node;
    const copy = new Uint8Array(count * this.pageSize);
    this.readRun(page, count, copy);
    node.parse(copy, new DataView(copy.buffer), 0, copy.length);
    return node;
  }

  /** The page says of itself that it is one of a bucket. */
  isNode(page: number): boolean {
    if (!this.pages.load(page)) return false;
    const { view, start } = this.pages;
    const flags = view.getUint16(start + FLAGS_AT, true);
    const count = view.getUint16(start + COUNT_AT, true);
    return u64(view, start) === page && (flags === LEAF || flags === BRANCH) && count > 0;
  }

  loose(page: number, visitor: RowVisitor): void {
    const node = page < 2 ? undefined : this.open(page);
    if (!node?.leaf || node.id !== page) return;
    const walk = new BboltWalk(this, new Check(this, 0, () => {}), {
      rows: visitor,
      onBucket: ({ inline }) => inline !== undefined,
    });
    for (const _ of walk.loose(node, page)) if (visitor.done()) return;
  }

  describe(page: number, kind: number): PageView {
    const offset = page * this.pageSize;
    const view: PageView = { page, kind: KIND_NAMES[kind]!, offset, fields: {}, cells: [] };
    const node = this.open(page);
    if (!node) return { ...view, damage: 'the file does not hold this page' };
    if (kind === KIND.overflow || kind === KIND.unused) return view;
    const { id, flags, stated: count, overflow } = node;
    view.fields = { id, flags, count, overflow };
    const meta = flags === META ? this.metas.find((one) => one.page === page) : undefined;
    if (meta) view.fields = { ...view.fields, ...meta };
    for (let i = 0; i < node.elements; i++) {
      const key = bytesValue(node.key(i));
      const at = node.keyStart(i) - node.start;
      if (!node.leaf)
        view.cells.push({ slot: node.slot(i), offset: at, key, child: node.child(i) });
      else {
        const value = bytesValue(node.bytes, node.keyEnd(i), node.valueEnd(i));
        const bucket = node.elementFlags(i) === BUCKET_FLAG;
        view.cells.push({
          slot: node.slot(i),
          offset: at,
          key,
          ...(bucket ? { bucket: value } : { value }),
        });
      }
    }
    return view;
  }

  node(page: number): TreeNode {
    const opened = this.open(page);
    if (!opened) return { page, kind: 'missing', keys: 0, children: [], damage: 'not in the file' };
    const { leaf, elements, count, stated } = opened;
    const node: TreeNode = {
      page,
      kind: leaf ? 'leaf' : 'interior',
      keys: elements,
      children: [],
    };
    if (elements > 0) {
      node.first = bytesValue(opened.key(0));
      node.last = bytesValue(opened.key(elements - 1));
    }
    if (!leaf) for (let i = 0; i < elements; i++) node.children.push(opened.child(i));
    if (elements < count) node.damage = 'page-overflow';
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
