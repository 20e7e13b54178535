/**
 * One table of a running store. It is opened when it is first read; its index and filter stay in
 * memory. A table that a compaction has replaced stays open, and on the disk, until the last reader
 * that was under way has let go of it.
 */
import { join } from 'node:path';
import type { ManifestTable } from '../../formats/lsm/manifest.ts';
import { compareBytes, EntryBlock } from '../../formats/sstable/entry-block.ts';
import { BlockHead, bodyCrcOf, EntryDecoder } from '../../formats/sstable/v2/block.ts';
import { LineFilter } from '../../formats/sstable/v2/filter.ts';
import { decodeFooter, type Place } from '../../formats/sstable/v2/frames.ts';
import { IndexTable } from '../../formats/sstable/v2/index-table.ts';
import {
  aligned,
  FOOTER_BYTES,
  HEAD_BYTES,
  KIND,
  tableName,
} from '../../formats/sstable/v2/layout.ts';
import { FOUND, GOES_ON, type PointSearch } from '../../formats/sstable/v2/point.ts';
import { checkedPayload, unpacked } from '../../formats/sstable/v2/table.ts';
import { type Disk, type DiskFile, readFully } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { BlockCache, BlockOwner, CachedBlock } from './block-cache.ts';
import { RangeDeletions } from './range-deletions.ts';

export class TableFile implements BlockOwner {
  readonly cached: (CachedBlock | undefined)[] = [];
  #handle: DiskFile | undefined;
  #index: IndexTable | undefined;
  #filter: LineFilter | undefined;
  #ranges: RangeDeletions | undefined;
  #pins = 0;
  #doomed = false;
  #closed = false;
  readonly #head = new BlockHead();

  constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly entry: ManifestTable,
    readonly cache: BlockCache,
  ) {}

  get path(): string {
    return join(this.directory, tableName(this.entry.file));
  }

  get index(): IndexTable {
    if (!this.#index) this.#open();
    return this.#index!;
  }

  get ranges(): RangeDeletions {
    if (!this.#ranges) this.#open();
    return this.#ranges!;
  }

  /** Whether the key lies between its first and its last. */
  spans(key: Uint8Array): boolean {
    const { firstKey, lastKey } = this.entry;
    return (
      compareBytes(firstKey, 0, firstKey.length, key, 0, key.length) <= 0 &&
      compareBytes(key, 0, key.length, lastKey, 0, lastKey.length) <= 0
    );
  }

  /** The payload where the newest entry of the key is that `search` then tells of; or nothing. */
  find(key: Uint8Array, hash: number, seq: number, search: PointSearch): Uint8Array | undefined {
    const { index } = this;
    if (this.#filter && !this.#filter.mayHold(hash)) return undefined;
    for (let number = index.seek(key); number < index.count; number++) {
      const { payload } = this.block(number);
      const found = search.find(payload, key, 0, key.length, seq);
      if (found === FOUND) return payload;
      if (found !== GOES_ON) return undefined;
    }
    return undefined;
  }

  block(number: number): CachedBlock {
    const known = this.cached[number];
    if (known) {
      known.used = true;
      return known;
    }
    this.cache.reads++;
    const { index } = this;
    const [offset, size] = [index.offset(number), index.size(number)];
    const bytes = Buffer.allocUnsafeSlow(size);
    const got = readFully(this.#handle!, bytes, 0, size, offset);
    const payload = this.checked(bytes, 0, got, number);
    return this.cache.put(this, number, payload, this.#head.entries);
  }

  /** The payload of a data block in bytes[at, end); throws `corrupt`. Its entries: `entries`. */
  checked(bytes: Uint8Array, at: number, end: number, number: number): Uint8Array {
    const { index } = this;
    const [offset, size] = [index.offset(number), index.size(number)];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const head = this.#head;
    const { fileCrc } = this.entry;
    const holds =
      end - at >= size &&
      head.read(bytes, view, at, fileCrc, offset) &&
      head.kind === KIND.data &&
      aligned(HEAD_BYTES + head.storedBytes) === size &&
      bodyCrcOf(bytes, view, at, at + size, fileCrc, offset) === head.bodyCrc;
    const payload = holds ? unpacked(head, bytes, at) : undefined;
    if (!payload) throw this.corrupt(offset, `data block ${number} does not check`);
    return payload;
  }

  /** Of the block that `checked` looked at last. */
  get entries(): number {
    return this.#head.entries;
  }

  readInto(target: Uint8Array, length: number, position: number): number {
    if (!this.#handle) this.#open();
    return readFully(this.#handle!, target, 0, length, position);
  }

  #open(): void {
    const { bytes: size, fileCrc } = this.entry;
    const handle = this.disk.open(this.path, 'read');
    this.#handle = handle;
    const there = handle.size();
    if (there !== size) throw this.corrupt(there, `${there} bytes, the manifest says ${size}`);
    const end = new Uint8Array(FOOTER_BYTES);
    readFully(handle, end, 0, FOOTER_BYTES, size - FOOTER_BYTES);
    const footer = decodeFooter(end, 0, size - FOOTER_BYTES);
    if (!footer || footer.fileCrc !== fileCrc) {
      throw this.corrupt(size - FOOTER_BYTES, 'its footer is damaged, or that of another table');
    }
    const index = this.#payload(footer.index, KIND.index, 'index');
    const view = new DataView(index.payload.buffer, index.payload.byteOffset, index.payload.length);
    this.#index = IndexTable.read(index.payload, view, 0, index.payload.length, index.entries);
    if (!this.#index) throw this.corrupt(footer.index.offset, 'its index cannot be read');
    if (footer.filter.bytes > 0) {
      const { payload } = this.#payload(footer.filter, KIND.filter, 'filter');
      const filterView = new DataView(payload.buffer, payload.byteOffset, payload.length);
      this.#filter = LineFilter.read(payload, filterView, 0, payload.length);
    }
    this.#ranges = this.#readRanges(footer.ranges);
  }

  #payload({ offset, bytes }: Place, kind: number, what: string) {
    const block = new Uint8Array(offset + bytes <= this.entry.bytes ? bytes : 0);
    readFully(this.#handle!, block, 0, block.length, offset);
    const checked = checkedPayload(block, offset, kind, this.entry.fileCrc);
    if (!checked) throw this.corrupt(offset, `its ${what} does not check`);
    return checked;
  }

  #readRanges(place: Place): RangeDeletions {
    const ranges = new RangeDeletions();
    if (place.bytes === 0) return ranges;
    const { payload, entries } = this.#payload(place, KIND.ranges, 'range deletions');
    const block = new EntryBlock();
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    if (!new EntryDecoder().decode(payload, view, 0, payload.length, entries, block)) {
      throw this.corrupt(place.offset, 'its range deletions cannot be read');
    }
    for (let i = 0; i < block.count; i++) {
      const seq = block.seqHigh[i]! * 0x1_0000_0000 + block.seqLow[i]!;
      ranges.add(block.key(i).slice(), block.value(i)!.slice(), seq);
    }
    return ranges;
  }

  corrupt(offset: number, why: string): DdiaError {
    const { directory } = this;
    return new DdiaError(
      'corrupt',
      `${this.path} @ ${offset}: ${why}`,
      `look: ddia lsm verify ${directory}; then ddia lsm repair ${directory} --out NEW`,
    );
  }

  /** Keeps the table until `unpin`. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
    this.#settle();
  }

  /** The manifest no longer names it: to be removed when nobody reads it any more. */
  doom(): void {
    this.#doomed = true;
    this.#settle();
  }

  /** Lets go of the handle; with pins left, at the last unpin. */
  close(): void {
    this.#closed = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#pins > 0 || !(this.#doomed || this.#closed)) return;
    this.#handle?.close();
    this.#handle = undefined;
    this.#index = undefined;
    this.cache.forget(this);
    if (!this.#doomed) return;
    this.#doomed = false;
    this.#closed = true;
    // A crash before the name is gone leaves a leftover, which the next opening removes.
    if (this.disk.stat(this.path)) this.disk.remove(this.path);
  }
}
