/**
 * The redo log beside the tree: images of pages that a crash kept from being written. They are read
 * as the log's own dialect reads them, up to the first damage, and seen in place of the pages.
 */
import type { ByteSource } from '../../format.ts';
import { scanBtreeV1 } from '../../wal/btree-v1/scan.ts';
import type { BtreeContext } from '../model.ts';
import { type Overlay, readSync } from '../page-cache.ts';
import { FILE_NAME, REDO_NAME } from './layout.ts';

export class RedoImages implements Overlay {
  readonly #places = new Map<number, number>();
  /** Of the images; 0: there are none. */
  pageSize = 0;

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

  /** The last image of a page wins. */
  set(page: number, offset: number, length: number): void {
    if (this.pageSize === 0) this.pageSize = length;
    if (length === this.pageSize) this.#places.set(page, offset);
  }
}

/** Undefined where there is no log, or nothing in it that can be applied. */
export async function redoImages(
  name: string,
  context: BtreeContext,
): Promise<RedoImages | undefined> {
  const log = context.set.siblings.find((file) => file.name === REDO_NAME);
  if (name !== FILE_NAME || !log || log.size === 0) return undefined;
  const source = context.set.open(REDO_NAME);
  const images = new RedoImages(source);
  let ended = false;
  await scanBtreeV1(source, context, {
    record(record) {
      if (ended || record.salvaged) return;
      const page = record.extra?.['page'];
      if (typeof page !== 'number') return;
      const length = record.valueEnd - record.valueStart;
      images.set(page, record.offset + record.length - 4 - length, length);
    },
    damage() {
      ended = true;
    },
    done: () => ended,
  });
  if (images.pages.length > 0) return images;
  source.close?.();
  return undefined;
}
