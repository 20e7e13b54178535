/**
 * Filters: which keys a table cannot hold. Three kinds of Bloom filters are read (LevelDB's, one
 * for
 * each two kilobytes of file; RocksDB's full ones before and from format_version 5 on), ribbon
 * filters are named.
 *
 * LevelDB: util/bloom.cc, table/filter_block.cc. RocksDB: util/bloom_impl.h,
 * table/block_based/filter_policy.cc.
 */
import { mulHigh, r } from '../../../shared/hash/mul64.ts';
import { xxph3 } from '../../../shared/hash/xxh3.ts';
import { viewOf } from '../../bytes/read-fully.ts';

const SEED = 0xbc9f1d34;
const MURMUR = 0xc6a4a793 | 0;
export const FULL_METADATA_BYTES = 5;
const GOLDEN = 0x9e3779b9 | 0;

/** The hash of both systems, like Murmur; RocksDB takes the last bytes for signed. */
export function bloomHash(bytes: Uint8Array, start: number, end: number, signed: boolean): number {
  const length = end - start;
  let h = SEED ^ Math.imul(length, MURMUR);
  let p = start;
  for (; p + 4 <= end; p += 4) {
    const word = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
    h = Math.imul((h + word) | 0, MURMUR);
    h ^= h >>> 16;
  }
  const rest = end - p;
  if (rest === 0) return h >>> 0;
  const byte = (at: number): number => (signed ? (bytes[at]! << 24) >> 24 : bytes[at]!);
  if (rest > 2) h = (h + (byte(p + 2) << 16)) | 0;
  if (rest > 1) h = (h + (byte(p + 1) << 8)) | 0;
  h = Math.imul((h + byte(p)) | 0, MURMUR);
  h ^= h >>> 24;
  return h >>> 0;
}

/** Probes spread over all bits. */
function plainMayMatch(
  b: Uint8Array,
  start: number,
  bits: number,
  probes: number,
  hash: number,
): boolean {
  const delta = ((hash >>> 17) | (hash << 15)) >>> 0;
  let h = hash;
  for (let i = 0; i < probes; i++) {
    const bit = h % bits;
    if ((b[start + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
    h = (h + delta) >>> 0;
  }
  return true;
}

/** One question to a filter; the view is of the same bytes as the key. */
export interface KeyFilter {
  /** What it is, for people. */
  readonly kind: string;
  /** False: it says nothing about any key. */
  readonly understood: boolean;
  /** `blockOffset`: where the key's block lies in the file. */
  mayContain(
    key: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    blockOffset: number,
  ): boolean;
}

/** What is not understood passes every key. */
class Unread implements KeyFilter {
  readonly understood = false;
  constructor(readonly kind: string) {}
  mayContain(): boolean {
    return true;
  }
}

/** LevelDB's: a filter for each range of file offsets. */
class BlockFilters implements KeyFilter {
  readonly understood = true;
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly table: number,
    readonly count: number,
    readonly log: number,
    readonly signed: boolean,
  ) {
    this.#view = viewOf(bytes);
  }

  get kind(): string {
    return `Bloom, ${this.count} filters of ${2 ** this.log} bytes of file each`;
  }

  mayContain(
    key: Uint8Array,
    _view: DataView,
    start: number,
    end: number,
    offset: number,
  ): boolean {
    const index = Math.floor(offset / 2 ** this.log);
    if (index >= this.count) return true;
    const from = this.#view.getUint32(this.table + 4 * index, true);
    const to = this.#view.getUint32(this.table + 4 * index + 4, true);
    if (from > to || to > this.table) return true;
    if (to - from < 2) return false;
    const probes = this.bytes[to - 1]!;
    if (probes > 30) return true;
    const bits = 8 * (to - from - 1);
    return plainMayMatch(this.bytes, from, bits, probes, bloomHash(key, start, end, this.signed));
  }
}

/** RocksDB's full filter before format_version 5: all probes in one cache line. */
class LegacyFull implements KeyFilter {
  readonly understood = true;
  readonly kind: string;

  constructor(
    readonly bytes: Uint8Array,
    readonly lines: number,
    readonly log: number,
    readonly probes: number,
  ) {
    this.kind = `Bloom (legacy), ${lines} lines of ${2 ** log} bytes, ${probes} probes`;
  }

  mayContain(key: Uint8Array, _view: DataView, start: number, end: number): boolean {
    let h = bloomHash(key, start, end, true);
    const at = (h % this.lines) * 2 ** this.log;
    const delta = ((h >>> 17) | (h << 15)) >>> 0;
    const mask = 2 ** (this.log + 3) - 1;
    for (let i = 0; i < this.probes; i++) {
      const bit = h & mask;
      if ((this.bytes[at + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      h = (h + delta) >>> 0;
    }
    return true;
  }
}

/** RocksDB's from format_version 5 on. */
class FastLocal implements KeyFilter {
  readonly understood = true;
  readonly kind: string;
  readonly #lines: number;

  constructor(
    readonly bytes: Uint8Array,
    readonly probes: number,
  ) {
    this.#lines = (bytes.length - FULL_METADATA_BYTES) >>> 6;
    this.kind = `Bloom, ${this.#lines} lines of 64 bytes, ${probes} probes`;
  }

  mayContain(_key: Uint8Array, view: DataView, start: number, end: number): boolean {
    xxph3(view, start, end);
    const at = (mulHigh(r.low, this.#lines) >>> 0) * 64;
    let h = r.high;
    for (let i = 0; i < this.probes; i++) {
      const bit = h >>> 23;
      if ((this.bytes[at + (bit >>> 3)]! & (1 << (bit & 7))) === 0) return false;
      h = Math.imul(h, GOLDEN);
    }
    return true;
  }
}

/** A filter block of one filter for each range of the file. */
export function blockFilters(bytes: Uint8Array, signed: boolean): KeyFilter {
  if (bytes.length < 5) return new Unread(`${bytes.length} bytes, a filter block has at least 5`);
  const table = viewOf(bytes).getUint32(bytes.length - 5, true);
  const log = bytes[bytes.length - 1]!;
  if (table > bytes.length - 5 || log > 52) return new Unread(`filters end at ${table}`);
  return new BlockFilters(bytes, table, (bytes.length - 5 - table) >>> 2, log, signed);
}

/** A filter for all keys of a table, or of a partition. */
export function fullFilter(bytes: Uint8Array): KeyFilter {
  const length = bytes.length - FULL_METADATA_BYTES;
  if (length <= 0) return new Unread(`${bytes.length} bytes, no filter`);
  const probes = bytes[length]!;
  const second = bytes[length + 1]!;
  const third = bytes[length + 2]!;
  if (probes === 0xff) {
    const known = second === 0 && third >>> 5 === 0 && (third & 31) > 0 && (third & 31) < 31;
    if (!known || length % 64 !== 0) return new Unread(`Bloom of sub-implementation ${second}`);
    return new FastLocal(bytes, third & 31);
  }
  if (probes === 0xfe) {
    const blocks = third | (bytes[length + 3]! << 8) | (bytes[length + 4]! << 16);
    return new Unread(`ribbon, seed ${second}, ${blocks} blocks: named, not decoded`);
  }
  const lines = viewOf(bytes).getUint32(length + 1, true);
  const log = lines > 0 ? Math.log2(length / lines) : -1;
  if (probes === 0 || probes > 127 || log < 0 || !Number.isInteger(log) || log > 28) {
    return new Unread(`${probes} probes, ${lines} lines in ${length} bytes: always true`);
  }
  return new LegacyFull(bytes, lines, log, probes);
}
