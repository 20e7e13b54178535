/**
 * Writes a tree front to back from entries in key order, in memory proportional to its height: a
 * page goes out when it is full, so that every pointer is to a page whose checksum is known. The
 * meta pages in front need the root, which is known last: whoever can write them afterwards does;
 * who can only append runs the builder twice (buildFile).
 */
import { DdiaError } from '../../../shared/errors.ts';
import {
  CELLS_AT,
  COUNT_AT,
  cellBytesMax,
  HEADER_BYTES,
  IN_OVERFLOW,
  INTERIOR,
  INTERIOR_CELL_BYTES,
  isInline,
  KIND_AT,
  keyBytesMax,
  LEAF,
  LEAF_CELL_BYTES,
  LEVEL_AT,
  LINK_AT,
  LINK_CRC_AT,
  META_PAGES,
  OVERFLOW,
  OVERFLOW_REF_BYTES,
  PAGE_AT,
  pageCrc,
  SLOT_BYTES,
  setU64,
  storeSeed,
  TXN_AT,
  VALUE_BYTES_MAX,
} from './layout.ts';
import { type Meta, newMetas, writeMeta } from './meta.ts';
import { separator } from './separator.ts';

/** A key and a value as spans; whoever yields it may reuse it. */
export interface Entry {
  bytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  valueBytes: Uint8Array;
  valueStart: number;
  valueEnd: number;
}

export type WritePage = (page: Uint8Array) => void;

export interface Built {
  root: number;
  rootCrc: number;
  height: number;
  keys: number;
  pages: number;
}

/** The page of a level that is being filled. */
interface Level {
  bytes: Uint8Array;
  view: DataView;
  count: number;
  low: number;
  high: number;
  /** Of the last cell of an interior page. */
  lastCell: number;
  /** The separator in front of all that is below this page. */
  first: Uint8Array;
}

const NO_KEY = new Uint8Array(0);

export class TreeBuilder {
  readonly #levels: Level[] = [];
  readonly #seed: number;
  readonly #scratch: Uint8Array;
  readonly #scratchView: DataView;
  #lastKey: Uint8Array = NO_KEY;
  #lastLength = 0;
  #keys = 0;
  #next = META_PAGES;

  constructor(
    readonly pageSize: number,
    readonly storeId: bigint,
    readonly txn: number,
    readonly write: WritePage,
  ) {
    this.#seed = storeSeed(storeId);
    this.#scratch = new Uint8Array(pageSize);
    this.#scratchView = new DataView(this.#scratch.buffer);
  }

  /** True if the key is greater than all that were added. */
  takes(key: Uint8Array): boolean {
    const last = this.#lastKey.subarray(0, this.#lastLength);
    return this.#keys === 0 || Buffer.compare(last, key) < 0;
  }

  /** Throws `bad-order` if the key is not greater than the one before, `too-long` beyond limits. */
  add(entry: Entry): void {
    const { pageSize } = this;
    const { bytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = entry;
    const keyBytes = keyEnd - keyStart;
    checkLengths(pageSize, keyBytes, valueEnd - valueStart);
    const key = bytes.subarray(keyStart, keyEnd);
    const last = this.#lastKey.subarray(0, this.#lastLength);
    if (!this.takes(key)) throw badOrder();
    const inline = isInline(pageSize, keyBytes, valueEnd - valueStart);
    const cell = LEAF_CELL_BYTES + keyBytes + (inline ? valueEnd - valueStart : OVERFLOW_REF_BYTES);
    let leaf = this.#levels[0] ?? this.#begin(0, NO_KEY);
    if (leaf.count > 0 && leaf.low + SLOT_BYTES + cell > leaf.high) {
      const before = separator(last, key);
      this.#finish(0);
      leaf = this.#begin(0, before);
    }
    const ref = inline ? undefined : this.#overflow(valueBytes, valueStart, valueEnd);
    const at = this.#cell(leaf, cell);
    leaf.view.setUint16(at, keyBytes, true);
    leaf.bytes.set(key, at + LEAF_CELL_BYTES);
    const behind = at + LEAF_CELL_BYTES + keyBytes;
    if (ref) {
      leaf.view.setUint16(at + 2, IN_OVERFLOW, true);
      leaf.view.setUint32(behind, valueEnd - valueStart, true);
      leaf.view.setUint32(behind + 4, ref.page, true);
      leaf.view.setUint32(behind + 8, ref.crc, true);
    } else {
      leaf.view.setUint16(at + 2, valueEnd - valueStart, true);
      leaf.bytes.set(valueBytes.subarray(valueStart, valueEnd), behind);
    }
    if (this.#lastKey.length < keyBytes) this.#lastKey = new Uint8Array(cellBytesMax(pageSize));
    this.#lastKey.set(key);
    this.#lastLength = keyBytes;
    this.#keys++;
  }

  end(): Built {
    let built = { page: 0, crc: 0 };
    // A level that ends as one page is the root.
    for (let level = 0; level < this.#levels.length; level++) {
      const alone = level === this.#levels.length - 1;
      if (alone) built = this.#emit(level);
      else this.#finish(level);
    }
    const height = this.#levels.length;
    return { root: built.page, rootCrc: built.crc, height, keys: this.#keys, pages: this.#next };
  }

  #begin(level: number, first: Uint8Array): Level {
    const known = this.#levels[level];
    const bytes = known?.bytes ?? new Uint8Array(this.pageSize);
    bytes.fill(0);
    const view = known?.view ?? new DataView(bytes.buffer);
    const begun = { bytes, view, count: 0, low: HEADER_BYTES, high: bytes.length, lastCell: 0 };
    this.#levels[level] = { ...begun, first };
    return this.#levels[level];
  }

  #cell(level: Level, length: number): number {
    level.high -= length;
    level.view.setUint16(level.low, level.high, true);
    level.low += SLOT_BYTES;
    level.count++;
    return level.high;
  }

  /** Writes the page of a level, and tells the level above of it. */
  #finish(level: number): void {
    const { first } = this.#levels[level]!;
    const { page, crc } = this.#emit(level);
    this.#child(level + 1, first, page, crc);
  }

  #child(level: number, key: Uint8Array, page: number, crc: number): void {
    const known = this.#levels[level];
    if (known === undefined) {
      this.#firstChild(this.#begin(level, key), page, crc);
      return;
    }
    const cell = INTERIOR_CELL_BYTES + key.length;
    if (known.low + SLOT_BYTES + cell <= known.high) {
      this.#addChild(known, key, page, crc);
      return;
    }
    // The full page gives its last child away, so that no interior page has but one.
    const at = known.lastCell;
    const length = known.view.getUint16(at, true);
    const first = known.bytes.slice(at + INTERIOR_CELL_BYTES, at + INTERIOR_CELL_BYTES + length);
    const given = known.view.getUint32(at + 2, true);
    const givenCrc = known.view.getUint32(at + 6, true);
    known.bytes.fill(0, at, at + INTERIOR_CELL_BYTES + length);
    known.high = at + INTERIOR_CELL_BYTES + length;
    known.low -= SLOT_BYTES;
    known.view.setUint16(known.low, 0, true);
    known.count--;
    this.#finish(level);
    const next = this.#begin(level, first);
    this.#firstChild(next, given, givenCrc);
    this.#addChild(next, key, page, crc);
  }

  #firstChild(level: Level, page: number, crc: number): void {
    level.view.setUint32(LINK_AT, page, true);
    level.view.setUint32(LINK_CRC_AT, crc, true);
  }

  #addChild(level: Level, key: Uint8Array, page: number, crc: number): void {
    const at = this.#cell(level, INTERIOR_CELL_BYTES + key.length);
    level.view.setUint16(at, key.length, true);
    level.view.setUint32(at + 2, page, true);
    level.view.setUint32(at + 6, crc, true);
    level.bytes.set(key, at + INTERIOR_CELL_BYTES);
    level.lastCell = at;
  }

  #emit(number: number): { page: number; crc: number } {
    const { bytes, view, count, high } = this.#levels[number]!;
    view.setUint16(COUNT_AT, count, true);
    view.setUint16(CELLS_AT, high, true);
    bytes[LEVEL_AT] = number;
    return this.#put(bytes, view, number === 0 ? LEAF : INTERIOR);
  }

  /** The last part first: each page says which one goes on, and that one's checksum. */
  #overflow(bytes: Uint8Array, start: number, end: number): { page: number; crc: number } {
    const room = this.pageSize - HEADER_BYTES;
    let behind = { page: 0, crc: 0 };
    const page = this.#scratch;
    const view = this.#scratchView;
    for (
      let from = start + Math.floor((end - start - 1) / room) * room;
      from >= start;
      from -= room
    ) {
      const length = Math.min(room, end - from);
      page.fill(0);
      page.set(bytes.subarray(from, from + length), HEADER_BYTES);
      view.setUint16(CELLS_AT, length, true);
      view.setUint32(LINK_AT, behind.page, true);
      view.setUint32(LINK_CRC_AT, behind.crc, true);
      behind = this.#put(page, view, OVERFLOW);
    }
    return behind;
  }

  #put(bytes: Uint8Array, view: DataView, kind: number): { page: number; crc: number } {
    const page = this.#next++;
    bytes[KIND_AT] = kind;
    view.setUint32(PAGE_AT, page, true);
    setU64(view, TXN_AT, this.txn);
    const crc = pageCrc(this.#seed, page, bytes, view, 0, this.pageSize);
    view.setUint32(0, crc, true);
    this.write(bytes);
    return { page, crc };
  }
}

export function checkLengths(pageSize: number, keyBytes: number, valueBytes: number): void {
  const most = keyBytesMax(pageSize);
  if (keyBytes > most) {
    const what = `a key of ${keyBytes} bytes; with pages of ${pageSize} it may have ${most}`;
    throw new DdiaError('too-long', what, 'a larger page size has room for longer keys');
  }
  if (valueBytes > VALUE_BYTES_MAX) {
    throw new DdiaError(
      'too-long',
      `a value of ${valueBytes} bytes; it may have ${VALUE_BYTES_MAX}`,
    );
  }
}

function badOrder(): DdiaError {
  return new DdiaError('bad-order', 'keys must ascend, each once, where a tree is built at once');
}

export interface FileParameters {
  pageSize: number;
  storeId: bigint;
  /**
   * Of the transaction that the tree is of; the meta page before it says that nothing was there.
   */
  txn: number;
}

export function metasOf({ pageSize, storeId, txn }: FileParameters, built: Built): Meta[] {
  const { root, rootCrc, height, keys, pages } = built;
  const empty = newMetas(pageSize, storeId);
  return empty.map((meta) => {
    return {
      ...meta,
      txn: txn % 2 === meta.page ? txn : txn - 1,
      pages,
      root,
      rootCrc,
      height,
      keys,
    };
  });
}

/**
 * A whole file, front to back. The entries are gone through twice, since the root stands in front.
 */
export function buildFile(
  parameters: FileParameters,
  entries: () => Iterable<Entry>,
  write: WritePage,
): Built {
  const { pageSize, storeId, txn } = parameters;
  const build = (to: WritePage) => {
    const builder = new TreeBuilder(pageSize, storeId, txn, to);
    for (const entry of entries()) builder.add(entry);
    return builder.end();
  };
  const built = build(() => {});
  const page = new Uint8Array(pageSize);
  for (const meta of metasOf(parameters, built)) {
    writeMeta(meta, page);
    write(page);
  }
  return build(write);
}
