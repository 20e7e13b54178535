/**
 * The rollback journal beside a database: pages as they were before a transaction. If it is hot,
 * the transaction was cut off, and the pages are seen in place of those in the database, as SQLite
 * would put them back.
 *
 *     header   magic 8, records u32, nonce u32, pages_before u32, sector u32, page_size u32, zeros
 *              up to a whole sector; another one may follow, at a whole sector, behind its records
 *     record   page u32, image, checksum u32: nonce and every 200th byte of the image, from its end
 *     end      [ page_of_the_lock u32, name of a super-journal, length u32, sum u32, magic 8 ]
 *
 * https://www.sqlite.org/fileformat2.html#the_rollback_journal,
 * https://www.sqlite.org/lockingv3.html
 * (hot journals), pager.c (pager_playback: what ends it).
 */
import type { ByteSource } from '../../format.ts';
import { readSync } from '../page-cache.ts';
import type { Beside } from './beside.ts';
import { lockPage } from './pointer-map.ts';

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex');
const HEADER_BYTES = 28;
/** Behind the pages' numbers and before their checksums. */
const RECORD_MORE_BYTES = 8;
/** In place of the number of records: as many as the file holds. */
const ALL = 0xffff_ffff;
const SUM_STEP = 200;
const SUPER_NAME_BYTES_MAX = 4096;

interface Header {
  records: number;
  nonce: number;
  pages: number;
  sector: number;
  pageSize: number;
}

const isPower = (value: number, from: number): boolean =>
  value >= from && value <= 65_536 && (value & (value - 1)) === 0;

export class JournalPages implements Beside {
  readonly #places = new Map<number, number>();
  readonly #size: number;
  pageSize = 0;
  /** Pages of the database before the transaction. */
  pageCount = 0;
  /** The journal of a transaction over several databases; undefined: this one is its own. */
  superJournal: string | undefined;

  constructor(readonly source: ByteSource) {
    this.#size = source.size ?? 0;
  }

  get pages(): number {
    return this.#places.size;
  }

  get facts(): Record<string, unknown> {
    return { journal: { pages: this.pages, pageCount: this.pageCount } };
  }

  has(page: number): boolean {
    return this.#places.has(page);
  }

  read(page: number, target: Uint8Array): void {
    readSync(this.source, target, this.pageSize, this.#places.get(page)!);
  }

  /** Reads the journal; false if it is none, or one that was ended: its header is cleared then. */
  load(): boolean {
    const first = this.#header(0);
    if (!first || !isPower(first.pageSize, 512) || !isPower(first.sector, 32)) return false;
    this.pageSize = first.pageSize;
    this.pageCount = first.pages;
    this.superJournal = this.#superJournal();
    let end = first.sector;
    for (let header: Header | undefined = first; header; ) {
      end = this.#records(header, end);
      if (end < 0) break;
      const next = Math.ceil(end / first.sector) * first.sector;
      header = this.#header(next);
      end = next + first.sector;
    }
    return true;
  }

  #header(at: number): Header | undefined {
    const bytes = new Uint8Array(HEADER_BYTES);
    if (readSync(this.source, bytes, HEADER_BYTES, at) < HEADER_BYTES) return undefined;
    if (MAGIC.compare(bytes, 0, MAGIC.length) !== 0) return undefined;
    const view = new DataView(bytes.buffer);
    const [records = 0, nonce = 0, pages = 0, sector = 0, pageSize = 0] = [8, 12, 16, 20, 24].map(
      (field) => view.getUint32(field),
    );
    return { records, nonce, pages, sector, pageSize };
  }

  /** The records from `at` on; returns where they end, -1: there is nothing behind them. */
  #records({ records, nonce }: Header, at: number): number {
    const { pageSize } = this;
    const length = pageSize + RECORD_MORE_BYTES;
    const fit = Math.floor((this.#size - at) / length);
    const count = records === ALL ? fit : records;
    const lock = lockPage(pageSize);
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    let place = at;
    for (let i = 0; i < count; i++, place += length) {
      if (i >= fit || readSync(this.source, bytes, length, place) < length) return -1;
      const page = view.getUint32(0);
      if (page === 0 || page === lock) return -1;
      let sum = nonce;
      for (let p = pageSize - SUM_STEP; p > 0; p -= SUM_STEP) sum = (sum + bytes[4 + p]!) >>> 0;
      if (sum !== view.getUint32(4 + pageSize)) return -1;
      // Of a page that stands there twice, the first image is the older one.
      if (page <= this.pageCount && !this.#places.has(page)) this.#places.set(page, place + 4);
    }
    return place;
  }

  #superJournal(): string | undefined {
    const tail = new Uint8Array(16);
    if (this.#size < 16 || readSync(this.source, tail, 16, this.#size - 16) < 16) return undefined;
    if (MAGIC.compare(tail, 8) !== 0) return undefined;
    const view = new DataView(tail.buffer);
    const length = view.getUint32(0);
    if (length === 0 || length > SUPER_NAME_BYTES_MAX || length > this.#size - 20) return undefined;
    const name = new Uint8Array(length);
    readSync(this.source, name, length, this.#size - 16 - length);
    const sum = name.reduce((total, byte) => (total + ((byte << 24) >> 24)) >>> 0, 0);
    return sum === view.getUint32(4) ? Buffer.from(name).toString('utf8') : undefined;
  }
}
