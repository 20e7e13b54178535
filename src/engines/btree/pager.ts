/**
 * The pages of a file: a cache of those on disk with a bound, and those that the transaction which
 * is being built has made. A page on disk is never changed: `writable` makes another one of it.
 * What a transaction has made is written by `commit`: the pages, a sync, the meta page, a sync.
 */
import {
  BLANK,
  CELLS_AT,
  INTERIOR,
  KIND_AT,
  LEVEL_AT,
  META_BYTES,
  OVERFLOW,
  PAGE_AT,
  PAGES_MAX,
  pageCrc,
  setU64,
  storeSeed,
  TXN_AT,
} from '../../formats/btree/v2/layout.ts';
import { type Meta, writeMeta } from '../../formats/btree/v2/meta.ts';
import { type DiskFile, readFully, writeFully } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Frame } from './frame.ts';
import { FreeSpace } from './free-space.ts';
import { pageFault } from './page-fault.ts';

/** Pages that lie side by side are written together, up to so many bytes. */
const RUN_BYTES = 256 * 1024;
/** However small the bound: a way from root to leaf, and some. */
const FRAMES_MIN = 64;

/** What a meta page says of a tree. */
export interface TreeState {
  readonly root: Frame | undefined;
  readonly height: number;
  readonly keys: number;
}

export class Pager {
  readonly pageSize: number;
  readonly free: FreeSpace;
  /** Of the last transaction that was committed. */
  meta: Meta;
  /** Page numbers from this on were never used. */
  high: number;
  /** Pages made before this generation are not changed any more: somebody may look at them. */
  generation = 1;
  pagesRead = 0;
  pagesWritten = 0;
  syncs = 0;
  /** Open snapshots, and the store itself: the last one to go closes the file. */
  #holders = 1;
  readonly #seed: number;
  readonly #frames: (Frame | undefined)[] = [];
  readonly #dirty = new Set<Frame>();
  /** Made and given up in this transaction: nobody has ever seen them. */
  #spare: number[] = [];
  #cached: Frame[] = [];
  #hand = 0;
  readonly #framesMax: number;

  constructor(
    readonly file: DiskFile,
    meta: Meta,
    cacheBytes: number,
  ) {
    this.meta = meta;
    this.pageSize = meta.pageSize;
    this.high = meta.pages;
    this.#seed = storeSeed(meta.storeId);
    this.#framesMax = Math.max(FRAMES_MIN, Math.floor(cacheBytes / meta.pageSize));
    this.free = new FreeSpace(
      {
        get: (page, crc) => this.get(page, crc),
        corrupt: (page, what) => this.corrupt(page, what),
        extend: () => this.#extend(),
        begin: (page) => this.#begin(page),
        seal: (frame) => this.seal(frame),
      },
      meta.pageSize,
    );
  }

  /** The transaction that is being built. */
  get building(): number {
    return this.meta.txn + 1;
  }

  get dirtyBytes(): number {
    return this.#dirty.size * this.pageSize;
  }

  get cachedPages(): number {
    return this.#cached.length + this.#dirty.size;
  }

  /** The page, which must have this checksum if it comes from disk. Throws `corrupt`. */
  get(page: number, crc: number): Frame {
    const frame = this.#frames[page];
    if (frame === undefined) return this.#load(page, crc);
    frame.used = true;
    return frame;
  }

  /** A child of an interior page. Throws `corrupt`, also if it is not of the level below. */
  child(parent: Frame, i: number): Frame {
    const frame = this.get(parent.child(i), parent.childCrc(i));
    if (frame.isTree && frame.level === parent.level - 1) return frame;
    throw this.corrupt(frame.page, `is not of the level below page ${parent.page}`);
  }

  #load(page: number, crc: number): Frame {
    const { pageSize } = this;
    const frame = new Frame(page, Buffer.allocUnsafeSlow(pageSize));
    const { bytes, view } = frame;
    const got = readFully(this.file, bytes, 0, pageSize, page * pageSize);
    this.pagesRead++;
    const actual = got < pageSize ? -1 : pageCrc(this.#seed, page, bytes, view, 0, pageSize);
    if (actual !== crc || view.getUint32(0, true) !== crc) {
      throw this.corrupt(page, 'is damaged, or not the one that its parent leads to');
    }
    const fault = pageFault(bytes, view);
    if (fault !== undefined) throw this.corrupt(page, `cannot be used: ${fault}`);
    this.#keep(frame);
    return frame;
  }

  corrupt(page: number, what: string): DdiaError {
    return new DdiaError(
      'corrupt',
      `${this.file.path}: page ${page} ${what}`,
      'see what is left: ddia btree fsck DIR; and save it: ddia btree repair DIR --out NEW',
    );
  }

  misplaced(page: number): DdiaError {
    return this.corrupt(page, 'has keys of another place in the tree');
  }

  /** Whether a page by itself is whole, whatever it holds. */
  isWhole(page: number): boolean {
    const { bytes, view } = new Frame(page, Buffer.alloc(this.pageSize));
    readFully(this.file, bytes, 0, this.pageSize, page * this.pageSize);
    this.pagesRead++;
    return pageCrc(this.#seed, page, bytes, view, 0, bytes.length) === view.getUint32(0, true);
  }

  /** A clean page is kept as long as there is room; another one goes for it. */
  #keep(frame: Frame): void {
    this.#setFrame(frame.page, frame);
    if (this.#cached.length < this.#framesMax) {
      this.#cached.push(frame);
      return;
    }
    for (;;) {
      this.#hand = this.#hand + 1 >= this.#cached.length ? 0 : this.#hand + 1;
      const one = this.#cached[this.#hand]!;
      const current = this.#frames[one.page] === one;
      if (current && one.used) {
        one.used = false;
        continue;
      }
      if (current) this.#frames[one.page] = undefined;
      this.#cached[this.#hand] = frame;
      return;
    }
  }

  #setFrame(page: number, frame: Frame): void {
    while (this.#frames.length <= page) this.#frames.push(undefined);
    this.#frames[page] = frame;
  }

  /** A new page of zeros. */
  make(kind: number, level = 0): Frame {
    const page = this.#spare.pop() ?? (this.free.take() || this.#extend());
    const frame = this.#begin(page);
    frame.bytes[KIND_AT] = kind;
    frame.bytes[LEVEL_AT] = level;
    if (kind !== OVERFLOW) frame.view.setUint16(CELLS_AT, this.pageSize, true);
    return frame;
  }

  #extend(): number {
    if (this.high >= PAGES_MAX) throw new DdiaError('full', 'there are no more page numbers');
    return this.high++;
  }

  #begin(page: number): Frame {
    const frame = new Frame(page, Buffer.alloc(this.pageSize));
    frame.dirty = true;
    frame.born = this.generation;
    frame.view.setUint32(PAGE_AT, page, true);
    this.#dirty.add(frame);
    this.#setFrame(page, frame);
    return frame;
  }

  /** The page itself, if this transaction made it and nobody looks at it; else a copy of it. */
  writable(frame: Frame): Frame {
    if (frame.born === this.generation) return frame;
    const page = this.#spare.pop() ?? (this.free.take() || this.#extend());
    const copy = this.#begin(page);
    frame.bytes.copy(copy.bytes, PAGE_AT + 4, PAGE_AT + 4);
    this.discard(frame);
    return copy;
  }

  /** The tree no longer has it. */
  discard(frame: Frame): void {
    const { page } = frame;
    if (frame.born === this.generation) {
      this.#dirty.delete(frame);
      this.#frames[page] = undefined;
      this.#spare.push(page);
    } else this.free.free(page, this.building);
  }

  /** Snapshots see what is there now: from now on it is not changed. */
  freeze(): void {
    if (this.#dirty.size > 0) this.generation++;
  }

  /** Fills in the checksum, the transaction with it: nothing of it is changed any more. */
  seal({ page, bytes, view }: Frame): number {
    setU64(view, TXN_AT, this.building);
    const crc = pageCrc(this.#seed, page, bytes, view, 0, bytes.length);
    view.setUint32(0, crc, true);
    return crc;
  }

  /** Makes durable what this transaction has made, with `root` as the tree. */
  commit(tree: TreeState, closed: boolean): void {
    const { meta } = this;
    const root = tree.root?.page ?? 0;
    // A tree that came and went again has made pages all the same.
    const changed = this.#dirty.size > 0 || this.#spare.length > 0 || root !== meta.root;
    let { rootCrc, freeHead, freeCrc, freePages } = meta;
    if (changed) {
      for (const page of this.#spare) this.#giveBack(page);
      this.#spare = [];
      this.#sealTree();
      rootCrc = tree.root?.view.getUint32(0, true) ?? 0;
      ({ head: freeHead, crc: freeCrc, count: freePages } = this.free.write(this.building));
      this.#writeDirty();
      this.#sync();
    }
    const txn = this.building;
    const { high: pages } = this;
    const page = txn % 2;
    const { height, keys } = tree;
    const next = { ...meta, page, txn, pages, root, rootCrc, height, keys, closed };
    this.writeMeta({ ...next, freeHead, freeCrc, freePages });
  }

  /** A page that was never written is not to be found as the disk has it. */
  #giveBack(page: number): void {
    if (page >= this.meta.pages) {
      const frame = this.#begin(page);
      frame.bytes[KIND_AT] = BLANK;
      this.seal(frame);
    }
    this.free.giveBack(page);
  }

  /** Checksums from the bottom up: each page has those of its children. */
  #sealTree(): void {
    const levels: Frame[][] = [];
    for (const frame of this.#dirty) {
      const { bytes } = frame;
      const kind = bytes[KIND_AT]!;
      if (kind === OVERFLOW || kind === BLANK) continue;
      const level = bytes[LEVEL_AT]!;
      while (levels.length <= level) levels.push([]);
      levels[level]!.push(frame);
    }
    for (const level of levels) {
      for (const frame of level) {
        if (frame.bytes[KIND_AT] === INTERIOR) this.#noteChildren(frame);
        this.seal(frame);
      }
    }
  }

  #noteChildren(frame: Frame): void {
    for (let i = 0; i <= frame.count; i++) {
      const child = this.#frames[frame.child(i)];
      if (child?.dirty) frame.setChild(i, child.page, child.view.getUint32(0, true));
    }
  }

  #writeDirty(): void {
    const frames = [...this.#dirty].sort((a, b) => a.page - b.page);
    const { pageSize } = this;
    const most = Math.max(1, Math.floor(RUN_BYTES / pageSize));
    const run = Buffer.allocUnsafe(Math.min(most, frames.length) * pageSize);
    for (let i = 0; i < frames.length; ) {
      const first = frames[i]!;
      let count = 0;
      while (count < most && frames[i + count]?.page === first.page + count) {
        frames[i + count]!.bytes.copy(run, count * pageSize);
        count++;
      }
      writeFully(this.file, run, 0, count * pageSize, first.page * pageSize);
      i += count;
    }
    this.pagesWritten += frames.length;
    this.#dirty.clear();
    this.generation++;
    for (const frame of frames) {
      frame.dirty = false;
      this.#keep(frame);
    }
  }

  /** In turn with the other one, and durable when it returns. */
  writeMeta(meta: Meta): void {
    const bytes = new Uint8Array(this.pageSize);
    writeMeta(meta, bytes);
    writeFully(this.file, bytes, 0, META_BYTES, meta.page * this.pageSize);
    this.pagesWritten++;
    this.#sync();
    this.meta = meta;
  }

  #sync(): void {
    this.file.dataSync();
    this.syncs++;
  }

  /** Writes an empty page at once: what a transaction that never ended has left is in its place. */
  blank(page: number): void {
    const frame = new Frame(page, Buffer.alloc(this.pageSize));
    frame.view.setUint32(PAGE_AT, page, true);
    frame.bytes[KIND_AT] = BLANK;
    this.seal(frame);
    writeFully(this.file, frame.bytes, 0, this.pageSize, page * this.pageSize);
    this.pagesWritten++;
  }

  hold(): void {
    this.#holders++;
  }

  letGo(): void {
    if (--this.#holders === 0) this.file.close();
  }
}
