/**
 * The redo log beside the tree: images of pages that a crash kept from being written. They are read
 * as the log's own dialect reads them, up to the first damage, and seen in place of the pages.
 *
 * A log that begins with an image of page 0 is one of whole operations: each begins with the
 * metadata as it was and ends with the metadata as it is then, so that one which did not get to its
 * end is not seen at all. Other logs have no such marks, and are seen as far as they go: also one
 * that begins with metadata, if those are not what the file has.
 */
import type { ByteSource } from '../../format.ts';
import { scanBtreeV1 } from '../../wal/btree-v1/scan.ts';
import type { WalRecord } from '../../wal/model.ts';
import type { BtreeContext } from '../model.ts';
import { type Overlay, readSync } from '../page-cache.ts';
import { FILE_NAME, REDO_NAME } from './layout.ts';

export class RedoImages implements Overlay {
  readonly #places = new Map<number, number>();
  /** Of the operation that is being read. */
  readonly #begun = new Map<number, number>();
  /** Of the images; 0: there are none. */
  pageSize = 0;
  /** It has marks: see above. */
  marked = false;
  /** Between the marks of an operation. */
  open = false;
  /** Behind the last image that counts. */
  end = 0;
  /** Images of page 0 behind the damage that ended the reading. */
  metasBehind = 0;
  #seq = 0;
  /** Behind the last image, whether it counts or not. */
  #endOfAll = 0;

  constructor(readonly source: ByteSource) {}

  get pages(): readonly number[] {
    return [...this.#places.keys()].sort((a, b) => a - b);
  }

  has(page: number): boolean {
    return this.#places.has(page);
  }

  read(page: number, target: Uint8Array): void {
    readSync(this.source, target, this.pageSize, this.#places.get(page)!);
  }

  /** The last image of a page wins. False if the log ends before it. */
  add(page: number, { offset, length, seqLow, valueStart, valueEnd }: WalRecord): boolean {
    const size = valueEnd - valueStart;
    const at = offset + length - 4 - size;
    if (this.pageSize === 0) {
      this.pageSize = size;
      this.marked = page === 0;
    }
    if (!this.marked) {
      if (size === this.pageSize) this.#places.set(page, at);
      this.end = offset + length;
      return true;
    }
    if (size !== this.pageSize || seqLow !== ++this.#seq) return false;
    this.#endOfAll = offset + length;
    this.#begun.set(page, at);
    if (page !== 0) return this.open;
    this.open = !this.open;
    if (!this.open) {
      this.#take();
      this.end = offset + length;
    }
    return true;
  }

  #take(): void {
    for (const [one, where] of this.#begun) this.#places.set(one, where);
    this.#begun.clear();
  }

  /**
   * Of a log with an operation that did not get to its end, and none that did: what was the
   * metadata when it began is what the file has, or these images are not what they were taken for.
   */
  compare(tree: ByteSource): void {
    const at = this.#begun.get(0);
    if (at === undefined || !this.open || this.#places.size > 0) return;
    const { pageSize } = this;
    const image = new Uint8Array(pageSize);
    const page = new Uint8Array(pageSize);
    readSync(this.source, image, pageSize, at);
    if (readSync(tree, page, pageSize, 0) < pageSize || Buffer.compare(image, page) === 0) return;
    this.marked = false;
    this.open = false;
    this.end = this.#endOfAll;
    this.#take();
  }
}

/** Numbers of pages that are listed. */
const SHOWN_MAX = 20;

export function listOfPages(pages: readonly number[]): string {
  const more = pages.length > SHOWN_MAX ? ', …' : '';
  return `${pages.slice(0, SHOWN_MAX).join(', ')}${more}`;
}

/** Undefined where there is no log, or nothing in it. */
export async function redoImages(
  name: string,
  context: BtreeContext,
): Promise<RedoImages | undefined> {
  const log = context.set.siblings.find((file) => file.name === REDO_NAME);
  if (name !== FILE_NAME || !log || log.size === 0) return undefined;
  return readRedo(context.set.open(REDO_NAME), context);
}

/** Closing its source is up to the caller. `toEnd`: looks at what lies behind damage as well. */
export async function readRedo(
  source: ByteSource,
  context: BtreeContext,
  toEnd = false,
): Promise<RedoImages> {
  const images = new RedoImages(source);
  let ended = false;
  await scanBtreeV1(source, context, {
    record(record) {
      const page = record.extra?.['page'];
      if (typeof page !== 'number') return;
      if (ended) {
        if (page === 0) images.metasBehind++;
      } else if (record.salvaged || !images.add(page, record)) ended = true;
    },
    damage() {
      ended = true;
    },
    done: () => ended && !toEnd,
  });
  const tree = context.set.open(FILE_NAME);
  try {
    images.compare(tree);
  } finally {
    tree.close?.();
  }
  return images;
}
