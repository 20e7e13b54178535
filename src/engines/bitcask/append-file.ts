/** The data file that is written: records are encoded into a buffer and written many at a time. */
import { join } from 'node:path';
import { decodeDataHeader, encodeDataHeader } from '../../formats/bitcask/v2/headers.ts';
import { dataName, WRITTEN } from '../../formats/bitcask/v2/layout.ts';
import { type Disk, type DiskFile, writeFully } from '../../io/disk.ts';
import { DataFile } from './data-file.ts';

const BUFFER_BYTES_MIN = 64 * 1024;
/** A buffer that a large batch has blown up is not kept. */
const BUFFER_BYTES_KEPT = 1024 * 1024;

export class AppendFile {
  /** Records behind data.size that are not written yet. */
  buffer = new Uint8Array(BUFFER_BYTES_MIN);
  view = new DataView(this.buffer.buffer);
  pendingBytes = 0;
  pendingRecords = 0;
  #seqFirst = 0;
  #seqLast = 0;

  private constructor(
    readonly data: DataFile,
    readonly file: DiskFile,
  ) {}

  /** Makes the file and its header durable, name included. Nothing may name it before that. */
  static create(disk: Disk, directory: string, number: number, storeId: bigint): AppendFile {
    const header = encodeDataHeader({ file: number, storeId, kind: WRITTEN });
    const file = disk.open(join(directory, dataName(number)), 'create');
    try {
      writeFully(file, header, 0, header.length, 0);
      file.sync();
      disk.syncDirectory(directory);
    } catch (error) {
      file.close();
      throw error;
    }
    const { crc } = decodeDataHeader(header)!;
    return new AppendFile(new DataFile(disk, directory, number, crc, false, file), file);
  }

  /** Goes on with a file that was written before. */
  static resume(disk: Disk, old: DataFile): AppendFile {
    const file = disk.open(old.path, 'write');
    old.adopt(file);
    return new AppendFile(old, file);
  }

  /** Bytes of the file with what is pending. */
  get position(): number {
    return this.data.size + this.pendingBytes;
  }

  /** Encodes a record behind the others: see `reserve`. */
  append(
    seq: number,
    key: Uint8Array,
    value: Uint8Array | undefined,
    timestamp: number,
    expires: number,
    continued: boolean,
    unsynced: number,
  ): void {
    this.pendingBytes += this.data.codec.encode(
      this.buffer,
      this.view,
      this.pendingBytes,
      this.position,
      seq,
      key,
      value,
      timestamp,
      expires,
      continued,
      unsynced,
    );
    if (this.pendingRecords++ === 0) this.#seqFirst = seq;
    this.#seqLast = seq;
  }

  /** Writes what is pending; with `sync`, makes all of the file durable. */
  flush(sync: boolean): void {
    const { data } = this;
    const bytes = this.pendingBytes;
    if (bytes > 0) {
      writeFully(this.file, this.buffer, 0, bytes, data.size);
      data.grow(bytes, this.pendingRecords, this.#seqFirst, this.#seqLast);
      this.pendingBytes = 0;
      this.pendingRecords = 0;
      if (this.buffer.length > BUFFER_BYTES_KEPT) this.#allocate(BUFFER_BYTES_MIN);
    }
    if (!sync) return;
    this.file.dataSync();
    data.markDurable();
  }

  /** Makes room for so many bytes of records: none of them can fail for want of memory then. */
  reserve(more: number): void {
    const bytes = this.pendingBytes + more;
    if (bytes <= this.buffer.length) return;
    const old = this.buffer;
    this.#allocate(Math.max(bytes, 2 * old.length));
    this.buffer.set(old.subarray(0, this.pendingBytes));
  }

  #allocate(bytes: number): void {
    this.buffer = new Uint8Array(bytes);
    this.view = new DataView(this.buffer.buffer);
  }
}
