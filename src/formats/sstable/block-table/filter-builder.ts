/** Makes the filter of a table that is written anew, of the kind that it had. */
import { mulHigh, r } from '../../../shared/hash/mul64.ts';
import { xxph3 } from '../../../shared/hash/xxh3.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import { compareBytes, type EntryBlock } from '../entry-block.ts';
import { FULL_FILTER, PARTITIONED_FILTER } from './constants.ts';
import { bloomHash, FULL_METADATA_BYTES } from './filter.ts';
import type { BlockTable } from './table.ts';

/** Bits of a filter for each key, as both systems take by default, and the probes for that many. */
const BITS_PER_KEY = 10;
const PROBES = 6;
const LINE_BYTES = 64;
const LEVELDB_LOG = 11;
const GOLDEN = 0x9e3779b9 | 0;

type Kind = 'none' | 'block' | 'legacy' | 'fast';

/** Keys are held as their hashes: eight bytes each. */
export class FilterBuilder {
  readonly #kind: Kind;
  #low = new Uint32Array(1024);
  #high = new Uint32Array(1024);
  #count = 0;
  /** For each range of the file: where its hashes begin. */
  readonly #starts: number[] = [];
  readonly name: string;

  constructor(readonly table: BlockTable) {
    const { filterName, rocksdb, footer, properties } = table;
    const whole = properties.text('rocksdb.block.based.table.whole.key.filtering') !== '0';
    const full = /^(?:full|partitioned)filter\./.test(filterName);
    if (filterName === '' || !whole) this.#kind = 'none';
    else if (!full) this.#kind = rocksdb ? 'none' : 'block';
    else this.#kind = (footer?.version ?? 0) >= 5 ? 'fast' : 'legacy';
    this.name = filterName.startsWith(PARTITIONED_FILTER)
      ? FULL_FILTER + filterName.slice(PARTITIONED_FILTER.length)
      : filterName;
  }

  /** `offset`: where the block will lie. */
  block(block: EntryBlock, offset: number): void {
    if (this.#kind === 'none') return;
    if (this.#kind === 'block') {
      const range = Math.floor(offset / 2 ** LEVELDB_LOG);
      while (this.#starts.length <= range) this.#starts.push(this.#count);
    }
    const { keyBytes, keyStart, keyEnd, count } = block;
    const view = viewOf(keyBytes);
    for (let i = 0; i < count; i++) {
      const [start, end] = [keyStart[i]!, keyEnd[i]!];
      const again =
        i > 0 &&
        compareBytes(keyBytes, start, end, keyBytes, keyStart[i - 1]!, keyEnd[i - 1]!) === 0;
      if (again) continue;
      if (this.#count >= this.#low.length) this.#grow();
      if (this.#kind === 'fast') {
        xxph3(view, start, end);
        this.#low[this.#count] = r.low;
        this.#high[this.#count++] = r.high;
      } else this.#low[this.#count++] = bloomHash(keyBytes, start, end, this.table.rocksdb);
    }
  }

  #grow(): void {
    const low = new Uint32Array(2 * this.#low.length);
    const high = new Uint32Array(low.length);
    low.set(this.#low);
    high.set(this.#high);
    this.#low = low;
    this.#high = high;
  }

  finish(): Uint8Array | undefined {
    if (this.#kind === 'none') return undefined;
    return this.#kind === 'block' ? this.#ranges() : this.#full();
  }

  #full(): Uint8Array {
    const fast = this.#kind === 'fast';
    let lines = Math.max(1, Math.ceil((this.#count * BITS_PER_KEY) / 8 / LINE_BYTES));
    // Before version 5 an odd number, so that more bits of a hash take part.
    if (!fast && lines % 2 === 0) lines++;
    const bytes = new Uint8Array(lines * LINE_BYTES + FULL_METADATA_BYTES);
    for (let i = 0; i < this.#count; i++) {
      if (fast) {
        const at = (mulHigh(this.#low[i]!, lines) >>> 0) * LINE_BYTES;
        let h = this.#high[i]!;
        for (let j = 0; j < PROBES; j++, h = Math.imul(h, GOLDEN)) {
          const bit = h >>> 23;
          bytes[at + (bit >>> 3)]! |= 1 << (bit & 7);
        }
      } else {
        let h = this.#low[i]!;
        const at = (h % lines) * LINE_BYTES;
        const delta = ((h >>> 17) | (h << 15)) >>> 0;
        for (let j = 0; j < PROBES; j++, h = (h + delta) >>> 0) {
          const bit = h & (8 * LINE_BYTES - 1);
          bytes[at + (bit >>> 3)]! |= 1 << (bit & 7);
        }
      }
    }
    const meta = bytes.length - FULL_METADATA_BYTES;
    if (fast) bytes.set([0xff, 0, PROBES], meta);
    else {
      bytes[meta] = PROBES;
      viewOf(bytes).setUint32(meta + 1, lines, true);
    }
    return bytes;
  }

  /**
   * LevelDB's: one filter after the other, where they begin, where that is, and the range's size.
   */
  #ranges(): Uint8Array {
    const pieces: Uint8Array[] = [];
    const offsets: number[] = [];
    let at = 0;
    for (const [n, start] of this.#starts.entries()) {
      const end = this.#starts[n + 1] ?? this.#count;
      offsets.push(at);
      if (end === start) continue;
      const size = (Math.max(64, (end - start) * BITS_PER_KEY) + 7) >>> 3;
      const bytes = new Uint8Array(size + 1);
      for (let i = start; i < end; i++) {
        let h = this.#low[i]!;
        const delta = ((h >>> 17) | (h << 15)) >>> 0;
        for (let j = 0; j < PROBES; j++, h = (h + delta) >>> 0) {
          const bit = h % (8 * size);
          bytes[bit >>> 3]! |= 1 << (bit & 7);
        }
      }
      bytes[size] = PROBES;
      pieces.push(bytes);
      at += bytes.length;
    }
    const tail = new Uint8Array(4 * offsets.length + 5);
    const view = viewOf(tail);
    for (const [i, offset] of offsets.entries()) view.setUint32(4 * i, offset, true);
    view.setUint32(4 * offsets.length, at, true);
    tail[tail.length - 1] = LEVELDB_LOG;
    return new Uint8Array(Buffer.concat([...pieces, tail]));
  }
}
