import type { Check } from '../check.ts';
import { KIND, type Steps } from '../model.ts';
import type { LmdbFile } from './file.ts';
import {
  DB_BYTES,
  DB_DUPSORT,
  DEPTH_MAX,
  F_BIGDATA,
  F_DUPDATA,
  F_SUBDATA,
  P_BRANCH,
  P_LEAF,
  P_LEAF2,
  PAGE_HEADER_BYTES,
} from './layout.ts';
import { type Database, readDatabase } from './meta.ts';
import { isReversed } from './order.ts';
import { LmdbPage } from './page.ts';
import { type Key, LmdbValues, type ValueOptions } from './values.ts';

/** A database that a node of the main one holds. */
export interface Met {
  name: Uint8Array;
  database: Database;
  page: number;
}

export interface WalkOptions extends ValueOptions {
  readonly onDatabase?: ((met: Met) => void) | undefined;
}

/** The tree that is walked: a database, or the values of one key. */
interface Tree {
  database: Database;
  dups: boolean;
  reversed: boolean;
  leafDepth: number;
  branch: number;
  leaves: number;
  overflow: number;
  entries: number;
}

export class LmdbWalk {
  readonly #levels: LmdbPage[] = [];
  readonly #copies: Uint8Array[] = [];
  readonly #leaf = new LmdbPage();
  readonly #path: number[] = [];
  #before = -1;
  readonly #values: LmdbValues;

  constructor(
    readonly file: LmdbFile,
    readonly check: Check,
    readonly options: WalkOptions = {},
  ) {
    this.#values = new LmdbValues(file, check, options);
  }

  *database(name: string, kind: string, database: Database, page: number): Steps {
    this.#values.stat = this.check.beginTree({ name, kind, root: database.root });
    this.#values.row.tree = name;
    this.#before = -1;
    yield* this.#tree(database, false, page, 0);
  }

  /**
   * Rows of a leaf that nobody leads to, with the values that it leads to itself. Of values that
   * have a leaf of their own the key is not known: they take its place.
   */
  *loose(leaf: LmdbPage, page: number): Steps {
    const tree = treeOf({ ...this.file.live.main, flags: DB_DUPSORT }, false);
    for (let i = 0; i < leaf.nodes && !this.#values.stopped; i++) {
      const flags = leaf.nodeFlags(i);
      if (flags === 0) this.#values.plain(leaf, page, i);
      else yield* this.#special(tree, leaf, page, page, i, flags, 0);
    }
  }

  *#tree(database: Database, dups: boolean, page: number, level: number): Generator<number, Tree> {
    const { root } = database;
    const tree = treeOf(database, dups);
    if (root >= 0) yield* this.#page(tree, root, page, 1, level + 1, undefined, undefined);
    if (this.#values.stat && !dups) this.#values.stat.height = tree.leafDepth;
    if (!this.options.bounds?.from && !this.options.bounds?.to) this.#counts(tree, page);
    return tree;
  }

  /** What the database says of itself. */
  #counts(tree: Tree, page: number): void {
    if (this.check.lossy || this.#values.stopped) return;
    const { database: stated, dups } = tree;
    const of = dups ? 'the values of a key' : `database ${JSON.stringify(this.#values.row.tree)}`;
    const pairs: [string, number, number][] = [
      ['entries', tree.entries, stated.entries],
      ['branch pages', tree.branch, stated.branch],
      ['leaf pages', tree.leaves, stated.leaf],
      ['overflow pages', tree.overflow, stated.overflow],
      ['levels', tree.leafDepth, stated.depth],
    ];
    for (const [what, expected, actual] of pairs) {
      if (expected === actual) continue;
      const said = { page, expected, actual };
      this.#values.tell('key-count', `${of} does not count its ${what} right`, said);
    }
  }

  *#page(
    tree: Tree,
    page: number,
    parent: number,
    depth: number,
    level: number,
    low: Key,
    high: Key,
  ): Steps {
    if (this.#values.stopped) return;
    const there = this.#enter(page, parent, depth);
    const opened = there ? this.#open(tree, page, parent, level) : undefined;
    this.check.pageLost ||= !opened;
    if (!opened) return;
    if (opened.leaf) {
      yield* this.#visitLeaf(tree, opened, page, parent, depth, level, low, high);
      if (this.check.visited % 1024 === 0) yield this.check.visited;
      return;
    }
    yield this.check.visited;
    this.check.reclaim(page, KIND.interior);
    tree.branch++;
    if (this.#values.stat) this.#values.stat.interior++;
    this.#fill(opened);
    this.#values.keys(tree.reversed, opened, page, parent, low, high, 1);
    const { from, to } = tree.dups ? {} : (this.options.bounds ?? {});
    this.#path.push(page);
    for (let i = 0; i < opened.nodes && !this.#values.stopped; i++) {
      // The first key of a branch is not kept: all keys below the second.
      const under = i === 0 ? low : opened.key(i);
      const over = i + 1 < opened.nodes ? opened.key(i + 1) : high;
      if (!tree.reversed) {
        if (from && over && Buffer.compare(over, from) <= 0) continue;
        if (to && under && Buffer.compare(under, to) >= 0) break;
      }
      yield* this.#page(tree, opened.child(i), page, depth + 1, level + 1, under, over);
    }
    this.#path.pop();
  }

  #enter(page: number, parent: number, depth: number): boolean {
    const { file, check } = this;
    const { end } = this.#values;
    if (page < 2 || page >= end) {
      const said = { page: parent, expected: `2 to ${end - 1}`, actual: page };
      this.#values.lose('child-range', `child ${page} is no page of the file`, said);
      return false;
    }
    if (page >= file.pageCount) {
      const expected = `${page + 1} pages`;
      const said = { page: parent, expected, actual: file.pageCount };
      this.#values.lose('file-short', `the file ends before page ${page}`, said);
      return false;
    }
    if (this.#path.includes(page) || depth > DEPTH_MAX) {
      this.#values.lose('tree-cycle', 'the page is its own descendant', { page, parent });
      return false;
    }
    if (check.claim(page, KIND.leaf)) return true;
    this.#values.lose('page-shared', 'a second reference to the page', { page, parent });
    return false;
  }

  /** A leaf where it lies; a branch, and a leaf whose values are trees, in a copy of the level. */
  #open(tree: Tree, page: number, parent: number, level: number): LmdbPage | undefined {
    const { file } = this;
    const { pageSize, pages } = file;
    if (!pages.load(page)) return undefined;
    let into = this.#leaf;
    let { bytes, view, start } = pages;
    const flags = bytes[start + 10]!;
    const inPlace = (flags & P_LEAF) !== 0 && (tree.database.flags & DB_DUPSORT) === 0;
    if (!inPlace) {
      this.#levels[level] ??= new LmdbPage();
      this.#copies[level] ??= new Uint8Array(pageSize);
      into = this.#levels[level];
      this.#copies[level].set(bytes.subarray(start, start + pageSize));
      bytes = this.#copies[level];
      view = new DataView(bytes.buffer);
      start = 0;
    }
    const whole = into.parse(bytes, view, start, start + pageSize);
    const kinds = tree.dups ? [P_BRANCH, P_LEAF, P_LEAF | P_LEAF2] : [P_BRANCH, P_LEAF];
    if (!kinds.includes(into.flags)) {
      const expected = `${P_BRANCH} (branch) or ${P_LEAF} (leaf)`;
      const said = { page, parent, at: 10, length: 2, expected, actual: into.flags };
      this.#values.lose('page-type', 'the page is neither branch nor leaf', said);
      return undefined;
    }
    if (into.pgno !== page) {
      const said = { page, parent, at: 0, length: 8, expected: page, actual: into.pgno };
      this.#values.tell('page-type', 'the page says that it is another', said);
    }
    if (into.count !== into.stated) this.#values.miscounted(into, page, parent);
    if (!whole) {
      const expected = `${into.count} nodes within ${pageSize} bytes`;
      const said = { page, parent, expected, actual: `${into.nodes} of them` };
      this.#values.lose('page-overflow', 'a node leads out of the page', said);
    } else if (!into.leaf2 && into.nodeBytes !== pageSize - into.upper) {
      const said = {
        page,
        parent,
        at: 14,
        expected: pageSize - into.nodeBytes,
        actual: into.upper,
      };
      this.#values.tell('free-space', 'the nodes are not all there is behind the free space', said);
    }
    if (into.count === 0) {
      const said = { page, parent, expected: 'at least 1', actual: 0 };
      this.#values.tell('key-count', 'a page without keys', said);
    }
    return into;
  }

  #fill(page: LmdbPage): void {
    if (!this.#values.stat) return;
    const { pageSize } = this.file;
    this.#values.stat.usedBytes += page.leaf2
      ? PAGE_HEADER_BYTES + page.nodes * page.pad
      : page.lower + page.nodeBytes;
    this.#values.stat.pageBytes += pageSize;
  }

  *#visitLeaf(
    tree: Tree,
    leaf: LmdbPage,
    page: number,
    parent: number,
    depth: number,
    level: number,
    low: Key,
    high: Key,
  ): Steps {
    tree.leaves++;
    if (tree.leafDepth === 0) tree.leafDepth = depth;
    else if (tree.leafDepth !== depth) {
      const code = 'depth';
      const said = { page, parent, expected: tree.leafDepth, actual: depth };
      this.check.finding(code, 'the leaf lies deeper or higher than the others', said);
    }
    const stat = this.#values.stat;
    if (stat) {
      stat.leaves++;
      if (this.#before >= 0 && page !== this.#before + 1) stat.jumps++;
      this.#before = page;
    }
    this.#fill(leaf);
    this.#values.keys(tree.reversed, leaf, page, parent, low, high, 0);
    const pin = this.file.pages.pin();
    for (let i = 0; i < leaf.nodes && !this.#values.stopped; i++) {
      if (tree.dups) {
        tree.entries++;
        this.#values.value(leaf.bytes, leaf.keyStart(i), leaf.keyEnd(i), page, leaf.slot(i));
        continue;
      }
      const flags = leaf.nodeFlags(i);
      if (flags === 0) {
        tree.entries++;
        this.#values.plain(leaf, page, i);
      } else yield* this.#special(tree, leaf, page, parent, i, flags, level);
    }
    this.file.pages.unpin(pin);
  }

  *#special(
    tree: Tree,
    leaf: LmdbPage,
    page: number,
    parent: number,
    i: number,
    flags: number,
    level: number,
  ): Steps {
    const said = { page, parent };
    const from = leaf.keyEnd(i);
    const size = leaf.dataSize(i);
    if (flags === F_BIGDATA) {
      tree.entries++;
      tree.overflow += this.#values.overflow(leaf, page, i);
    } else if (flags === F_SUBDATA && size === DB_BYTES) {
      tree.entries++;
      const database = readDatabase(leaf.view, from);
      this.options.onDatabase?.({ name: leaf.key(i), database, page });
    } else if (flags === (F_SUBDATA | F_DUPDATA) && size === DB_BYTES) {
      this.#values.key = leaf.key(i);
      const database = readDatabase(leaf.view, from);
      const flagsOf = { ...database, flags: tree.database.flags };
      const inner = yield* this.#tree(flagsOf, true, page, level);
      tree.entries += inner.entries;
    } else if (flags === F_DUPDATA) {
      tree.entries += this.#values.within(tree.database, leaf, page, parent, i, from, from + size);
    } else {
      const expected = 'flags of a value, a database or several values';
      const actual = `flags ${flags}, ${size} bytes`;
      this.#values.lose('page-type', `node ${leaf.slot(i)} is of no kind`, {
        ...said,
        expected,
        actual,
      });
    }
  }
}

function treeOf(database: Database, dups: boolean): Tree {
  const reversed = isReversed(database.flags, dups);
  return { database, dups, reversed, leafDepth: 0, branch: 0, leaves: 0, overflow: 0, entries: 0 };
}
