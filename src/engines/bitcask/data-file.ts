/**
 * One data file of a running store: where to read from it, how much of it still counts, and who
 * needs it. A file that a merge has replaced stays open, and on the disk, until the last reader
 * that was under way has let go of it.
 */
import { join } from 'node:path';
import { dataName, HEADER_BYTES, hintName } from '../../formats/bitcask/v2/layout.ts';
import type { ManifestFile } from '../../formats/bitcask/v2/manifest.ts';
import { RecordCodec } from '../../formats/bitcask/v2/record.ts';
import { type Disk, type DiskFile, readFully } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { corrupt } from './corrupt.ts';

type Durable = Pick<ManifestFile, 'dataBytes' | 'records' | 'seqFirst' | 'seqLast'>;

export class DataFile {
  readonly codec: RecordCodec;
  sealed = false;
  /** Bytes that were handed to the operating system, and records in them. */
  size = HEADER_BYTES;
  records = 0;
  /** Lowest and highest number of its records; 0: there is none. */
  seqFirst = 0;
  seqLast = 0;
  /** crc of its hint file's header; 0: it has none. */
  hintCrc = 0;
  /** What the key directory points to. */
  liveBytes = 0;
  liveRecords = 0;
  /** Deletions that no later record of their key makes superfluous, as far as is known. */
  deletionBytes = 0;
  /** Of liveBytes, what had expired when somebody counted last. */
  expiredBytes = 0;
  /** What of an open file is known to be durable. */
  #durable: Durable = { dataBytes: HEADER_BYTES, records: 0, seqFirst: 0, seqLast: 0 };
  /** By page of the file: the slot of the page cache that has it, plus one; 0: none has. */
  pages = new Int32Array(0);
  #handle: DiskFile | undefined;
  #pins = 0;
  #doomed = false;
  #closed = false;

  constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly number: number,
    /** crc of its header, which seeds the checksums of its records. */
    readonly crc: number,
    readonly merged: boolean,
    handle?: DiskFile,
  ) {
    this.codec = new RecordCodec(crc);
    this.#handle = handle;
  }

  static of(disk: Disk, directory: string, entry: ManifestFile): DataFile {
    const file = new DataFile(disk, directory, entry.file, entry.dataCrc, entry.merged);
    file.sealed = entry.sealed;
    file.size = entry.dataBytes;
    file.records = entry.records;
    file.seqFirst = entry.seqFirst;
    file.seqLast = entry.seqLast;
    file.hintCrc = entry.hint ? entry.hintCrc : 0;
    file.markDurable();
    return file;
  }

  get path(): string {
    return join(this.directory, dataName(this.number));
  }

  get hintPath(): string {
    return join(this.directory, hintName(this.number));
  }

  /** What a merge could free, as far as is known. */
  get deadBytes(): number {
    const counts = this.liveBytes - this.expiredBytes + this.deletionBytes;
    return Math.max(0, this.size - HEADER_BYTES - counts);
  }

  /** All that was written so far is durable. */
  markDurable(): void {
    const { size, records, seqFirst, seqLast } = this;
    this.#durable = { dataBytes: size, records, seqFirst, seqLast };
  }

  /** As the manifest names it. A sealed file is durable as a whole. */
  entry(): ManifestFile {
    if (this.sealed) this.markDurable();
    return {
      file: this.number,
      sealed: this.sealed,
      merged: this.merged,
      hint: this.hintCrc !== 0,
      ...this.#durable,
      dataCrc: this.crc,
      hintCrc: this.hintCrc,
    };
  }

  /** A record was written behind those that are there. */
  grow(bytes: number, records: number, seqFirst: number, seqLast: number): void {
    this.size += bytes;
    this.records += records;
    if (this.seqFirst === 0 || seqFirst < this.seqFirst) this.seqFirst = seqFirst;
    if (seqLast > this.seqLast) this.seqLast = seqLast;
  }

  /** Fills target[0, length) from `position`; returns the bytes there were. */
  read(target: Uint8Array, length: number, position: number): number {
    return this.readInto(target, 0, length, position);
  }

  readInto(target: Uint8Array, start: number, length: number, position: number): number {
    return readFully(this.hold(), target, start, length, position);
  }

  /** Bytes of the file as it is on the disk now. */
  get bytesThere(): number {
    return this.hold().size();
  }

  /** Makes room to note where the page is. */
  reservePages(page: number): void {
    if (page < this.pages.length) return;
    const pages = new Int32Array(Math.max(page + 1, this.pages.length * 2, 16));
    pages.set(this.pages);
    this.pages = pages;
  }

  /**
   * Opens the file, if it is not: it can be read from then on even when it is removed. Throws
   * `corrupt` if it is not there, `closed` once nobody is to read it any more.
   */
  hold(): DiskFile {
    if (this.#closed && this.#pins === 0) throw new DdiaError('closed', `${this.path} is closed`);
    this.#handle ??= this.#open();
    return this.#handle;
  }

  #open(): DiskFile {
    try {
      return this.disk.open(this.path, 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw corrupt(this, 0, 'the manifest names it, and it is not there');
    }
  }

  /** Another file has taken the name: that one is read from now on. */
  replaced(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }

  /** Reads through `handle` from now on, and closes it in the end. */
  adopt(handle: DiskFile): void {
    this.#handle?.close();
    this.#handle = handle;
    this.sealed = false;
  }

  /** Keeps the file until `unpin`. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    this.#settle();
  }

  /** The manifest no longer names it: to be removed when nobody reads it any more. */
  doom(): void {
    this.#doomed = true;
    this.#settle();
  }

  /** Lets go of the handle; with pins left, at the last unpin. */
  close(): void {
    this.#closed = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#pins > 0 || !(this.#doomed || this.#closed)) return;
    this.#handle?.close();
    this.#handle = undefined;
    if (!this.#doomed) return;
    this.#doomed = false;
    this.#closed = true;
    for (const path of [this.path, this.hintPath]) {
      try {
        if (this.disk.stat(path)) this.disk.remove(path);
      } catch {
        // A leftover, as after a crash: the next opening removes it. What is done is done.
      }
    }
  }
}
