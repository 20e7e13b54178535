/** Files that a merge writes: durable, and named by nothing yet. */
import { join } from 'node:path';
import type { BitcaskRecord } from '../../formats/bitcask/model.ts';
import { decodeDataHeader, encodeDataHeader } from '../../formats/bitcask/v2/headers.ts';
import { HintEncoder } from '../../formats/bitcask/v2/hint.ts';
import {
  DELETE,
  dataName,
  EXPIRES_AT,
  FLAGS_AT,
  HEAD_BYTES,
  HEADER_BYTES,
  KIND_AT,
  MERGED,
  UNSYNCED_AT,
  VALUE_LENGTH_AT,
} from '../../formats/bitcask/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { DurableWriter } from '../../io/durable.ts';
import type { Catalog } from './catalog.ts';
import { DataFile } from './data-file.ts';
import { writeHint } from './hint-file.ts';

const BUFFER_BYTES = 1024 * 1024;

interface Current {
  file: DataFile;
  writer: DurableWriter;
  hint: HintEncoder | undefined;
}

export class MergeOutput {
  #files: DataFile[] = [];
  #current: Current | undefined;
  /** Taken when there is something to copy. */
  #buffer = new Uint8Array(0);
  #view = new DataView(this.#buffer.buffer);
  #buffered = 0;

  constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly catalog: Catalog,
    readonly fileBytes: number,
    /** True: no key comes twice, so that the hint can be gathered on the way. */
    readonly hints: boolean,
  ) {}

  /** Number of the file that the last record was copied into. */
  get number(): number {
    return this.#current?.file.number ?? 0;
  }

  /**
   * Copies a record that was checked, under checksums for its new place; `asDeletion`: as a
   * deletion of its key with the same number. Returns its position.
   */
  copy(record: BitcaskRecord, asDeletion: boolean): number {
    const { bytes, keyStart, keyEnd, valueEnd, seq } = record;
    const { file, hint } = this.#fileFor();
    const position = file.size;
    const start = keyStart - HEAD_BYTES;
    const end = asDeletion ? keyEnd : valueEnd;
    const length = end - start;
    this.#reserve(length);
    const at = this.#buffered;
    this.#buffer.set(bytes.subarray(start, end), at);
    const view = this.#view;
    // It was whole where it comes from, and is durable before anything names it.
    this.#buffer[at + FLAGS_AT] = 0;
    view.setUint32(at + UNSYNCED_AT, 0, true);
    if (asDeletion) {
      this.#buffer[at + KIND_AT] = DELETE;
      view.setUint32(at + VALUE_LENGTH_AT, 0, true);
      view.setUint32(at + EXPIRES_AT, 0, true);
      view.setUint16(at + EXPIRES_AT + 4, 0, true);
    }
    file.codec.seal(this.#buffer, view, at, position, at + length);
    this.#buffered += length;
    file.grow(length, 1, seq, seq);
    const deleted = asDeletion || record.deleted;
    if (deleted) file.deletionBytes += length;
    const expires = deleted ? 0 : record.expires;
    hint?.add(position, end - keyEnd, seq, expires, deleted, bytes, keyStart, keyEnd);
    return position;
  }

  /** Makes durable what was copied, hints included. */
  finish(): DataFile[] {
    this.#end();
    return this.#files;
  }

  /** Removes what was made: nothing names it. */
  abandon(): void {
    try {
      this.#current?.writer.abort();
    } catch {
      // A leftover, which the next opening removes; what went wrong first is told.
    }
    // The last one may have its name already, if it was the sync of the directory that failed.
    this.#current?.file.doom();
    for (const file of this.#files) file.doom();
  }

  #fileFor(): Current {
    if (this.#current && this.#current.file.size >= this.fileBytes) this.#end();
    this.#current ??= this.#begin();
    return this.#current;
  }

  #begin(): Current {
    const { disk, directory, catalog } = this;
    const { storeId } = catalog.manifest;
    const number = catalog.takeNumber();
    const header = encodeDataHeader({ file: number, storeId, kind: MERGED });
    const { crc } = decodeDataHeader(header)!;
    const file = new DataFile(disk, directory, number, crc, true);
    file.sealed = true;
    const writer = DurableWriter.create(disk, join(directory, dataName(number)));
    writer.append(header, 0, HEADER_BYTES);
    const hint = this.hints ? new HintEncoder(number, storeId) : undefined;
    return { file, writer, hint };
  }

  #end(): void {
    if (!this.#current) return;
    this.#write();
    const { file, writer, hint } = this.#current;
    writer.finish();
    this.#files.push(file);
    this.#current = undefined;
    if (hint) file.hintCrc = writeHint(this.disk, file, hint);
  }

  #reserve(length: number): void {
    if (this.#buffered + length <= this.#buffer.length) return;
    this.#write();
    if (length <= this.#buffer.length) return;
    this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES, length));
    this.#view = new DataView(this.#buffer.buffer);
  }

  #write(): void {
    if (this.#buffered === 0) return;
    this.#current!.writer.append(this.#buffer, 0, this.#buffered);
    this.#buffered = 0;
  }
}
