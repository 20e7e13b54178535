/**
 * The pages of a tree: read when they are asked for, changed in memory, and written twice. A commit
 * appends what has changed to the log, as one operation between two images of the metadata, and
 * syncs it; a checkpoint writes all that was committed to its place in the file, syncs that, and
 * only then empties the log. No page goes to the file before the log has it: what the file has
 * beside is always whole again once the log was applied.
 */
import { NO_PAGE, PAGE_SIZES } from '../../formats/btree/v1/layout.ts';
import { emptyMeta, metaPage, type V1Meta } from '../../formats/btree/v1/meta.ts';
import { type DiskFile, readFully, writeFully } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Frame } from './frame.ts';
import type { RedoLog } from './redo-log.ts';

/** However small the bound: a way from root to leaf with its neighbours, and some. */
const FRAMES_MIN = 64;
/** Pages side by side are written together, up to so many bytes. */
const RUN_BYTES = 256 * 1024;

export class Pager {
  readonly meta: V1Meta;
  pagesRead = 0;
  pagesWritten = 0;
  syncs = 0;
  readonly #frames = new Map<number, Frame>();
  readonly #dirty = new Set<Frame>();
  readonly #logged = new Set<Frame>();
  /** Of the last commit. */
  #committed: V1Meta;
  /** Pages of the tree's that the file has. */
  #filePages: number;
  readonly #framesMax: number;

  constructor(
    readonly file: DiskFile,
    readonly log: RedoLog,
    readonly pageSize: number,
    meta: V1Meta,
    cacheBytes: number,
  ) {
    if (!PAGE_SIZES.includes(pageSize as 512)) throw new Error(`no page size: ${pageSize}`);
    this.meta = { ...meta };
    this.#committed = { ...meta };
    this.#filePages = Math.min(Math.floor(file.size() / pageSize), meta.nextFree);
    this.#framesMax = Math.max(FRAMES_MIN, Math.floor(cacheBytes / pageSize));
  }

  get dirtyBytes(): number {
    return this.#dirty.size * this.pageSize;
  }

  /** Pages that the file has not, so that they cannot be given up. */
  get heldPages(): number {
    return this.#dirty.size + this.#logged.size;
  }

  get framesMax(): number {
    return this.#framesMax;
  }

  get cachedPages(): number {
    return this.#frames.size;
  }

  /** The page as a leaf or as an internal page. Throws `corrupt` if it is none. */
  get(page: number, leaf: boolean): Frame {
    const known = this.#frames.get(page);
    if (known && known.leaf === leaf && known.bytes[0] === Number(leaf)) {
      known.wanted = true;
      return known;
    }
    if (page < 1 || page >= this.meta.nextFree) throw this.corrupt(page, 'it is out of range');
    const frame = known ?? this.#read(page);
    const fault = frame.parse(leaf);
    if (fault !== undefined) throw this.corrupt(page, fault);
    this.#frames.set(page, frame);
    return frame;
  }

  #read(page: number): Frame {
    const { pageSize } = this;
    const frame = new Frame(page, pageSize);
    const got = readFully(this.file, frame.bytes, 0, pageSize, page * pageSize);
    if (got < pageSize) throw this.corrupt(page, 'the file does not hold it');
    this.pagesRead++;
    return frame;
  }

  corrupt(page: number, fault: string): DdiaError {
    const what = `${this.file.path}: page ${page} cannot be used: ${fault}`;
    return new DdiaError('corrupt', what, 'ddia btree fsck, then ddia btree repair PATH --out NEW');
  }

  /** Before the page is changed. */
  touch(frame: Frame): void {
    if (frame.dirty) return;
    frame.dirty = true;
    this.#dirty.add(frame);
  }

  /** A page of its own kind without cells: the last that was freed, or one never used. */
  allocate(leaf: boolean, link: number): Frame {
    const { meta } = this;
    const page = meta.freeHead;
    let frame: Frame;
    if (page === NO_PAGE) {
      if (meta.nextFree >= NO_PAGE) throw new DdiaError('full', 'there are no page numbers left');
      frame = new Frame(meta.nextFree++, this.pageSize);
    } else {
      if (page < 1 || page >= meta.nextFree) throw this.corrupt(page, 'the free list leads there');
      frame = this.#frames.get(page) ?? this.#read(page);
      meta.freeHead = this.#nextFreeOf(frame);
      frame.blank(NO_PAGE);
    }
    frame.reset(leaf, link);
    frame.wanted = true;
    this.#frames.set(frame.page, frame);
    this.touch(frame);
    return frame;
  }

  /** Of a page that has to be what a free page is. */
  #nextFreeOf({ page, bytes, link }: Frame): number {
    if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0) {
      throw this.corrupt(page, 'it is on the free list and not free');
    }
    if (link === NO_PAGE || (link >= 1 && link < this.meta.nextFree && link !== page)) return link;
    throw this.corrupt(page, `it is on the free list, and its next is ${link}`);
  }

  /** Puts the page in front of the free list. */
  free(frame: Frame): void {
    this.touch(frame);
    frame.blank(this.meta.freeHead);
    this.meta.freeHead = frame.page;
  }

  /** A tree without keys is a new one: a single leaf, and no page beside it. */
  clear(): Frame {
    this.#frames.clear();
    this.#dirty.clear();
    this.#logged.clear();
    Object.assign(this.meta, emptyMeta());
    const root = new Frame(this.meta.root, this.pageSize);
    root.reset(true, NO_PAGE);
    this.#frames.set(root.page, root);
    this.touch(root);
    return root;
  }

  /** What has changed is durable once this returns, all of it or, if it throws, perhaps none. */
  commit(): void {
    const before = metaPage(this.#committed, this.pageSize);
    const after = metaPage(this.meta, this.pageSize);
    if (this.#dirty.size === 0 && Buffer.compare(before, after) === 0) return;
    const { log } = this;
    log.add(0, before);
    for (const { page, bytes } of this.#dirty) log.add(page, bytes);
    log.add(0, after);
    log.sync();
    this.syncs++;
    this.pagesWritten += this.#dirty.size + 2;
    for (const frame of this.#dirty) {
      frame.dirty = false;
      frame.logged = true;
      this.#logged.add(frame);
    }
    this.#dirty.clear();
    this.#committed = { ...this.meta };
  }

  /** Puts what was committed where it belongs. Nothing may be uncommitted. */
  checkpoint(): void {
    const { file, log, meta, pageSize } = this;
    if (this.#dirty.size > 0) throw new Error('changes that are not in the log');
    if (log.isEmpty) return;
    const frames = [...this.#logged].sort((a, b) => a.page - b.page);
    this.#writeRuns(frames);
    writeFully(file, metaPage(meta, pageSize), 0, pageSize, 0);
    if (this.#filePages > meta.nextFree) file.truncate(meta.nextFree * pageSize);
    this.#filePages = meta.nextFree;
    file.sync();
    this.pagesWritten += frames.length + 1;
    for (const frame of frames) frame.logged = false;
    this.#logged.clear();
    log.clear();
    this.syncs += 2;
  }

  #writeRuns(frames: readonly Frame[]): void {
    const { pageSize, file } = this;
    const buffer = new Uint8Array(Math.min(RUN_BYTES, Math.max(1, frames.length) * pageSize));
    for (let i = 0; i < frames.length; ) {
      const first = frames[i]!.page;
      let used = 0;
      for (; i < frames.length && used < buffer.length; i++) {
        if (frames[i]!.page !== first + used / pageSize) break;
        buffer.set(frames[i]!.bytes, used);
        used += pageSize;
      }
      writeFully(file, buffer, 0, used, first * pageSize);
    }
  }

  /** Gives up pages beyond the bound that the file has as they are. Only between operations. */
  trim(): void {
    const room = this.#framesMax >> 3;
    let more = this.#frames.size - this.#framesMax;
    // Nor is it worth it where nearly all are held.
    if (more <= 0 || this.#frames.size - this.heldPages < room) return;
    // Some room, so that it is not done for every page; each page is looked at twice at most.
    more += room;
    let looks = 2 * this.#frames.size;
    for (const [page, frame] of this.#frames) {
      if (more <= 0 || looks-- <= 0) return;
      if (!frame.dirty && !frame.logged && !frame.wanted) {
        this.#frames.delete(page);
        more--;
        continue;
      }
      frame.wanted = false;
      this.#frames.delete(page);
      this.#frames.set(page, frame);
    }
  }

  /** `whole`: nothing has failed. */
  close(whole: boolean): void {
    this.log.close(whole);
    this.file.close();
  }
}
