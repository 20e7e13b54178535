/** The log beside the tree, for writing: entries are gathered, appended, and synced together. */
import { dirname, join } from 'node:path';
import { REDO_NAME } from '../../formats/btree/v1/layout.ts';
import { encodeEntry } from '../../formats/wal/btree-v1/encode.ts';
import { type Disk, type DiskFile, writeFully } from '../../io/disk.ts';

/** Entries wait for the next up to so many bytes. */
const BUFFER_BYTES = 256 * 1024;

export class RedoLog {
  readonly path: string;
  #file: DiskFile | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #seq = 0;
  /** Bytes in the file. */
  #size = 0;

  /** What is there of it has been applied, and is of no more use. */
  constructor(
    readonly disk: Disk,
    directory: string,
  ) {
    this.path = join(directory, REDO_NAME);
  }

  get size(): number {
    return this.#size + this.#waitingBytes;
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** The image is copied. */
  add(page: number, image: Uint8Array): void {
    const entry = encodeEntry(++this.#seq, page, image);
    this.#waiting.push(entry);
    this.#waitingBytes += entry.length;
    if (this.#waitingBytes >= BUFFER_BYTES) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#file ??= this.#open();
    writeFully(this.#file, bytes, 0, bytes.length, this.#size);
    this.#size += bytes.length;
  }

  #open(): DiskFile {
    const { disk, path } = this;
    const file = disk.open(path, disk.stat(path) ? 'write' : 'create');
    // Also for the tree's own name, which whoever made it may not have lived to sync.
    disk.syncDirectory(dirname(path));
    return file;
  }

  sync(): void {
    this.#flush();
    this.#file!.dataSync();
  }

  /** Only once the file has all of it, durably. What comes next must not meet what was before. */
  clear(): void {
    this.#file ??= this.#open();
    this.#file.truncate(0);
    this.#file.sync();
    this.#size = 0;
    this.#seq = 0;
  }

  /** `whole`: nothing has failed; the name of a log with nothing in it goes as well then. */
  close(whole: boolean): void {
    this.#file?.close();
    this.#file = undefined;
    if (whole && this.isEmpty && this.disk.stat(this.path)) this.disk.remove(this.path);
  }
}
