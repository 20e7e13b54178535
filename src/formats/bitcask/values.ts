/**
 * Values by their place: a record's value is the end of its bytes, and is read as it lies. One that
 * was mended while it was read is read the same way again.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { ByteSource } from '../format.ts';
import { readAnchors } from './anchors.ts';
import { type DataFile, storeFiles } from './files.ts';
import { type LiveIndex, REREAD } from './live.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';

/** Files that are kept open: a store can have thousands. */
const OPEN_FILES_MAX = 32;
/** A window for one record. */
const WINDOW_BYTES = 4096;

export class ValueReader {
  /** The value is bytes[0, length). Valid until the next `read`. */
  bytes: Uint8Array = new Uint8Array(4096);
  length = 0;
  readonly #data: readonly DataFile[];
  /** By index of the data file; the one used last is the last. */
  readonly #open = new Map<number, ByteSource>();

  constructor(
    readonly input: BitcaskOpened,
    readonly context: BitcaskScanContext,
    readonly index: LiveIndex,
  ) {
    this.#data = storeFiles(input).data;
  }

  /** Reads the value of an entry that is not a deletion. */
  async read(entry: number): Promise<void> {
    const { keys, overhead } = this.index;
    const file = keys.file(entry);
    const position = keys.position(entry);
    if ((keys.flags(entry) & REREAD) !== 0) {
      await this.#readAgain(file, position);
      return;
    }
    const head = overhead + keys.keyLength(entry);
    const length = keys.length(entry) - head;
    this.#reserve(length);
    const source = this.#source(file);
    for (let done = 0; done < length; ) {
      const at = position + head + done;
      const pending = source.read(this.bytes, done, length - done, at);
      const got = typeof pending === 'number' ? pending : await pending;
      if (got <= 0) {
        const message = `${source.name} ends at ${at}; it was longer when it was read first`;
        throw new DdiaError('input-changed', message, 'is it written to? try again');
      }
      done += got;
    }
    this.length = length;
  }

  close(): void {
    for (const source of this.#open.values()) source.close?.();
    this.#open.clear();
  }

  /** As the scan read it. */
  async #readAgain(file: number, position: number): Promise<void> {
    const { input, context } = this;
    const anchors = await readAnchors(input, this.#data[file]!, context);
    const limits = { ...context.limits, windowBytes: WINDOW_BYTES };
    const again = { ...context, limits, from: position, anchors: anchors?.offsets };
    let done = false;
    await input.dialect.scan(this.#source(file), again, {
      record: (record) => {
        if (record.offset !== position || done) return;
        const { bytes, valueStart, valueEnd } = record;
        this.length = valueEnd - valueStart;
        this.#reserve(this.length);
        this.bytes.set(bytes.subarray(valueStart, valueEnd));
        done = true;
      },
      damage() {},
      done: () => done,
    });
  }

  #reserve(length: number): void {
    if (this.bytes.length < length) this.bytes = new Uint8Array(length + (length >>> 2));
  }

  #source(file: number): ByteSource {
    const known = this.#open.get(file);
    if (known) {
      if (this.#open.size > 1) {
        this.#open.delete(file);
        this.#open.set(file, known);
      }
      return known;
    }
    for (const [oldest, source] of this.#open) {
      if (this.#open.size < OPEN_FILES_MAX) break;
      source.close?.();
      this.#open.delete(oldest);
    }
    const source = this.input.set.open(this.#data[file]!.name);
    this.#open.set(file, source);
    return source;
  }
}
