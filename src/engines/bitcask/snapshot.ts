/**
 * The keys of a store at one moment, in byte order. Places are noted when it is made, and the files
 * pinned: what is written, deleted or merged later changes nothing.
 */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import { keyLengthOf } from '../../formats/bitcask/v2/record.ts';
import { DdiaError } from '../../shared/errors.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';

export interface ScanOptions {
  /** Inclusive and exclusive bounds, in byte order. */
  from?: Uint8Array | undefined;
  to?: Uint8Array | undefined;
  prefix?: Uint8Array | undefined;
  reverse?: boolean | undefined;
  limit?: number | undefined;
}

export interface KeyValue {
  key: Buffer;
  value: Buffer;
}

const BUFFER_BYTES_MIN = 16 * 1024;

export class Snapshot implements Iterable<KeyValue> {
  readonly size: number;
  /** Pinned. */
  #files: DataFile[] = [];
  #closed = false;
  /** For each key: index of its file, position, length. */
  readonly #places: Float64Array;
  #buffer = Buffer.alloc(0);
  #view = new DataView(this.#buffer.buffer);

  constructor(
    keys: KeyDirectory,
    files: ReadonlyMap<number, DataFile>,
    now: number,
    options: ScanOptions,
  ) {
    const keep = (entry: number): boolean => {
      const expires = keys.expires(entry);
      return (expires === 0 || expires > now) && wanted(keys, entry, options);
    };
    const chosen = keys.sorted(keep, options.reverse, options.limit);
    this.size = chosen.length;
    const numbers = new Map<number, number>();
    this.#places = new Float64Array(chosen.length * 3);
    chosen.forEach((entry, i) => {
      const number = keys.file(entry);
      let index = numbers.get(number);
      if (index === undefined) {
        index = this.#files.length;
        numbers.set(number, index);
        this.#pin(files.get(number)!);
      }
      this.#places[3 * i] = index;
      this.#places[3 * i + 1] = keys.position(entry);
      this.#places[3 * i + 2] = keys.length(entry);
    });
  }

  /** Open, it can be read even when the store is closed and the next writer has removed it. */
  #pin(file: DataFile): void {
    try {
      file.hold();
    } catch (error) {
      this.close();
      throw error;
    }
    file.pin();
    this.#files.push(file);
  }

  /** Reads each record and checks it; throws `corrupt`. Ends the snapshot, however it is left. */
  *[Symbol.iterator](): Generator<KeyValue> {
    try {
      for (let i = 0; i < this.size; i++) yield this.at(i);
    } finally {
      this.close();
    }
  }

  /** The i-th key and its value, the caller's to keep. Throws `closed` once it is. */
  at(i: number): KeyValue {
    if (this.#closed) throw new DdiaError('closed', 'the scan is closed');
    const file = this.#files[this.#places[3 * i]!]!;
    const position = this.#places[3 * i + 1]!;
    const length = this.#places[3 * i + 2]!;
    if (length > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES_MIN, length));
      this.#view = new DataView(this.#buffer.buffer);
    }
    const got = file.read(this.#buffer, length, position);
    if (file.codec.check(this.#buffer, this.#view, 0, got, position) !== length) {
      throw corrupt(file, position, `the record of ${length} bytes does not check`);
    }
    const keyEnd = HEAD_BYTES + keyLengthOf(this.#view, 0);
    return {
      key: Buffer.from(this.#buffer.subarray(HEAD_BYTES, keyEnd)),
      value: Buffer.from(this.#buffer.subarray(keyEnd, length)),
    };
  }

  /** Lets go of the files. */
  close(): void {
    this.#closed = true;
    const files = this.#files;
    this.#files = [];
    for (const file of files) file.unpin();
  }
}

function wanted(keys: KeyDirectory, entry: number, { from, to, prefix }: ScanOptions): boolean {
  if (!from && !to && !prefix) return true;
  const start = keys.keyStart(entry);
  const key = keys.keyChunk(entry).subarray(start, start + keys.keyLength(entry));
  if (from && Buffer.compare(key, from) < 0) return false;
  if (to && Buffer.compare(key, to) >= 0) return false;
  return !prefix || Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}
