/**
 * The walk through the buckets of a bbolt file: the root bucket, and those that lie in leaves of
 * others, each when the one that holds it is done. Every page is visited once.
 */
import { bytesValue } from '../../bytes/value.ts';
import type { Check, Said } from '../check.ts';
import { BtreeRow, KIND, type RowVisitor, type Steps, type TreeStat } from '../model.ts';
import type { Bounds } from '../range.ts';
import { u64 } from '../u64.ts';
import type { BboltFile } from './file.ts';
import { BRANCH, BUCKET_BYTES, BUCKET_FLAG, DEPTH_MAX, LEAF } from './layout.ts';
import { bucketName } from './names.ts';
import { Node } from './node.ts';

/** Buckets that have figures of their own; those beyond are part of the ones that hold them. */
const STATS_MAX = 1000;

type Key = Uint8Array | undefined;

/** A bucket that was met in a leaf. */
export interface Met {
  name: string;
  /** 0: its page lies in the leaf. */
  root: number;
  inline: Uint8Array | undefined;
  page: number;
}

export interface WalkOptions {
  readonly rows?: RowVisitor | undefined;
  readonly bounds?: Bounds | undefined;
  /** Pages before this one are taken for pages of a bucket; unless given, up to the last in use. */
  readonly end?: number | undefined;
  /** Told of each bucket; false: it is not gone into. */
  readonly onBucket?: ((bucket: Met) => boolean) | undefined;
}

export class BboltWalk {
  readonly #levels: Node[] = [];
  readonly #copies: Uint8Array[] = [];
  readonly #leaf = new Node();
  readonly #row = new BtreeRow();
  #stat: TreeStat | undefined;
  #path: number[] = [];
  #leafDepth = 0;
  #before = -1;
  #met: Met[] = [];
  #stopped = false;
  #name = '';
  readonly #end: number;

  constructor(
    readonly file: BboltFile,
    readonly check: Check,
    readonly options: WalkOptions = {},
  ) {
    this.#end = options.end ?? file.highWater;
  }

  /** The bucket, then those in it. */
  *bucket(bucket: Met, depth = 1): Steps {
    const { check } = this;
    if (check.trees.length < STATS_MAX || this.#stat === undefined) {
      const { name, root } = bucket;
      if (bucket.inline === undefined) this.#stat = check.beginTree({ name, kind: 'bucket', root });
    }
    this.#name = bucket.name;
    this.#row.tree = bucket.name;
    this.#leafDepth = 0;
    this.#before = -1;
    this.#met = [];
    this.#path = [];
    if (bucket.inline) this.#inline(bucket, bucket.inline);
    else yield* this.#page(bucket.root, bucket.page, 1, undefined, undefined);
    const met = this.#met;
    for (const inner of met) {
      if (this.#stopped) return;
      if (this.options.onBucket?.(inner) === false) continue;
      if (depth < DEPTH_MAX) yield* this.bucket(inner, depth + 1);
      else this.#lose('tree-cycle', `buckets lie deeper than ${DEPTH_MAX}`, { page: inner.page });
    }
  }

  /** Rows of a leaf that nobody leads to, and of the buckets whose page lies in it. */
  *loose(leaf: Node, page: number): Steps {
    this.#visitLeaf(leaf, page, undefined, undefined, undefined, false);
    for (const inner of this.#met) if (inner.inline && !this.#stopped) yield* this.bucket(inner);
  }

  #inline({ page }: Met, bytes: Uint8Array): void {
    const leaf = this.#leaf;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = leaf.parse(bytes, view, 0, bytes.length);
    const inline = `bucket ${JSON.stringify(this.#name)}, whose page lies in the leaf`;
    if (!leaf.leaf) {
      const said = { page, expected: `flags ${LEAF}`, actual: leaf.flags };
      this.#lose('page-type', `${inline}: no leaf`, said);
      return;
    }
    if (leaf.count !== leaf.stated) {
      const said = { page, expected: leaf.count, actual: leaf.stated };
      this.#tell('key-count', `${inline}: it does not count its elements right`, said);
    }
    if (!whole) this.#lose('page-overflow', `${inline}: an element leads out of it`, { page });
    this.#visitLeaf(leaf, page, undefined, undefined, undefined, true);
  }

  *#page(page: number, parent: number, depth: number, low: Key, high: Key): Steps {
    if (this.#stopped) return;
    const { file, check } = this;
    const node = this.#enter(page, parent, depth) ? this.#open(page, parent, depth) : undefined;
    check.pageLost ||= !node;
    if (!node) return;
    if (node.leaf) {
      if (this.#leafDepth === 0) {
        this.#leafDepth = depth;
        if (this.#stat && this.#stat.height < depth) this.#stat.height = depth;
      } else if (depth !== this.#leafDepth) {
        const said = { page, parent, expected: this.#leafDepth, actual: depth };
        check.finding('depth', 'the leaf lies deeper or higher than the others', said);
      }
      const pin = file.pages.pin();
      this.#visitLeaf(node, page, parent, low, high, false);
      file.pages.unpin(pin);
      if (check.visited % 1024 === 0) yield check.visited;
      return;
    }
    yield check.visited;
    yield* this.#branch(node, page, parent, depth, low, high);
  }

  *#branch(node: Node, page: number, parent: number, depth: number, low: Key, high: Key): Steps {
    const { from, to } = this.options.bounds ?? {};
    this.check.reclaim(page, KIND.interior);
    if (this.#stat) this.#stat.interior++;
    this.#fill(node);
    this.#keys(node, page, parent, low, high);
    if (node.elements === 0) {
      const said = { page, parent, expected: 'at least 1', actual: 0 };
      this.#lose('key-count', 'a branch page without children', said);
    }
    this.#path.push(page);
    for (let i = 0; i < node.elements && !this.#stopped; i++) {
      const under = node.key(i);
      const over = i + 1 < node.elements ? node.key(i + 1) : high;
      if (from && over && Buffer.compare(over, from) <= 0) continue;
      if (to && i > 0 && Buffer.compare(under, to) >= 0) break;
      yield* this.#page(node.child(i), page, depth + 1, under, over);
    }
    this.#path.pop();
  }

  #enter(page: number, parent: number, depth: number): boolean {
    const { file, check } = this;
    if (page < 2 || page >= this.#end) {
      const expected = `2 to ${this.#end - 1}`;
      const said = { page: parent, expected, actual: page };
      this.#lose('child-range', `child ${page} is no page of the file`, said);
      return false;
    }
    if (this.#path.includes(page) || depth > DEPTH_MAX) {
      this.#lose('tree-cycle', 'the page is its own descendant', { page, parent });
      return false;
    }
    if (!check.claim(page, KIND.leaf)) {
      // A page before it that says it goes on in this one may be wrong in that.
      if (check.kindOf(page) === KIND.overflow && file.isNode(page)) {
        this.#tell('page-shared', 'a second reference, to part of another page', { page, parent });
        check.reclaim(page, KIND.leaf);
        return true;
      }
      this.#lose('page-shared', 'a second reference to the page', { page, parent });
      return false;
    }
    return true;
  }

  /** A leaf where it lies if it is one page, else in a copy; a branch in the copy of its level. */
  #open(page: number, parent: number, depth: number): Node | undefined {
    const { file } = this;
    const { pageSize } = file;
    if (!file.pages.load(page)) return undefined;
    const { bytes, view, start } = file.pages;
    this.#leaf.parse(bytes, view, start, start + pageSize);
    const { id, flags, overflow } = this.#leaf;
    if (flags !== LEAF && flags !== BRANCH) {
      const expected = `${BRANCH} (branch) or ${LEAF} (leaf)`;
      const said = { page, parent, at: 8, length: 2, expected, actual: flags };
      this.#lose('page-type', 'the page is neither branch nor leaf', said);
      return undefined;
    }
    if (id !== page) {
      const said = { page, parent, at: 0, length: 8, expected: page, actual: id };
      this.#tell('page-type', 'the page says that it is another', said);
    }
    const count = file.runAt(this.#leaf, page, this.#end);
    if (page + overflow >= this.#end) {
      const expected = `up to page ${this.#end - 1}`;
      const said = { page, parent, at: 12, length: 4, expected, actual: page + overflow };
      this.#lose('page-overflow', 'the page goes on behind the end', said);
    }
    this.#claimRun(page, parent, count - 1);
    const whole = count * pageSize;
    if (whole > file.runBytesMax) {
      const said = { page, parent, expected: `at most ${file.runBytesMax}`, actual: whole };
      this.#lose('page-overflow', 'the page is longer than what is read whole', said);
      return undefined;
    }
    let node = this.#leaf;
    let fits: boolean;
    if (count === 1 && flags === LEAF) {
      fits = node.parse(bytes, view, start, start + pageSize);
    } else {
      const level = flags === LEAF ? 0 : depth;
      if ((this.#copies[level]?.length ?? 0) < whole) this.#copies[level] = new Uint8Array(whole);
      const copy = this.#copies[level]!;
      file.readRun(page, count, copy);
      if (flags === BRANCH) node = this.#levels[depth] ??= new Node();
      fits = node.parse(copy, new DataView(copy.buffer), 0, whole);
      // The page in view is the one that is pinned.
      file.pages.load(page);
    }
    if (node.count !== node.stated) {
      const said = { page, parent, at: 10, length: 2, expected: node.count, actual: node.stated };
      this.#tell('key-count', 'the page does not count its elements right', said);
    }
    if (!fits) {
      const expected = `${node.count} elements within ${whole} bytes`;
      const said = { page, parent, expected, actual: `${node.elements} of them` };
      this.#lose('page-overflow', 'an element leads out of the page', said);
    }
    return node;
  }

  #claimRun(page: number, parent: number, overflow: number): void {
    for (let i = 1; i <= overflow; i++) {
      if (this.#stat) this.#stat.overflow++;
      if (this.check.claim(page + i, KIND.overflow)) continue;
      this.#tell('page-shared', `a second reference, as part of page ${page}`, {
        page: page + i,
        parent,
      });
    }
  }

  #fill(node: Node): void {
    if (!this.#stat) return;
    this.#stat.usedBytes += node.used;
    this.#stat.pageBytes += (node.overflow + 1) * this.file.pageSize;
  }

  #keys(node: Node, page: number, parent: number | undefined, low: Key, high: Key): void {
    const wrong = node.disorder();
    if (wrong >= 0) {
      const expected = { after: bytesValue(node.key(wrong - 1)) };
      const actual = bytesValue(node.key(wrong));
      const said = { page, parent, expected, actual };
      this.#tell(
        'key-order',
        `key ${node.slot(wrong)} is not greater than the one before it`,
        said,
      );
    }
    const last = node.elements - 1;
    if (last < 0) return;
    const under = low !== undefined && node.compare(0, low) < 0;
    const over = high !== undefined && node.compare(last, high) >= 0;
    if (!under && !over) return;
    const expected = { from: low && bytesValue(low), to: high && bytesValue(high) };
    const which = under ? 0 : last;
    const actual = bytesValue(node.key(which));
    const said = { page, parent, expected, actual };
    this.#tell('key-range', `key ${node.slot(which)} lies outside the separators above`, said);
  }

  #visitLeaf(
    leaf: Node,
    page: number,
    parent: number | undefined,
    low: Key,
    high: Key,
    inline: boolean,
  ): void {
    const stat = this.#stat;
    if (stat && !inline) {
      stat.leaves++;
      if (this.#before >= 0 && page !== this.#before + 1) stat.jumps++;
      this.#before = page + leaf.overflow;
      this.#fill(leaf);
    }
    this.#keys(leaf, page, parent, low, high);
    const { rows, bounds } = this.options;
    for (let i = 0; i < leaf.elements && !this.#stopped; i++) {
      const flags = leaf.elementFlags(i);
      if (flags !== 0 && flags !== BUCKET_FLAG) {
        const said = { page, parent, expected: '0 or 1 (bucket)', actual: flags };
        this.#tell('page-type', `element ${leaf.slot(i)} has flags that there are not`, said);
      }
      if ((flags & BUCKET_FLAG) !== 0) {
        const said = { page, parent };
        this.#meet(leaf, leaf.key(i), leaf.keyEnd(i), leaf.valueEnd(i), leaf.slot(i), said);
        continue;
      }
      if (stat) stat.keys++;
      if (!rows) continue;
      if (bounds?.from && leaf.compare(i, bounds.from) < 0) continue;
      if (bounds?.to && leaf.compare(i, bounds.to) >= 0) continue;
      rows.row(this.file.rowOf(this.#row, leaf, page, i, inline));
      if (rows.done()) this.#stopped = true;
    }
    for (const slot of leaf.cut) this.#cut(leaf, slot, page, parent, inline);
  }

  /** An element whose value is not all there. */
  #cut(leaf: Node, slot: number, page: number, parent: number | undefined, inline: boolean): void {
    const { flags, key, keyEnd, valueEnd } = leaf.cutAt(slot);
    if ((flags & BUCKET_FLAG) !== 0) {
      const name = leaf.bytes.slice(key, keyEnd);
      this.#meet(leaf, name, keyEnd, valueEnd, slot, { page, parent });
      return;
    }
    const { rows } = this.options;
    if (!rows?.parts || this.#stopped) return;
    rows.row(this.file.partOf(this.#row, leaf, page, slot, inline));
    if (rows.done()) this.#stopped = true;
  }

  #meet(leaf: Node, key: Uint8Array, at: number, end: number, slot: number, said: Said): void {
    if (end - at < BUCKET_BYTES) {
      const wanted = { expected: `at least ${BUCKET_BYTES}`, actual: end - at };
      const what = `bucket in element ${slot} is too short`;
      this.#lose('page-overflow', what, { ...said, ...wanted });
      return;
    }
    const root = u64(leaf.view, at);
    const name = bucketName(this.#name, key);
    const inline = root === 0 ? leaf.bytes.slice(at + BUCKET_BYTES, end) : undefined;
    this.#met.push({ name, root, inline, page: said.page! });
  }

  #tell(code: string, what: string, said: Said): void {
    this.check.finding(code, what, said);
    if (this.options.rows?.done()) this.#stopped = true;
  }

  #lose(code: string, what: string, said: Said): void {
    this.check.lossy = true;
    this.#tell(code, what, said);
  }
}
