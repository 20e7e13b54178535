/**
 * The tree beside the log, btree.db, as evidence for what an image is an image of. It is the state
 * before the log was applied, or in the middle of it; where it cannot be read there is simply no
 * evidence.
 */
import type { ByteSource } from '../../format.ts';
import type { WalScanContext } from '../model.ts';
import { TREE_NAME } from './layout.ts';
import { META_BYTES, PageView } from './page.ts';

export class TreeFile {
  /** The page that was loaded last. */
  readonly view = new PageView();
  #source: ByteSource | undefined;
  #size = 0;
  #bytes = new Uint8Array(0);
  #data = new DataView(this.#bytes.buffer);

  constructor(context: WalScanContext) {
    const { set } = context;
    try {
      if (!set.siblings.some(({ name }) => name === TREE_NAME)) return;
      this.#source = set.open(TREE_NAME);
      this.#size = this.#source.size ?? 0;
    } catch {
      this.#source = undefined; // no permission, say
    }
  }

  close(): void {
    this.#source?.close?.();
    this.#source = undefined;
  }

  get isThere(): boolean {
    return this.#source !== undefined && this.#size > 0;
  }

  /** Whole pages in the file. */
  pages(pageSize: number): number {
    return Math.floor(this.#size / pageSize);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get data(): DataView {
    return this.#data;
  }

  /**
   * Loads a page into `bytes` and looks at it; false: there is no such page. A promise only where
   * the source reads asynchronously: it is asked for every entry of the log.
   */
  load(page: number, pageSize: number): boolean | Promise<boolean> {
    if (!this.#source || (page + 1) * pageSize > this.#size || pageSize < META_BYTES) return false;
    if (this.#bytes.length < pageSize) {
      this.#bytes = new Uint8Array(pageSize);
      this.#data = new DataView(this.#bytes.buffer);
    }
    return this.#read(page * pageSize, pageSize, 0);
  }

  #read(position: number, pageSize: number, from: number): boolean | Promise<boolean> {
    let done = from;
    try {
      while (done < pageSize) {
        const got = this.#source!.read(this.#bytes, done, pageSize - done, position + done);
        if (typeof got !== 'number') return this.#readOn(got, position, pageSize, done);
        if (got <= 0) return false;
        done += got;
      }
    } catch {
      return this.#giveUp();
    }
    this.view.look(this.#bytes, this.#data, 0, pageSize);
    return true;
  }

  async #readOn(
    pending: Promise<number>,
    position: number,
    pageSize: number,
    done: number,
  ): Promise<boolean> {
    try {
      const got = await pending;
      return got > 0 && (await this.#read(position, pageSize, done + got));
    } catch {
      return this.#giveUp();
    }
  }

  /** What cannot be read is no evidence, and no reason to stop reading the log. */
  #giveUp(): false {
    this.close();
    return false;
  }
}
