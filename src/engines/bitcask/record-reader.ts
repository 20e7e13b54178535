/** One key's value: one look into memory, one read of the file, one check. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import type { DataFile } from './data-file.ts';
import { corrupt } from './load.ts';

/** Records up to this size are read into a buffer that is used again. */
const SCRATCH_BYTES = 64 * 1024;

export class RecordReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #view = new DataView(this.#scratch.buffer);

  constructor(
    readonly keys: KeyDirectory,
    readonly files: ReadonlyMap<number, DataFile>,
    readonly now: () => number,
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
    if (length > SCRATCH_BYTES) {
      const bytes = Buffer.allocUnsafeSlow(length);
      this.#fill(file, bytes, new DataView(bytes.buffer), position, length);
      return bytes.subarray(valueAt);
    }
    this.#fill(file, this.#scratch, this.#view, position, length);
    const value = Buffer.allocUnsafe(length - valueAt);
    this.#scratch.copy(value, 0, valueAt, length);
    return value;
  }

  #fill(file: DataFile, bytes: Buffer, view: DataView, position: number, length: number): void {
    const got = file.read(bytes, length, position);
    if (file.codec.check(bytes, view, 0, got, position) !== length) {
      throw corrupt(file, position, `the record of ${length} bytes does not check`);
    }
  }
}
