/**
 * Images of small databases: the definition of one table, and of an index of it, as they stand in
 * the file's schema, and some of the table's rows, byte for byte. SQLite computes from them what it
 * would from the file: whatever affinity, encoding or damage does to a value, it does there too.
 *
 *     page 1      header, and the schema in one leaf
 *     page 2      the table: one leaf, or the root above some
 *     page 3 …    indexes, empty
 *     then        leaves of the table, overflow pages of its rows
 */
import {
  CELLS_AT,
  CHANGE_COUNTER_AT,
  CONTENT_AT,
  ENCODING_AT,
  FRACTIONS_AT,
  HEADER_BYTES,
  INTERIOR_TABLE,
  LEAF_INDEX,
  LEAF_TABLE,
  MAGIC,
  PAGE_COUNT_AT,
  PAGE_SIZE_AT,
  READ_VERSION_AT,
  RIGHT_CHILD_AT,
  SCHEMA_FORMAT_AT,
  VALID_FOR_AT,
  WRITE_VERSION_AT,
} from '../layout.ts';
import type { SchemaType } from '../schema.ts';
import type { RowBatch } from './batch.ts';

/** The largest there is. */
export const IMAGE_PAGE = 65_536;
export const TABLE_PAGE = 2;
/** The schema has one leaf. What is longer is no index that anybody wrote. */
const SCHEMA_BYTES_MAX = 60_000;

/** What a cell takes beside its payload: its pointer, two varints, an overflow page's number; and
 * the page's header, counted with each. */
export const CELL_MORE = 2 + 9 + 9 + 4 + 8;

const LOCAL_MAX_TABLE = IMAGE_PAGE - 35;
const LOCAL_MAX_INDEX = Math.floor(((IMAGE_PAGE - 12) * 64) / 255) - 23;
const LOCAL_MIN = Math.floor(((IMAGE_PAGE - 12) * 32) / 255) - 23;
const CELL_BYTES_MIN = 4;

export interface ImageEntry {
  /** A view or a trigger has no tree: those stand behind tables and indexes. */
  type: SchemaType;
  name: string;
  table: string;
  /** Null: an index that a constraint has. */
  sql: string | null;
}

export class ImageWriter {
  readonly #pages: Pages;
  /** Of an image without rows. */
  readonly #count: number;
  readonly localMax: number;

  /** Throws a RangeError if the definitions are too long for an image. */
  constructor(
    entries: readonly ImageEntry[],
    /** Rows of the table have a rowid. */
    readonly rowid: boolean,
    encoding: number,
    schemaFormat: number,
  ) {
    this.localMax = rowid ? LOCAL_MAX_TABLE : LOCAL_MAX_INDEX;
    const trees = entries.filter(({ type }) => type === 'table' || type === 'index');
    this.#count = Math.max(TABLE_PAGE, 1 + trees.length);
    const pages = new Pages(this.#count);
    pages.header(encoding, schemaFormat);
    pages.leaf(1, LEAF_TABLE);
    let length = 0;
    entries.forEach((entry, i) => {
      const record = schemaRecord(entry, i < trees.length ? TABLE_PAGE + i : 0, encoding);
      length += record.length + CELL_MORE;
      if (length > SCHEMA_BYTES_MAX) throw new RangeError('the definitions are too long');
      pages.cell(record, 0, record.length, i + 1, LOCAL_MAX_TABLE);
    });
    trees.forEach(({ type }, i) => {
      pages.leaf(TABLE_PAGE + i, type === 'table' && rowid ? LEAF_TABLE : LEAF_INDEX);
      pages.close();
    });
    this.#pages = pages;
  }

  /** A database of the rows from .. to; it is valid until the next. */
  image(batch: RowBatch, from: number, to: number): Uint8Array {
    const pages = this.#pages;
    pages.cut(this.#count);
    if (!this.rowid || batch.localBytes(from, to, this.localMax) <= IMAGE_PAGE) {
      pages.leaf(TABLE_PAGE, this.rowid ? LEAF_TABLE : LEAF_INDEX);
      for (let i = from; i < to; i++) this.#row(batch, i);
      return pages.whole();
    }
    const leaves: Leaf[] = [];
    for (let i = from; i < to; i++) {
      // A root has at least two children.
      const needed = leaves.length === 1 && i === to - 1;
      if (i === from || needed || !pages.fits(batch.lengths[i]!, this.localMax)) {
        leaves.push({ page: pages.append(), last: 0 });
        pages.leaf(leaves.at(-1)!.page, LEAF_TABLE);
      }
      this.#row(batch, i);
      leaves.at(-1)!.last = batch.rowids[i]!;
    }
    pages.interior(TABLE_PAGE, leaves);
    return pages.whole();
  }

  #row(batch: RowBatch, i: number): void {
    const rowid = this.rowid ? batch.rowids[i] : undefined;
    this.#pages.cell(batch.bytes, batch.starts[i]!, batch.lengths[i]!, rowid, this.localMax);
  }
}

/** A leaf of the table, and the last rowid on it. */
interface Leaf {
  page: number;
  last: number | bigint;
}

class Pages {
  #bytes: Uint8Array;
  #view: DataView;
  #count: number;
  /** Of the leaf that is written. */
  #start = 0;
  #header = 0;
  #cells = 0;
  #content = 0;

  constructor(count: number) {
    this.#count = count;
    this.#bytes = new Uint8Array(count * IMAGE_PAGE);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Forgets the pages behind the first `count`. */
  cut(count: number): void {
    this.#count = count;
  }

  whole(): Uint8Array {
    this.close();
    this.#view.setUint32(PAGE_COUNT_AT, this.#count);
    return this.#bytes.subarray(0, this.#count * IMAGE_PAGE);
  }

  header(encoding: number, schemaFormat: number): void {
    const view = this.#view;
    this.#bytes.set(Buffer.from(MAGIC, 'latin1'));
    view.setUint16(PAGE_SIZE_AT, 1); // stands for 65536
    this.#bytes[WRITE_VERSION_AT] = 1;
    this.#bytes[READ_VERSION_AT] = 1;
    this.#bytes.set([64, 32, 32], FRACTIONS_AT);
    view.setUint32(CHANGE_COUNTER_AT, 1);
    view.setUint32(VALID_FOR_AT, 1);
    view.setUint32(SCHEMA_FORMAT_AT, schemaFormat >= 1 && schemaFormat <= 4 ? schemaFormat : 4);
    view.setUint32(ENCODING_AT, encoding);
  }

  leaf(page: number, type: number): void {
    this.close();
    this.#start = (page - 1) * IMAGE_PAGE;
    this.#header = this.#start + (page === 1 ? HEADER_BYTES : 0);
    this.#cells = 0;
    this.#content = IMAGE_PAGE;
    this.#bytes[this.#header] = type;
  }

  /** The root above leaves. */
  interior(page: number, leaves: readonly Leaf[]): void {
    this.leaf(page, INTERIOR_TABLE);
    const right = leaves.at(-1)!.page;
    this.#view.setUint32(this.#header + RIGHT_CHILD_AT, right);
    for (const { page: child, last } of leaves.slice(0, -1)) {
      this.#content -= 4 + varintBytes(last);
      this.#view.setUint16(this.#header + 12 + 2 * this.#cells++, this.#content);
      this.#view.setUint32(this.#start + this.#content, child);
      putVarint(this.#bytes, this.#start + this.#content + 4, last);
    }
  }

  /** The leaf has room for a record of that length. */
  fits(length: number, localMax: number): boolean {
    const left = this.#content - (8 + 2 * this.#cells);
    return left >= Math.min(length, localMax) + CELL_MORE;
  }

  /** Ends the leaf that is written. */
  close(): void {
    if (this.#content === 0) return;
    this.#view.setUint16(this.#header + CELLS_AT, this.#cells);
    this.#view.setUint16(this.#header + CONTENT_AT, this.#content & 0xffff); // 0 stands for 65536
  }

  cell(
    bytes: Uint8Array,
    start: number,
    length: number,
    rowid: number | bigint | undefined,
    localMax: number,
  ): void {
    const local = localBytes(length, localMax);
    const head = varintBytes(length) + (rowid === undefined ? 0 : varintBytes(rowid));
    const size = Math.max(CELL_BYTES_MIN, head + local + (local < length ? 4 : 0));
    this.#content -= size;
    this.#view.setUint16(this.#header + 8 + 2 * this.#cells++, this.#content);
    let at = putVarint(this.#bytes, this.#start + this.#content, length);
    if (rowid !== undefined) at = putVarint(this.#bytes, at, rowid);
    this.#bytes.set(bytes.subarray(start, start + local), at);
    if (local < length) this.#overflow(at + local, bytes, start + local, start + length);
  }

  #overflow(link: number, bytes: Uint8Array, from: number, end: number): void {
    for (let p = from; p < end; p += IMAGE_PAGE - 4) {
      const page = this.append();
      const at = (page - 1) * IMAGE_PAGE;
      this.#view.setUint32(link, page);
      this.#bytes.set(bytes.subarray(p, Math.min(end, p + IMAGE_PAGE - 4)), at + 4);
      link = at;
    }
  }

  /** A page more: its number. */
  append(): number {
    if (this.#count * IMAGE_PAGE === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    // What an image before had there.
    const at = this.#count * IMAGE_PAGE;
    this.#bytes.fill(0, at, at + 12);
    return ++this.#count;
  }
}

/** How much of a payload stays in its leaf. */
function localBytes(length: number, localMax: number): number {
  if (length <= localMax) return length;
  const spill = LOCAL_MIN + ((length - LOCAL_MIN) % (IMAGE_PAGE - 4));
  return spill <= localMax ? spill : LOCAL_MIN;
}

function varintBytes(value: number | bigint): number {
  if (value >= 0 && value < 0x80) return 1;
  if (value < 0 || value >= 2 ** 56) return 9;
  let bytes = 1;
  for (let most = 0x80; value >= most; most *= 0x80) bytes++;
  return bytes;
}

function putVarint(bytes: Uint8Array, at: number, value: number | bigint): number {
  const count = varintBytes(value);
  if (count === 1) {
    bytes[at] = Number(value);
    return at + 1;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  let p = at + count;
  if (count === 9) {
    bytes[--p] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  for (const last = p - 1; p > at; rest >>= 7n) {
    p--;
    bytes[p] = Number(rest & 0x7fn) | (p === last && count < 9 ? 0 : 0x80);
  }
  return at + count;
}

function schemaRecord({ type, name, table, sql }: ImageEntry, root: number, encoding: number) {
  const texts = [type, name, table].map((one) => encoded(one, encoding));
  const statement = sql === null ? Buffer.alloc(0) : encoded(sql, encoding);
  const header = Buffer.alloc(5 * 9);
  let at = 1;
  for (const text of texts) at = putVarint(header, at, 13 + 2 * text.length);
  at = putVarint(header, at, 4); // the root page: an integer of four bytes
  at = putVarint(header, at, sql === null ? 0 : 13 + 2 * statement.length);
  header[0] = at;
  const page = Buffer.alloc(4);
  page.writeUInt32BE(root);
  return Buffer.concat([header.subarray(0, at), ...texts, page, statement]);
}

function encoded(text: string, encoding: number): Buffer {
  if (encoding === 1) return Buffer.from(text, 'utf8');
  const bytes = Buffer.from(text, 'utf16le');
  return encoding === 3 ? bytes.swap16() : bytes;
}
