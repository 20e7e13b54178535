/**
 * The walk through a textbook B+tree, from the root down and from left to right: rows and damage
 * alike, in key order. Each page is visited once, whatever the file says.
 */
import { bytesValue } from '../../bytes/value.ts';
import type { Check, Said } from '../check.ts';
import { BtreeRow, KIND, type RowVisitor, type Steps, type TreeStat } from '../model.ts';
import { type Bounds, isBounded } from '../range.ts';
import type { V1File } from './file.ts';
import { HEIGHT_MAX, NO_PAGE, TYPE_INTERNAL, TYPE_LEAF } from './layout.ts';
import { lastPage } from './meta.ts';
import { isInternal, V1Page } from './page.ts';

type Key = Uint8Array | undefined;

/** A leaf and what is wrong with it, for whoever rebuilds the tree. */
export interface LeafSeen {
  page: number;
  /** Keys neither ascend nor lie between the separators. */
  ordered: boolean;
}

export interface WalkListener {
  leaf?(seen: LeafSeen): void;
  /** A page in the tree's place whose bytes cannot be read as what it should be. */
  unreadable?(page: number): void;
}

export class V1Walk {
  readonly #check: Check;
  readonly #levels: V1Page[] = [];
  readonly #copies: Uint8Array[] = [];
  readonly #leaf = new V1Page();
  readonly #row = new BtreeRow();
  readonly #bounds: Bounds;
  readonly #path: number[] = [];
  readonly stat: TreeStat;
  height: number;
  /** What the leaf before says of its sibling; undefined: there is none, or it is not known. */
  #sibling: number | undefined;
  #before = -1;
  #beforeParent = -1;
  #stopped = false;

  constructor(
    readonly file: V1File,
    check: Check,
    bounds: Bounds = { from: undefined, to: undefined },
    readonly rows: RowVisitor | undefined = undefined,
    readonly listener: WalkListener = {},
  ) {
    this.#check = check;
    this.#bounds = bounds;
    this.height = file.meta.height;
    this.stat = check.beginTree({ name: 'tree', kind: 'tree', root: file.meta.root });
    this.#row.tree = 'tree';
  }

  *run(): Steps {
    const { root, height } = this.file.meta;
    const seen = this.#heightSeen(root);
    if (seen > 0 && seen !== height) {
      this.height = seen;
      const what = `the leaves lie at depth ${seen}, the metadata says height ${height}`;
      const repair = `set height to ${seen}`;
      const code = 'depth';
      this.#check.finding(code, what, { page: 0, expected: seen, actual: height, repair });
    }
    this.stat.height = this.height;
    yield* this.#subtree(root, 0, 1, undefined, undefined);
    if (!this.#stopped && !isBounded(this.#bounds)) this.#link(NO_PAGE);
  }

  /**
   * Depth of the leaves, if the ways down on the left, in the middle and on the right do not
   * contradict each other; 0: not known.
   */
  #heightSeen(root: number): number {
    const depths = [0, 0.5, 1].map((where) => this.#descend(root, where)).filter((d) => d > 0);
    const stated = this.file.meta.height;
    if (depths.length === 0 || depths.includes(stated)) {
      return stated >= 1 && stated <= HEIGHT_MAX ? stated : (depths[0] ?? 1);
    }
    return depths.filter((depth) => depth === depths[0]).length * 2 > depths.length
      ? depths[0]!
      : stated;
  }

  #descend(root: number, where: number): number {
    const stated = this.file.meta.height;
    let page = root;
    for (let depth = 1; depth <= HEIGHT_MAX; depth++) {
      if (!this.#inFile(page) || !this.file.pages.load(page)) return 0;
      const { bytes, start } = this.file.pages;
      const type = bytes[start]!;
      if (!this.#parse(this.#leaf, type === TYPE_LEAF)) return 0;
      if (type === TYPE_LEAF) return depth < stated && this.#mayBeInternal() ? 0 : depth;
      if (type !== TYPE_INTERNAL) return 0;
      page = this.#leaf.child(Math.floor(this.#leaf.cells * where));
    }
    return 0;
  }

  #inFile(page: number): boolean {
    return page >= 1 && page < this.file.pageCount;
  }

  /** Reads the page in view. */
  #parse(into: V1Page, leaf: boolean): boolean {
    const { bytes, view, start, pageSize } = this.file.pages;
    return into.parse(bytes, view, start, pageSize, leaf);
  }

  *#subtree(page: number, parent: number, depth: number, low: Key, high: Key): Steps {
    if (this.#stopped || !this.#enter(page, parent, depth)) return;
    const level = this.#look(page, parent, depth, low, high);
    if (level === undefined) return;
    if (level.leaf) {
      this.#visitLeaf(level, page, parent, low, high);
      return;
    }
    if (this.#check.visited % 64 === 0) yield this.#check.visited;
    this.#visitInternal(level, page, parent, low, high);
    const { from, to } = this.#bounds;
    this.#path.push(page);
    for (let i = 0; i <= level.cells && !this.#stopped; i++) {
      const under = i === 0 ? low : level.key(i - 1);
      const over = i < level.cells ? level.key(i) : high;
      if (from && over && Buffer.compare(over, from) <= 0) continue;
      if (to && under && Buffer.compare(under, to) >= 0) break;
      yield* this.#subtree(level.child(i), page, depth + 1, under, over);
    }
    this.#path.pop();
  }

  /** Range, and each page once. */
  #enter(page: number, parent: number, depth: number): boolean {
    const { file } = this;
    const check = this.#check;
    const { nextFree } = file.meta;
    if (!this.#inFile(page)) {
      const expected = `1 to ${lastPage(file)}`;
      this.#tell('child-range', `child ${page} is out of range`, {
        page: parent,
        expected,
        actual: page,
      });
      this.#lose(-1);
      return false;
    }
    const kind = depth >= this.height ? KIND.leaf : KIND.interior;
    const again: Said = { page, parent, expected: 'a page not yet come to', actual: page };
    if (this.#path.includes(page)) {
      const way = [...this.#path.slice(this.#path.indexOf(page)), page].join(' → ');
      this.#tell('tree-cycle', `the page is its own descendant: ${way}`, again);
      this.#lose(-1);
      return false;
    }
    if (!check.claim(page, kind)) {
      this.#tell('page-shared', 'a second parent leads to the page', again);
      this.#lose(-1);
      return false;
    }
    if (page >= nextFree) {
      const what = 'the page is one that was never used, by the metadata';
      this.#tell('child-range', what, {
        page,
        parent,
        expected: `below ${nextFree}`,
        actual: page,
      });
    }
    return true;
  }

  /** What the page is: by its place in the tree, by its own word, and by what its bytes allow. */
  #look(page: number, parent: number, depth: number, low: Key, high: Key): V1Page | undefined {
    const leafDue = depth === this.height;
    if (!this.file.pages.load(page)) return this.#unreadable(page, leafDue);
    const type = this.file.pages.bytes[this.file.pages.start]!;
    const due = leafDue ? TYPE_LEAF : TYPE_INTERNAL;
    if (type === due) return this.#take(page, parent, depth, leafDue);
    const asDue = this.#open(depth, leafDue);
    const wouldFit =
      asDue.cells === asDue.count && asDue.disorder() < 0 && asDue.outside(low, high) < 0;
    const expected = `${due} (${leafDue ? 'leaf' : 'internal'} at depth ${depth} of ${this.height})`;
    if (wouldFit && (asDue.leaf ? !this.#mayBeInternal() : asDue.cells > 0)) {
      const content = leafDue ? `a leaf of ${asDue.cells} keys` : `${asDue.cells + 1} children`;
      this.#tell('page-type', 'the type is not that of its place in the tree', {
        page,
        parent,
        at: 0,
        length: 1,
        expected,
        actual: type,
        diagnosis: `its bytes are ${content}, in order and within its separators`,
        repair: `set the type to ${due}`,
      });
      return asDue;
    }
    if (type === TYPE_LEAF || (type === TYPE_INTERNAL && depth < HEIGHT_MAX)) {
      const other = this.#open(depth, type === TYPE_LEAF);
      if (other.cells === other.count && (other.leaf || other.cells > 0)) {
        const what = other.leaf ? 'a leaf above the others' : 'an internal page among the leaves';
        this.#tell('depth', what, { page, parent, expected, actual: type });
        this.#check.reclaim(page, other.leaf ? KIND.leaf : KIND.interior);
        return other;
      }
    }
    this.#tell('page-type', 'the page is neither leaf nor internal', {
      page,
      parent,
      at: 0,
      length: 1,
      expected,
      actual: type,
    });
    return this.#unreadable(page, leafDue);
  }

  /** Of the page in view, which is read as a leaf. */
  #mayBeInternal(): boolean {
    this.#parse(this.#leaf, false);
    const may = isInternal(this.#leaf, this.file.pageCount);
    this.#parse(this.#leaf, true);
    return may;
  }

  #unreadable(page: number, leafDue: boolean): undefined {
    this.#check.reclaim(page, leafDue ? KIND.leaf : KIND.interior);
    this.listener.unreadable?.(page);
    this.#lose(leafDue ? page : -1);
    return undefined;
  }

  /** Rows are lost here: `page` is the leaf that the chain should lead to, if that is known. */
  #lose(page: number): void {
    this.#check.lossy = true;
    if (page >= 0 && this.#sibling !== undefined) this.#link(page);
    this.#sibling = undefined;
  }

  /** Parses the page in view: a leaf where it lies, an internal page in a copy of its level. */
  #open(depth: number, leaf: boolean): V1Page {
    if (leaf) {
      this.#parse(this.#leaf, true);
      return this.#leaf;
    }
    const { bytes, start, pageSize } = this.file.pages;
    this.#copies[depth] ??= new Uint8Array(pageSize);
    this.#levels[depth] ??= new V1Page();
    const copy = this.#copies[depth];
    copy.set(bytes.subarray(start, start + pageSize));
    this.#levels[depth].parse(copy, new DataView(copy.buffer), 0, pageSize, false);
    return this.#levels[depth];
  }

  #take(page: number, parent: number, depth: number, leaf: boolean): V1Page {
    const level = this.#open(depth, leaf);
    if (level.cells < level.count) {
      const what = `${level.count} cells do not fit into the page: cell ${level.cells} leads out of it`;
      const expected = `cells within ${this.file.pageSize} bytes`;
      const actual = `${level.cells} whole cells in ${level.used} bytes`;
      this.#tell('page-overflow', what, { page, parent, at: level.used, expected, actual });
      this.#check.lossy = true;
    }
    return level;
  }

  #visitInternal(level: V1Page, page: number, parent: number, low: Key, high: Key): void {
    this.stat.interior++;
    this.#fill(level);
    this.#keys(level, page, parent, low, high);
  }

  #fill(level: V1Page): void {
    this.stat.usedBytes += level.used;
    this.stat.pageBytes += this.file.pageSize;
  }

  /** True if the keys ascend within [low, high). */
  #keys(level: V1Page, page: number, parent: number, low: Key, high: Key): boolean {
    const wrong = level.disorder();
    if (wrong >= 0) {
      const before = bytesValue(level.key(wrong - 1));
      const what = `key ${wrong} is not greater than the one before it`;
      const actual = bytesValue(level.key(wrong));
      const at = level.keyStart[wrong]! - level.start;
      this.#tell('key-order', what, { page, parent, at, expected: { after: before }, actual });
    }
    const out = level.outside(low, high);
    if (out >= 0) {
      const expected = { from: low && bytesValue(low), to: high && bytesValue(high) };
      const what = `key ${out} lies outside the separators above`;
      const actual = bytesValue(level.key(out));
      const at = level.keyStart[out]! - level.start;
      this.#tell('key-range', what, { page, parent, at, expected, actual });
    }
    return wrong < 0 && out < 0;
  }

  #visitLeaf(leaf: V1Page, page: number, parent: number, low: Key, high: Key): void {
    const { stat } = this;
    stat.leaves++;
    stat.keys += leaf.cells;
    if (this.#before >= 0 && page !== this.#before + 1) stat.jumps++;
    this.#fill(leaf);
    const ordered = this.#keys(leaf, page, parent, low, high);
    if (!isBounded(this.#bounds)) this.#link(page);
    this.#before = page;
    this.#beforeParent = parent;
    this.#sibling = leaf.link;
    this.listener.leaf?.({ page, ordered });
    if (this.rows) this.#tellRows(leaf, page, this.rows);
  }

  /** The leaf before must say that `page` is next. */
  #link(page: number): void {
    const sibling = this.#sibling;
    const [before, parent] = [this.#before, this.#beforeParent];
    if (sibling === undefined || sibling === page) return;
    const back = this.#check.kindOf(sibling) === KIND.leaf && sibling !== page;
    const code = back ? 'sibling-cycle' : 'sibling-broken';
    const what = back
      ? `the sibling pointer leads back to leaf ${sibling}: a range scan would never end`
      : 'the sibling pointer does not lead to the next leaf in key order';
    const expected = page === NO_PAGE ? 'none' : page;
    const actual = sibling === NO_PAGE ? 'none' : sibling;
    const repair = `set the sibling of page ${before} to ${expected}`;
    this.#tell(code, what, { page: before, parent, at: 3, length: 4, expected, actual, repair });
  }

  #tellRows(leaf: V1Page, page: number, rows: RowVisitor): void {
    const { from, to } = this.#bounds;
    for (let i = 0; i < leaf.cells; i++) {
      if (from && leaf.compareTo(i, from) < 0) continue;
      if (to && leaf.compareTo(i, to) >= 0) continue;
      rows.row(this.file.rowOf(this.#row, leaf, page, i));
      if (rows.done()) {
        this.#stopped = true;
        return;
      }
    }
  }

  #tell(code: string, what: string, said: Said): void {
    this.#check.finding(code, what, said);
    if (this.rows?.done()) this.#stopped = true;
  }
}
