/**
 * The write-ahead log beside a database: frames of page images, of which those up to the last whole
 * commit count. They are seen in place of the pages, as SQLite would see them.
 *
 *     header  magic u32, format u32, page_size u32, checkpoint u32, salt u32 × 2, checksum u32 × 2
 *     frame   page u32, pages_after_commit u32 (0: no commit), salt u32 × 2, checksum u32 × 2, page
 *
 * A checksum continues from frame to frame, over the first 8 bytes of the frame's header and the
 * page. https://www.sqlite.org/fileformat2.html#walformat
 */
import type { ByteSource } from '../../format.ts';
import { readSync } from '../page-cache.ts';
import type { Beside } from './beside.ts';

const HEADER_BYTES = 32;
const FRAME_BYTES = 24;
const MAGIC = 0x377f0682;
const FORMAT = 3_007_000;
/** Frames are read in pieces of about this size. */
const WINDOW_BYTES = 1024 * 1024;

export class WalPages implements Beside {
  readonly #places = new Map<number, number>();
  /** Frames up to the last commit. */
  frames = 0;
  /** Frames behind it that are whole: a transaction that never committed. */
  uncommitted = 0;
  /** Pages of the database after the last commit. */
  pageCount = 0;
  pageSize = 0;

  constructor(readonly source: ByteSource) {}

  get pages(): number {
    return this.#places.size;
  }

  get facts(): Record<string, unknown> {
    const { frames, pages, pageCount } = this;
    return { log: { frames, pages, pageCount } };
  }

  has(page: number): boolean {
    return this.#places.has(page);
  }

  read(page: number, target: Uint8Array): void {
    readSync(this.source, target, this.pageSize, this.#places.get(page)!);
  }

  /** Reads the log; false if there is no commit in it. */
  load(): boolean {
    const { source } = this;
    const size = source.size ?? 0;
    const head = new Uint8Array(HEADER_BYTES);
    if (readSync(source, head, HEADER_BYTES, 0) < HEADER_BYTES) return false;
    const view = new DataView(head.buffer);
    const magic = view.getUint32(0);
    if ((magic & ~1) >>> 0 !== MAGIC || view.getUint32(4) !== FORMAT) return false;
    const little = (magic & 1) === 0;
    const sum = new Sum(little);
    this.pageSize = view.getUint32(8);
    if (this.pageSize < 512 || this.pageSize > 65_536) return false;
    sum.add(view, 0, 24);
    if (!sum.is(view, 24)) return false;
    const frameBytes = FRAME_BYTES + this.pageSize;
    const perWindow = Math.max(1, Math.floor(WINDOW_BYTES / frameBytes));
    const window = new Uint8Array(perWindow * frameBytes);
    const frames = new DataView(window.buffer);
    const pending = new Map<number, number>();
    for (let at = HEADER_BYTES; at + frameBytes <= size; ) {
      const got = readSync(source, window, Math.min(window.length, size - at), at);
      for (let p = 0; p + frameBytes <= got; p += frameBytes, at += frameBytes) {
        const salted =
          frames.getUint32(p + 8) === view.getUint32(16) &&
          frames.getUint32(p + 12) === view.getUint32(20);
        if (!salted) return this.frames > 0;
        sum.add(frames, p, 8);
        sum.add(frames, p + FRAME_BYTES, this.pageSize);
        if (!sum.is(frames, p + 16)) return this.frames > 0;
        pending.set(frames.getUint32(p), at + FRAME_BYTES);
        this.uncommitted++;
        const count = frames.getUint32(p + 4);
        if (count === 0) continue;
        for (const [page, place] of pending) this.#places.set(page, place);
        pending.clear();
        this.frames += this.uncommitted;
        this.uncommitted = 0;
        this.pageCount = count;
      }
      if (got < frameBytes) break;
    }
    return this.frames > 0;
  }
}

/** The log's checksum: two sums that feed each other, over pairs of words. */
class Sum {
  #a = 0;
  #b = 0;

  constructor(readonly little: boolean) {}

  add(view: DataView, at: number, length: number): void {
    const { little } = this;
    let a = this.#a;
    let b = this.#b;
    for (let p = at; p < at + length; p += 8) {
      a = (a + view.getUint32(p, little) + b) >>> 0;
      b = (b + view.getUint32(p + 4, little) + a) >>> 0;
    }
    this.#a = a;
    this.#b = b;
  }

  is(view: DataView, at: number): boolean {
    return view.getUint32(at) === this.#a && view.getUint32(at + 4) === this.#b;
  }
}
