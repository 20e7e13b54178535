/** Writes the textbook tables, byte for byte as their layouts are drawn. */
import { DdiaError } from '../../../shared/errors.ts';
import { toHex } from '../../../shared/hex.ts';
import { compareBytes, type EntryBlock, TYPE, typeName } from '../entry-block.ts';
import type { TableTarget, TableWriteOptions, TableWriter } from '../model.ts';
import type { FlatSpec } from './spec.ts';

export interface FlatEncoding {
  readonly keyBytesMax: number;
  /** The bytes before the first entry; `entries` if they are known already. */
  header(entries: number): Uint8Array;
  /** Where the header has its count, to be put in when all is written; undefined: nowhere. */
  readonly countAt: number | undefined;
  /** Everything of an entry behind its key. Throws a DdiaError for what the layout cannot hold. */
  rest(block: EntryBlock, index: number): { fixed: Uint8Array; value: boolean };
}

const OFFSET_BYTES = 8;

export class FlatWriter implements TableWriter {
  readonly #every: number;
  #at = 0;
  #entries = 0;
  #last: Uint8Array | undefined;
  /** Entries of the index so far, as they will stand in the file. */
  #index: Uint8Array[] = [];

  constructor(
    readonly spec: FlatSpec,
    readonly encoding: FlatEncoding,
    readonly target: TableTarget,
    readonly options: TableWriteOptions,
  ) {
    this.#every = options.indexEvery ?? spec.indexEvery;
    this.#put(encoding.header(options.entries ?? 0));
  }

  get size(): number {
    return this.#at;
  }

  get entries(): number {
    return this.#entries;
  }

  add(block: EntryBlock, index: number): void {
    const { keyBytes, keyStart, keyEnd } = block;
    const start = keyStart[index]!;
    const end = keyEnd[index]!;
    const type = block.types[index]!;
    if (type !== TYPE.put && type !== TYPE.delete) {
      throw new DdiaError(
        'unsupported-op',
        `op ${typeName(type)} cannot be written in this layout`,
        'it has put, delete',
      );
    }
    if (end - start > this.encoding.keyBytesMax) {
      const most = this.encoding.keyBytesMax;
      throw new DdiaError('too-large', `a key of ${end - start} bytes; the layout ends at ${most}`);
    }
    const last = this.#last;
    if (last && compareBytes(last, 0, last.length, keyBytes, start, end) >= 0) {
      throw unsorted(block, index, last);
    }
    const key = keyBytes.slice(start, end);
    this.#last = key;
    const { fixed, value } = this.encoding.rest(block, index);
    const head = this.#keyHead(key.length);
    if (this.#entries % this.#every === 0) {
      const entry = new Uint8Array(head.length + key.length + OFFSET_BYTES);
      entry.set(head);
      entry.set(key, head.length);
      setOffset(entry, head.length + key.length, this.#at);
      this.#index.push(entry);
    }
    this.#put(head);
    this.#put(key);
    this.#put(fixed);
    if (value) {
      this.target.write(block.valueBytes, block.valueStart[index]!, block.valueEnd[index]!);
      this.#at += block.valueEnd[index]! - block.valueStart[index]!;
    }
    this.#entries++;
  }

  finish(): number {
    const indexAt = this.#at;
    for (const entry of this.#index) this.#put(entry);
    const footer = new Uint8Array(12);
    setOffset(footer, 0, indexAt);
    new DataView(footer.buffer).setUint32(8, this.#index.length);
    this.#put(footer);
    const { countAt } = this.encoding;
    if (countAt !== undefined && this.options.entries !== this.#entries) {
      const count = new Uint8Array(4);
      new DataView(count.buffer).setUint32(0, this.#entries);
      this.target.patch!(countAt, count);
    }
    return this.#at;
  }

  #keyHead(length: number): Uint8Array {
    const head = new Uint8Array(this.spec.keyLengthBytes);
    const view = new DataView(head.buffer);
    if (head.length === 2) view.setUint16(0, length);
    else view.setUint32(0, length);
    return head;
  }

  #put(bytes: Uint8Array): void {
    this.target.write(bytes, 0, bytes.length);
    this.#at += bytes.length;
  }
}

function setOffset(bytes: Uint8Array, at: number, offset: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(at, Math.floor(offset / 0x1_0000_0000));
  view.setUint32(at + 4, offset >>> 0);
}

/** A table is written in order or not at all. */
export function unsorted(block: EntryBlock, index: number, last: Uint8Array): DdiaError {
  const key = toHex(block.key(index).slice(0, 32));
  return new DdiaError(
    'unsorted',
    `key hex:${key} does not come behind hex:${toHex(last.slice(0, 32))}`,
    'entries must come in ascending order of their keys; --sort puts them in order',
  );
}
