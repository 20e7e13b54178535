/** One key's value: one look into memory, one read of the file, one check. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import type { PageCache } from './page-cache.ts';

/** Records up to this size are read into a buffer that is used again. */
const SCRATCH_BYTES = 64 * 1024;

export class RecordReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #view = new DataView(this.#scratch.buffer);

  constructor(
    readonly keys: KeyDirectory,
    readonly files: ReadonlyMap<number, DataFile>,
    readonly now: () => number,
    readonly cache: PageCache,
  ) {}

  get(key: Uint8Array): Buffer | null {
    const { keys } = this;
    const entry = keys.find(key, 0, key.length);
    if (entry < 0) return null;
    const expires = keys.expires(entry);
    if (expires !== 0 && expires <= this.now()) return null;
    const file = this.files.get(keys.file(entry))!;
    return this.read(file, keys.position(entry), keys.length(entry), key.length);
  }

  /** The value of the record of `length` bytes at `position`, whose key has `keyBytes`. */
  read(file: DataFile, position: number, length: number, keyBytes: number): Buffer {
    const valueAt = HEAD_BYTES + keyBytes;
    const { cache } = this;
    if (cache.find(file, position, length)) {
      check(file, cache.bytes, cache.view, cache.at, length, position, length);
      return copyOf(cache.bytes, cache.at + valueAt, cache.at + length);
    }
    if (length <= SCRATCH_BYTES) {
      const got = file.read(this.#scratch, length, position);
      check(file, this.#scratch, this.#view, 0, got, position, length);
      return copyOf(this.#scratch, valueAt, length);
    }
    const bytes = Buffer.allocUnsafeSlow(length);
    const got = file.read(bytes, length, position);
    check(file, bytes, new DataView(bytes.buffer), 0, got, position, length);
    return bytes.subarray(valueAt);
  }
}

function check(
  file: DataFile,
  bytes: Buffer,
  view: DataView,
  at: number,
  available: number,
  position: number,
  length: number,
): void {
  if (file.codec.check(bytes, view, at, available, position) === length) return;
  throw corrupt(file, position, `the record of ${length} bytes does not check`);
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
