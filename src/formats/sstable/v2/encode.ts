/** Writes the hardened table, front to back, as FORMAT.md draws it. */
import { randomBytes } from 'node:crypto';
import { deflate } from '../../../shared/codecs/inflate.ts';
import { DdiaError } from '../../../shared/errors.ts';
import { viewOf } from '../../bytes/read-fully.ts';
import { putVarint } from '../block-table/varint.ts';
import { type EntryBlock, isDeletion, TYPE } from '../entry-block.ts';
import { compareEntries, EntryCopy } from '../entry-copy.ts';
import { unsorted } from '../flat/encode.ts';
import type { TableEncoder, TableTarget, TableWriteOptions, TableWriter } from '../model.ts';
import { FilterWriter } from './filter.ts';
import * as wire from './layout.ts';
import { PayloadWriter } from './payload.ts';

const SIZE_MAX = 0xffff_ffff;
const { KIND, BLOCK, HEADER, FOOTER } = wire;

interface Listed {
  offset: number;
  entries: number;
  first: Uint8Array;
  last: Uint8Array;
}

export class V2Writer implements TableWriter {
  #at = 0;
  #blocks = 0;
  entries = 0;
  readonly #id: Uint8Array;
  readonly #blockBytes: number;
  readonly #payload = new PayloadWriter();
  readonly #filter = new FilterWriter();
  readonly #listed: Listed[] = [];
  readonly #ranges: EntryCopy[] = [];
  readonly #last = new EntryCopy();
  #first: Uint8Array | undefined;
  #seen = false;
  #keyView = new DataView(new ArrayBuffer(0)) as DataView;
  #keyBytes: Uint8Array | undefined;
  readonly #counts = { deletions: 0, merges: 0, keyBytes: 0, valueBytes: 0 };
  readonly #seq = { leastHigh: SIZE_MAX, leastLow: SIZE_MAX, mostHigh: 0, mostLow: 0 };

  constructor(
    readonly target: TableTarget,
    readonly options: TableWriteOptions,
  ) {
    this.#id = options.tableId ?? randomBytes(8);
    this.#blockBytes = options.blockBytes ?? wire.BLOCK_BYTES_DEFAULT;
    const header = new Uint8Array(wire.HEADER_BYTES);
    const view = viewOf(header);
    header.set(wire.MAGIC);
    view.setUint16(HEADER.version, wire.VERSION, true);
    view.setUint16(HEADER.headerBytes, wire.HEADER_BYTES, true);
    view.setUint32(HEADER.blockBytes, this.#blockBytes, true);
    header.set(this.#id, HEADER.tableId);
    view.setUint32(HEADER.crc, wire.headerCrc(header), true);
    this.#put(header, header.length);
  }

  get size(): number {
    return this.#at + this.#payload.length;
  }

  add(block: EntryBlock, i: number): void {
    const type = block.types[i]!;
    if (type > wire.TYPE_MASK) {
      throw new DdiaError('unsupported-op', `type ${type} cannot be written in this layout`);
    }
    if (type === TYPE.rangeDelete) {
      this.#ranges.push(new EntryCopy().take(block, i));
      return;
    }
    if (this.#seen && compareEntries(this.#last.block, 0, block, i) >= 0) {
      throw unsorted(block, i, this.#last.block.key(0));
    }
    if (block.keyBytes !== this.#keyBytes) {
      this.#keyBytes = block.keyBytes;
      this.#keyView = viewOf(block.keyBytes);
    }
    const start = block.keyStart[i]!;
    const end = block.keyEnd[i]!;
    const known = this.#seen && this.#last.block.compareKey(0, block.key(i)) === 0;
    if (!known) this.#filter.add(this.#keyView, start, end);
    this.#last.takeKey(block, i);
    this.#seen = true;
    if (this.#payload.entries === 0) this.#first = block.keyBytes.slice(start, end);
    this.#payload.add(block, i);
    this.#count(block, i);
    if (this.#payload.length >= this.#blockBytes) this.#flush();
  }

  #count(block: EntryBlock, i: number): void {
    const counts = this.#counts;
    const type = block.types[i]!;
    if (isDeletion(type)) counts.deletions++;
    if (type === TYPE.merge) counts.merges++;
    counts.keyBytes += block.keyEnd[i]! - block.keyStart[i]!;
    if (block.valueStart[i]! >= 0) counts.valueBytes += block.valueEnd[i]! - block.valueStart[i]!;
    const high = block.seqHigh[i]!;
    const low = block.seqLow[i]!;
    const seq = this.#seq;
    if (high < seq.leastHigh || (high === seq.leastHigh && low < seq.leastLow)) {
      seq.leastHigh = high;
      seq.leastLow = low;
    }
    if (high > seq.mostHigh || (high === seq.mostHigh && low > seq.mostLow)) {
      seq.mostHigh = high;
      seq.mostLow = low;
    }
    this.entries++;
  }

  #flush(): void {
    const payload = this.#payload;
    if (payload.entries === 0) return;
    const { entries } = payload;
    const last = payload.lastKey!.slice();
    this.#listed.push({ offset: this.#at, entries, first: this.#first!, last });
    this.#block(KIND.data, payload.bytes, payload.length, entries);
    payload.reset();
  }

  /** A block: its header, the payload, zeros up to the next unit. */
  #block(kind: number, bytes: Uint8Array, length: number, entries: number): void {
    let stored = bytes;
    let size = length;
    let compression = 0;
    if (this.options.compression === 'deflate' && length > 0) {
      const packed = deflate(bytes.subarray(0, length));
      if (packed.length < length - length / 8) {
        stored = packed;
        size = packed.length;
        compression = 1;
      }
    }
    if (length > SIZE_MAX) throw new DdiaError('too-large', `a block of ${length} bytes`);
    const header = new Uint8Array(wire.BLOCK_HEADER_BYTES);
    const view = viewOf(header);
    view.setUint32(BLOCK.magic, wire.BLOCK_MAGIC, true);
    header.set(this.#id, BLOCK.tableId);
    view.setUint32(BLOCK.number, this.#blocks++, true);
    header[BLOCK.kind] = kind;
    header[BLOCK.compression] = compression;
    view.setUint32(BLOCK.storedBytes, size, true);
    view.setUint32(BLOCK.rawBytes, length, true);
    view.setUint32(BLOCK.entries, entries, true);
    view.setUint32(BLOCK.payloadCrc, wire.crcOf(stored, 0, size), true);
    view.setUint32(BLOCK.headerCrc, wire.crcOf(header, BLOCK.tableId, header.length), true);
    this.#put(header, header.length);
    this.#put(stored, size);
    this.#fill(wire.padded(this.#at));
  }

  finish(): number {
    this.#flush();
    if (this.#ranges.length > 0) this.#writeRanges();
    const filter = this.#filter.finish();
    this.#block(KIND.filter, filter, filter.length, 0);
    const properties = Buffer.from(JSON.stringify(this.#properties()));
    this.#block(KIND.properties, properties, properties.length, 0);
    const indexAt = this.#at;
    const index = this.#index();
    this.#block(KIND.index, index, index.length, this.#listed.length);
    const first = this.#at;
    const second = wire.secondFooterAt(first);
    this.#footer(0, indexAt, second + wire.FOOTER_BYTES);
    this.#fill(second);
    this.#footer(1, indexAt, second + wire.FOOTER_BYTES);
    return this.#at;
  }

  #writeRanges(): void {
    this.#ranges.sort((a, b) => compareEntries(a.block, 0, b.block, 0));
    for (const { block } of this.#ranges) this.#payload.add(block, 0);
    const { bytes, length, entries } = this.#payload;
    this.#block(KIND.ranges, bytes, length, entries);
    this.#payload.reset();
  }

  #properties(): Record<string, unknown> {
    const { deletions, merges, keyBytes, valueBytes } = this.#counts;
    const { leastHigh, leastLow, mostHigh, mostLow } = this.#seq;
    const digits = (high: number, low: number) => String((BigInt(high) << 32n) | BigInt(low));
    return {
      entries: this.entries,
      dataBlocks: this.#listed.length,
      deletions,
      merges,
      rangeDeletions: this.#ranges.length,
      keyBytes,
      valueBytes,
      ...(this.entries > 0 && { firstSeq: digits(leastHigh, leastLow) }),
      ...(this.entries > 0 && { lastSeq: digits(mostHigh, mostLow) }),
      comparator: 'bytes',
    };
  }

  /** For each data block: where it lies, how many entries, its first and its last key. */
  #index(): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (const { offset, entries, first, last } of this.#listed) {
      const head: number[] = [];
      putVarint(head, offset);
      putVarint(head, entries);
      putVarint(head, first.length);
      putVarint(head, last.length);
      pieces.push(Uint8Array.from(head), first, last);
    }
    return new Uint8Array(Buffer.concat(pieces));
  }

  #footer(copy: number, indexAt: number, fileBytes: number): void {
    const bytes = new Uint8Array(wire.FOOTER_BYTES);
    const view = viewOf(bytes);
    bytes.set(wire.FOOTER_MAGIC);
    view.setUint32(FOOTER.copy, copy, true);
    view.setUint32(FOOTER.blocks, this.#blocks, true);
    bytes.set(this.#id, FOOTER.tableId);
    view.setBigUint64(FOOTER.indexAt, BigInt(indexAt), true);
    view.setBigUint64(FOOTER.fileBytes, BigInt(fileBytes), true);
    view.setUint32(FOOTER.crc, wire.crcOf(bytes, 0, FOOTER.crc), true);
    this.#put(bytes, bytes.length);
  }

  #fill(to: number): void {
    if (to > this.#at) this.#put(ZEROS, to - this.#at);
  }

  #put(bytes: Uint8Array, length: number): void {
    this.target.write(bytes, 0, length);
    this.#at += length;
  }
}

const ZEROS = new Uint8Array(wire.SECTOR_BYTES);

export const v2Encoder: TableEncoder = {
  hasSeq: true,
  hasTimestamp: true,
  fileName: (number) => `${String(number).padStart(6, '0')}.sst2`,
  open: (target, options) => new V2Writer(target, options),
};
