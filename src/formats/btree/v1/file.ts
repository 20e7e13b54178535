/** An open textbook B+tree: its metadata, its pages, its redo log if there is one. */
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Span } from '../../format.ts';
import { Check } from '../check.ts';
import {
  type BtreeFile,
  type BtreeFinding,
  BtreeRow,
  KIND,
  KIND_NAMES,
  type PageView,
  type Range,
  type RowVisitor,
  type Steps,
  type TreeInfo,
  type TreeNode,
} from '../model.ts';
import { type Overlay, PageCache } from '../page-cache.ts';
import { boundsOf } from '../range.ts';
import { checkFree, checkMeta, checkOwners, checkRoot } from './accounts.ts';
import { TYPE_LEAF } from './layout.ts';
import { readMeta, type V1Meta } from './meta.ts';
import { V1Page } from './page.ts';
import { spansOfPage } from './spans.ts';
import { V1Walk } from './walk.ts';

export class V1File implements BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly firstPage = 0;
  readonly pages: PageCache;
  readonly pageCount: number;
  readonly meta: V1Meta;
  readonly notes: BtreeFinding[] = [];
  /** Length of a log beside it of which nothing is seen. */
  unseenLog = 0;
  readonly trees: readonly TreeInfo[];
  readonly #page = new V1Page();

  constructor(
    readonly source: ByteSource,
    readonly pageSize: number,
    /** Page images of the redo log, and the last page that one is of. */
    readonly overlay?: Overlay & {
      readonly pages: readonly number[];
      readonly source: ByteSource;
      readonly end: number;
    },
  ) {
    this.name = source.name;
    this.size = source.size ?? 0;
    this.pages = new PageCache(source, this.size, pageSize, 0, overlay);
    const logged = Math.max(-1, ...(overlay?.pages ?? []));
    this.pageCount = Math.max(Math.floor(this.size / pageSize), logged + 1);
    this.meta = this.pages.load(0)
      ? readMeta(this.pages.view, this.pages.start)
      : { root: 0, height: 0, totalKeys: 0, nextFree: 0, freeHead: 0 };
    this.trees = [{ name: 'tree', kind: 'tree', root: this.meta.root }];
  }

  get facts(): Record<string, unknown> {
    const { overlay, meta } = this;
    return { ...meta, ...(overlay && { redoPages: overlay.pages }) };
  }

  *check(check: Check): Steps {
    checkMeta(this, check);
    const walk = new V1Walk(this, check);
    yield* walk.run();
    yield* checkFree(this, check);
    yield* checkRoot(this, check);
    checkOwners(this, check, walk.stat.keys);
  }

  *rows(_tree: TreeInfo, range: Range, visitor: RowVisitor): Steps {
    const check = new Check(this, this.pageCount, (finding) => visitor.finding(finding));
    yield* new V1Walk(this, check, boundsOf(range), visitor).run();
  }

  rowOf(row: BtreeRow, leaf: V1Page, page: number, slot: number): BtreeRow {
    row.page = page;
    row.slot = slot;
    row.bytes = leaf.bytes;
    row.valueBytes = leaf.bytes;
    row.keyStart = leaf.keyStart[slot]!;
    row.keyEnd = leaf.keyEnd[slot]!;
    row.valueStart = leaf.third[slot]!;
    row.valueEnd = leaf.fourth[slot]!;
    row.offset = page * this.pageSize + row.keyStart - 2 - leaf.start;
    row.length = row.valueEnd - row.keyStart + 2;
    return row;
  }

  loose(page: number, visitor: RowVisitor): void {
    const { pages, pageSize } = this;
    if (page === 0 || !pages.load(page) || pages.bytes[pages.start] !== TYPE_LEAF) return;
    const leaf = this.#page;
    const whole = leaf.parse(pages.bytes, pages.view, pages.start, pageSize, true);
    if (!whole) return;
    const row = new BtreeRow();
    row.tree = 'tree';
    for (let i = 0; i < leaf.cells && !visitor.done(); i++) {
      visitor.row(this.rowOf(row, leaf, page, i));
    }
  }

  /** Parsed by its own word, or as what the walk took it for. */
  #open(page: number, kind: number): V1Page | undefined {
    const { pages, pageSize } = this;
    if (!pages.load(page)) return undefined;
    const leaf =
      kind === KIND.leaf || (kind === KIND.unknown && pages.bytes[pages.start] === TYPE_LEAF);
    this.#page.parse(pages.bytes, pages.view, pages.start, pageSize, leaf);
    return this.#page;
  }

  describe(page: number, kind: number): PageView {
    const view: PageView = {
      page,
      kind: KIND_NAMES[kind]!,
      offset: page * this.pageSize,
      fields: {},
      cells: [],
    };
    if (page === 0) {
      view.fields = { ...this.meta };
      return view;
    }
    const opened = this.#open(page, kind);
    if (!opened) return { ...view, damage: 'the file does not hold this page' };
    const { type, count, link, used } = opened;
    if (kind === KIND.free) {
      view.fields = { type, count, next: link };
      return view;
    }
    const name = opened.leaf ? 'next_sibling' : 'child';
    view.fields = { type, count, [name]: link, used };
    for (let i = 0; i < opened.cells; i++) {
      const key = bytesValue(opened.bytes, opened.keyStart[i], opened.keyEnd[i]);
      const offset = opened.keyStart[i]! - 2 - opened.start;
      const { third, fourth } = opened;
      view.cells.push(
        opened.leaf
          ? { slot: i, offset, key, value: bytesValue(opened.bytes, third[i], fourth[i]) }
          : { slot: i, offset, key, child: third[i] },
      );
    }
    if (opened.cells < count) view.damage = `${count} cells, ${opened.cells} of them in the page`;
    return view;
  }

  node(page: number): TreeNode {
    const opened = this.#open(page, KIND.unknown);
    if (!opened) return { page, kind: 'missing', keys: 0, children: [], damage: 'not in the file' };
    const { leaf, cells } = opened;
    const node: TreeNode = { page, kind: leaf ? 'leaf' : 'interior', keys: cells, children: [] };
    if (cells > 0) {
      node.first = bytesValue(opened.key(0));
      node.last = bytesValue(opened.key(cells - 1));
    }
    if (!leaf) for (let i = 0; i <= cells; i++) node.children.push(opened.child(i));
    if (cells < opened.count) node.damage = 'page-overflow';
    return node;
  }

  spans(page: number, kind: number): Span {
    return spansOfPage(this, this.#open(page, kind), page, kind);
  }

  close(): void {
    this.overlay?.source.close?.();
    this.source.close?.();
  }
}
