/**
 * Writes a hardened table as entries come, in order: in memory are one block, the index, four bytes
 * a key for the filter, and the range deletions.
 */
import { randomBytes } from 'node:crypto';
import { deflateRaw } from '../../../shared/codecs/deflate.ts';
import { DdiaError } from '../../../shared/errors.ts';
import { type EntryBlock, isDeletion, TYPE } from '../entry-block.ts';
import { EntryCopy } from '../entry-copy.ts';
import type { TableEncoder, TableTarget, TableWriteOptions, TableWriter } from '../model.ts';
import { shown } from '../order.ts';
import { sealBlock } from './block.ts';
import { BlockBuilder } from './block-builder.ts';
import { FilterBuilder } from './filter.ts';
import { encodeFooter, encodeHeader, encodeProperties, type Place, type Places } from './frames.ts';
import { IndexTable } from './index-table.ts';
import * as names from './layout.ts';
import { rangeBlock } from './ranges.ts';
import { checkSizes } from './sizes.ts';

/** Compression is kept where it saves an eighth. */
const WORTH = 7 / 8;
const NOTHING = new Uint8Array(0);

export interface V2WriteOptions extends TableWriteOptions {
  readonly fileId?: bigint;
  readonly filterBits?: number;
}

export class V2Writer implements TableWriter {
  entries = 0;
  readonly #target: TableTarget;
  readonly #fileId: bigint;
  readonly #fileCrc: number;
  readonly #blockBytes: number;
  readonly #filterBits: number;
  readonly #deflate: boolean;
  readonly #data: BlockBuilder;
  readonly #index = new IndexTable();
  readonly #filter: FilterBuilder | undefined;
  readonly #ranges: EntryCopy[] = [];
  readonly #counts = names.COUNTS.map(() => 0);
  #deletions = 0;
  #merges = 0;
  #keyBytes = 0;
  #valueBytes = 0;
  #keys = 0;
  #seqFirst = Number.POSITIVE_INFINITY;
  #seqLast = 0;
  #firstKey: Uint8Array = NOTHING;
  #lastHigh = 0;
  #lastLow = 0;
  #lastType = 0;
  #at = 0;
  #blocks = 0;

  constructor(target: TableTarget, options: V2WriteOptions) {
    this.#target = target;
    this.#fileId = options.fileId ?? idOf(options.tableId ?? randomBytes(8));
    this.#blockBytes = options.blockBytes ?? names.BLOCK_BYTES_DEFAULT;
    this.#filterBits = options.filterBits ?? names.FILTER_BITS_DEFAULT;
    const { compression = 'none' } = options;
    if (!names.COMPRESSION_NAMES.includes(compression as 'none')) {
      const hint = `known: ${names.COMPRESSION_NAMES.join(', ')}`;
      throw new DdiaError('bad-option', `unknown compression ${compression}`, hint, 2);
    }
    this.#deflate = compression === 'deflate';
    const header = encodeHeader({
      fileId: this.#fileId,
      blockBytes: this.#blockBytes,
      filterBits: this.#filterBits,
    });
    this.#fileCrc = header.crc;
    this.#data = new BlockBuilder(names.HEAD_BYTES, 2 * this.#blockBytes);
    this.#filter = this.#filterBits > 0 ? new FilterBuilder(this.#filterBits) : undefined;
    this.#write(header.bytes, header.bytes.length);
  }

  /** Bytes of the file so far, those of the open block included. */
  get size(): number {
    return this.#at + this.#data.at;
  }

  /** Data that is in the file, without what is still to come: what a merge's pace counts. */
  get written(): number {
    return this.#at;
  }

  get fileCrc(): number {
    return this.#fileCrc;
  }

  get firstKey(): Uint8Array {
    return this.#firstKey;
  }

  get lastKey(): Uint8Array {
    return this.#data.lastKey;
  }

  /** Lowest and highest number of the entries. */
  get seqs(): [number, number] {
    return [Number.isFinite(this.#seqFirst) ? this.#seqFirst : 0, this.#seqLast];
  }

  get rangeDeletions(): number {
    return this.#ranges.length;
  }

  add(block: EntryBlock, index: number): void {
    const valueStart = block.valueStart[index]!;
    const timestamp = block.timestamps ? block.timestamps[index]! : Number.NaN;
    this.addEntry(
      block.keyBytes,
      block.keyView,
      block.keyStart[index]!,
      block.keyEnd[index]!,
      block.seqHigh[index]!,
      block.seqLow[index]!,
      block.types[index]!,
      block.valueBytes,
      block.valueView,
      valueStart < 0 ? 0 : valueStart,
      valueStart < 0 ? 0 : block.valueEnd[index]!,
      timestamp,
    );
  }

  /** As `add`, of parts. `timestamp` NaN: there is none. */
  addEntry(
    key: Uint8Array,
    keyView: DataView,
    keyStart: number,
    keyEnd: number,
    seqHigh: number,
    seqLow: number,
    type: number,
    value: Uint8Array,
    valueView: DataView,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void {
    checkSizes(keyEnd - keyStart, valueEnd - valueStart, seqHigh, type);
    const seq = seqHigh * 0x1_0000_0000 + seqLow;
    if (seq < this.#seqFirst) this.#seqFirst = seq;
    if (seq > this.#seqLast) this.#seqLast = seq;
    if (type === TYPE.rangeDelete) {
      this.#addRange(
        new Uint8Array(key.subarray(keyStart, keyEnd)),
        new Uint8Array(value.subarray(valueStart, valueEnd)),
        seqHigh,
        seqLow,
      );
      return;
    }
    const data = this.#data;
    const order = data.meet(key, keyView, keyStart, keyEnd);
    let fresh = true;
    if (this.entries > 0) {
      fresh = order !== 0;
      if (order <= 0) {
        const behind = this.#lastHigh - seqHigh || this.#lastLow - seqLow || this.#lastType - type;
        if (fresh || behind <= 0) this.#refuse(key, keyStart, keyEnd);
      }
      if (data.at - data.start >= this.#blockBytes) this.#closeBlock();
    } else this.#firstKey = new Uint8Array(key.subarray(keyStart, keyEnd));
    if (fresh) {
      this.#keys++;
      this.#filter?.add(key, keyStart, keyEnd);
    }
    data.add(
      key,
      keyView,
      keyStart,
      keyEnd,
      seqHigh,
      seqLow,
      type,
      value,
      valueView,
      valueStart,
      valueEnd,
      timestamp,
    );
    this.#lastHigh = seqHigh;
    this.#lastLow = seqLow;
    this.#lastType = type;
    this.entries++;
    if (isDeletion(type)) this.#deletions++;
    else if (type === TYPE.merge) this.#merges++;
    this.#keyBytes += keyEnd - keyStart;
    this.#valueBytes += valueEnd - valueStart;
  }

  #refuse(key: Uint8Array, keyStart: number, keyEnd: number): never {
    const one = shown(key.subarray(keyStart, keyEnd));
    const hint = '--sort puts entries in order';
    const order = 'keys ascend, and of one key the highest seq comes first';
    throw new DdiaError(
      'unsorted',
      `${one} comes behind ${shown(this.#data.lastKey)}: ${order}`,
      hint,
    );
  }

  #addRange(begin: Uint8Array, end: Uint8Array, seqHigh: number, seqLow: number): void {
    const entry = { type: TYPE.rangeDelete, key: begin, value: end, seqHigh, seqLow };
    this.#ranges.push(new EntryCopy().set({ ...entry, timestamp: undefined }));
  }

  #closeBlock(): void {
    const data = this.#data;
    const { entries } = data;
    const end = data.finish();
    const offset = this.#at;
    this.#block(names.KIND.data, data.bytes, data.view, end, entries);
    this.#index.add(offset, this.#at - offset, entries, data.lastKey);
    data.reset();
  }

  /** Writes bytes[0, end), a payload behind room for its head. */
  #block(kind: number, bytes: Uint8Array, view: DataView, end: number, entries: number): void {
    const rawBytes = end - names.HEAD_BYTES;
    let [own, ownView, ownEnd] = [bytes, view, end];
    let compression = 0;
    if (this.#deflate && kind === names.KIND.data) {
      const packed = deflateRaw.compress(bytes.subarray(names.HEAD_BYTES, end));
      if (packed.length <= rawBytes * WORTH) {
        compression = names.DEFLATE;
        ownEnd = names.HEAD_BYTES + packed.length;
        own = new Uint8Array(names.aligned(ownEnd));
        own.set(packed, names.HEAD_BYTES);
        ownView = new DataView(own.buffer);
      }
    }
    const whole = names.aligned(ownEnd);
    if (whole > own.length) {
      own = new Uint8Array(whole);
      own.set(bytes.subarray(0, ownEnd));
      ownView = new DataView(own.buffer);
    } else own.fill(0, ownEnd, whole);
    const storedBytes = ownEnd - names.HEAD_BYTES;
    const head = { kind, compression, number: this.#blocks, storedBytes, rawBytes, entries };
    sealBlock(own, ownView, 0, whole, this.#fileCrc, this.#at, head);
    this.#blocks++;
    this.#write(own, whole);
  }

  #payload(kind: number, payload: Uint8Array, entries: number): Place {
    const offset = this.#at;
    const bytes = new Uint8Array(names.aligned(names.HEAD_BYTES + payload.length));
    bytes.set(payload, names.HEAD_BYTES);
    const end = names.HEAD_BYTES + payload.length;
    this.#block(kind, bytes, new DataView(bytes.buffer), end, entries);
    return { offset, bytes: this.#at - offset };
  }

  #write(bytes: Uint8Array, end: number): void {
    if (this.#at + end > names.FILE_BYTES_MAX) {
      throw new DdiaError('too-large', `a table of over ${names.FILE_BYTES_MAX} bytes`);
    }
    this.#target.write(bytes, 0, end);
    this.#at += end;
  }

  #rangeBlock(): Place {
    if (this.#ranges.length === 0) return { offset: 0, bytes: 0 };
    const offset = this.#at;
    const builder = rangeBlock(this.#ranges);
    const end = builder.finish();
    this.#block(names.KIND.ranges, builder.bytes, builder.view, end, builder.entries);
    return { offset, bytes: this.#at - offset };
  }

  finish(): number {
    if (this.#data.entries > 0) this.#closeBlock();
    const dataEnd = this.#at;
    const ranges = this.#rangeBlock();
    const filter =
      this.#filter && this.entries > 0
        ? this.#payload(names.KIND.filter, this.#filter.finish(), this.#keys)
        : { offset: 0, bytes: 0 };
    const index = this.#payload(names.KIND.index, this.#index.encode(), this.#index.count);
    const payload = this.#properties();
    const properties = {
      offset: this.#at + names.FOOTER_BYTES,
      bytes: names.aligned(names.HEAD_BYTES + payload.length),
    };
    this.#footer(1, { ranges, filter, index, properties }, dataEnd);
    this.#payload(names.KIND.properties, payload, 0);
    this.#footer(2, { ranges, filter, index, properties }, dataEnd);
    return this.#at;
  }

  #properties(): Uint8Array {
    const [seqFirst, seqLast] = this.seqs;
    const { entries } = this;
    const counts = this.#counts;
    counts.splice(
      0,
      counts.length,
      entries,
      this.#deletions,
      this.#merges,
      this.#ranges.length,
      this.#keyBytes,
      this.#valueBytes,
      seqFirst,
      seqLast,
      this.#keys,
    );
    const lastKey = entries > 0 ? this.#data.lastKey : NOTHING;
    return encodeProperties({ counts, firstKey: this.#firstKey, lastKey });
  }

  #footer(copy: number, places: Places, dataEnd: number): void {
    const { offset, bytes } = places.properties;
    const footer = {
      ...places,
      fileCrc: this.#fileCrc,
      copy,
      fileBytes: offset + bytes + names.FOOTER_BYTES,
      dataEnd,
      entries: this.entries,
      dataBlocks: this.#index.count,
      blockBytes: this.#blockBytes,
      fileId: this.#fileId,
      restartEvery: names.RESTART_EVERY,
      filterBits: this.#filterBits,
    };
    this.#write(encodeFooter(footer, this.#at), names.FOOTER_BYTES);
  }
}

const idOf = (bytes: Uint8Array): bigint => Buffer.from(bytes).readBigUInt64LE();

export const v2Encoder: TableEncoder = {
  hasSeq: true,
  hasTimestamp: true,
  fileName: names.tableName,
  open: (target, options) => new V2Writer(target, options),
};
