/** One entry of its own: what is kept of a block that is about to be reused. */
import { compareSpans } from '../bytes/spans.ts';
import { EntryBlock } from './entry-block.ts';
import type { TableEntry } from './model.ts';

const NONE = new Uint8Array(0);

export class EntryCopy {
  readonly block = new EntryBlock();
  #key = new Uint8Array(64);
  #value = new Uint8Array(0);

  constructor() {
    this.block.reserve(1);
    this.block.count = 1;
  }

  /** Bytes of key and value. */
  get bytes(): number {
    const { keyEnd, valueStart, valueEnd } = this.block;
    return keyEnd[0]! + (valueStart[0]! < 0 ? 0 : valueEnd[0]!);
  }

  take(from: EntryBlock, index: number): this {
    const { block } = this;
    const keyLength = from.keyEnd[index]! - from.keyStart[index]!;
    if (this.#key.length < keyLength) this.#key = new Uint8Array(2 * keyLength);
    this.#key.set(from.keyBytes.subarray(from.keyStart[index], from.keyEnd[index]));
    block.keyBytes = this.#key;
    block.keyStart[0] = 0;
    block.keyEnd[0] = keyLength;
    const start = from.valueStart[index]!;
    const length = start < 0 ? 0 : from.valueEnd[index]! - start;
    if (this.#value.length < length) this.#value = new Uint8Array(2 * length);
    if (length > 0) this.#value.set(from.valueBytes.subarray(start, start + length));
    block.valueBytes = this.#value;
    block.valueStart[0] = start < 0 ? -1 : 0;
    block.valueEnd[0] = length;
    block.types[0] = from.types[index]!;
    block.seqHigh[0] = from.seqHigh[index]!;
    block.seqLow[0] = from.seqLow[index]!;
    block.order = from.order;
    block.file = from.file;
    block.offset = from.offsets?.[index] ?? from.offset;
    block.length = from.lengths?.[index] ?? from.length;
    block.number = from.number;
    if (from.timestamps) {
      block.withTimestamps();
      block.timestamps![0] = from.timestamps[index]!;
    } else block.timestamps = undefined;
    return this;
  }

  /** Key, number and type alone: what order is about. */
  takeKey(from: EntryBlock, index: number): void {
    const { block } = this;
    const start = from.keyStart[index]!;
    const length = from.keyEnd[index]! - start;
    if (this.#key.length < length) this.#key = new Uint8Array(2 * length);
    for (let i = 0; i < length; i++) this.#key[i] = from.keyBytes[start + i]!;
    block.keyBytes = this.#key;
    block.keyStart[0] = 0;
    block.keyEnd[0] = length;
    block.types[0] = from.types[index]!;
    block.seqHigh[0] = from.seqHigh[index]!;
    block.seqLow[0] = from.seqLow[index]!;
  }

  /** An entry that was made elsewhere. */
  set(entry: TableEntry): this {
    const { block } = this;
    block.keyBytes = entry.key;
    block.keyStart[0] = 0;
    block.keyEnd[0] = entry.key.length;
    block.valueBytes = entry.value ?? NONE;
    block.valueStart[0] = entry.value ? 0 : -1;
    block.valueEnd[0] = entry.value?.length ?? 0;
    block.types[0] = entry.type;
    block.seqHigh[0] = entry.seqHigh;
    block.seqLow[0] = entry.seqLow;
    if (entry.timestamp === undefined) block.timestamps = undefined;
    else {
      block.withTimestamps();
      block.timestamps![0] = entry.timestamp;
    }
    return this;
  }
}

/** Internal order: keys upwards, of one key the higher sequence number first, then the type. */
export function compareEntries(a: EntryBlock, i: number, b: EntryBlock, j: number): number {
  const keys = compareSpans(
    a.keyBytes,
    a.keyView,
    a.keyStart[i]!,
    a.keyEnd[i]!,
    b.keyBytes,
    b.keyView,
    b.keyStart[j]!,
    b.keyEnd[j]!,
  );
  if (keys !== 0) return a.order === -1 ? -keys : keys;
  return b.seqHigh[j]! - a.seqHigh[i]! || b.seqLow[j]! - a.seqLow[i]! || b.types[j]! - a.types[i]!;
}
