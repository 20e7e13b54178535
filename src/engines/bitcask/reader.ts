/**
 * A store for reading only, in any process, while another writes to it: no lock. It shows the store
 * as it was when it was opened or last refreshed. Files that a merge removes meanwhile are kept by
 * their open handles.
 */
import type { Disk } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { CACHE_BYTES_DEFAULT } from './options.ts';
import { PageCache } from './page-cache.ts';
import { RecordReader } from './record-reader.ts';
import { type ScanOptions, Snapshot } from './snapshot.ts';
import { type StoreStat, statOf } from './stat.ts';
import { View } from './view.ts';

export class BitcaskReader {
  #view: View;
  readonly #cache = new PageCache(CACHE_BYTES_DEFAULT);
  #records: RecordReader;
  #refreshed: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly now: () => number,
    view: View,
  ) {
    this.#view = view;
    this.#records = this.#recordsOf(view);
  }

  /** Throws a DdiaError: `not-found`, `corrupt` where what was synced cannot be read. */
  static async open(disk: Disk, directory: string, now = Date.now): Promise<BitcaskReader> {
    return new BitcaskReader(disk, directory, now, await View.read(disk, directory));
  }

  get(key: Uint8Array): Buffer | null {
    this.#checkOpen();
    return this.#records.get(key);
  }

  get size(): number {
    return this.#view.keys.size;
  }

  /** What is not as it should be and could be done without, in words. */
  get notes(): readonly string[] {
    return this.#view.notes;
  }

  scan(options: ScanOptions = {}): Snapshot {
    this.#checkOpen();
    const { keys, catalog } = this.#view;
    return new Snapshot(keys, catalog.files, this.now(), options);
  }

  stat(): StoreStat {
    const { keys, catalog } = this.#view;
    return statOf(catalog, keys, catalog.manifest.nextSeq, undefined);
  }

  /**
   * Looks at the store again. Costs what is new, or all of it where the set of files has changed.
   * If it throws, what was shown before is shown on.
   */
  refresh(): Promise<void> {
    const refreshed = this.#refreshed.then(() => this.#refresh());
    this.#refreshed = refreshed.catch(() => {});
    return refreshed;
  }

  async #refresh(): Promise<void> {
    this.#checkOpen();
    if (!this.#view.isBehind(this.disk)) {
      await this.#view.follow();
      return;
    }
    const view = await View.read(this.disk, this.directory);
    if (this.#closed) {
      view.close();
      return;
    }
    this.#view.close();
    this.#view = view;
    this.#records = this.#recordsOf(view);
  }

  close(): void {
    this.#closed = true;
    this.#view.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new DdiaError('closed', 'the reader is closed');
  }

  #recordsOf({ keys, catalog }: View): RecordReader {
    return new RecordReader(keys, catalog.files, this.now, this.#cache);
  }
}
