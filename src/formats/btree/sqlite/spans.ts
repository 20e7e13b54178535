/** Every byte of a page with the field that it belongs to. */
import type { Span } from '../../format.ts';
import { KIND, KIND_NAMES } from '../model.ts';
import { PageSpans } from '../page-spans.ts';
import { cellValue } from '../print.ts';
import { type Cell, rowidOf } from './cell.ts';
import { cellsOf, type OpenPage, openPage } from './describe.ts';
import type { SqliteFile } from './file.ts';
import { INTERIOR_TABLE, isBtreePage, isTablePage, LEAF_TABLE, PTR_BYTES } from './layout.ts';

/** Name, offset, bytes: the header in the words of the format's page. */
const HEADER: readonly (readonly [string, number, number])[] = [
  ['magic', 0, 16],
  ['page_size', 16, 2],
  ['write_version', 18, 1],
  ['read_version', 19, 1],
  ['reserved_bytes', 20, 1],
  ['max_payload_fraction', 21, 1],
  ['min_payload_fraction', 22, 1],
  ['leaf_payload_fraction', 23, 1],
  ['change_counter', 24, 4],
  ['page_count', 28, 4],
  ['freelist_trunk', 32, 4],
  ['freelist_count', 36, 4],
  ['schema_cookie', 40, 4],
  ['schema_format', 44, 4],
  ['cache_size', 48, 4],
  ['largest_root', 52, 4],
  ['text_encoding', 56, 4],
  ['user_version', 60, 4],
  ['incremental_vacuum', 64, 4],
  ['application_id', 68, 4],
  ['expansion', 72, 20],
  ['version_valid_for', 92, 4],
  ['sqlite_version', 96, 4],
];

export function spansOfPage(file: SqliteFile, page: number, kind: number): Span {
  const { pageSize } = file;
  const offset = (page - 1) * pageSize;
  const leaked = kind === KIND.unknown && page <= file.pageCount ? 'page-leaked' : undefined;
  const name = page > file.pageCount ? 'unused' : KIND_NAMES[kind]!;
  const spans = new PageSpans(name, offset, pageSize, page, leaked);
  const opened = openPage(file, page);
  if (!opened || page > file.pageCount) return spans.done();
  const { view } = opened;
  const { usable } = file.header;
  if (usable < pageSize) spans.field('reserved', usable, pageSize - usable);
  if (page === 1) {
    for (const [field, at, length] of HEADER) {
      spans.field(field, at, length, headerValue(opened, at, length));
    }
  }
  if (kind === KIND.overflow) {
    spans.field('next', 0, 4, view.getUint32(0));
    return spans.field('payload', 4, usable - 4).done();
  }
  if (kind === KIND.freelist) {
    const leaves = view.getUint32(4);
    spans.field('next', 0, 4, view.getUint32(0)).field('count', 4, 4, leaves);
    for (let i = 0; i < leaves && 12 + 4 * i <= usable; i++) {
      spans.field('free_page', 8 + 4 * i, 4, view.getUint32(8 + 4 * i));
    }
    return spans.done();
  }
  if (kind === KIND.pointers) {
    for (let at = 0; at + PTR_BYTES <= usable; at += PTR_BYTES) {
      const value = { type: view.getUint8(at), parent: view.getUint32(at + 1) };
      spans.field(`of_page_${page + 1 + at / PTR_BYTES}`, at, PTR_BYTES, value);
    }
    return spans.done();
  }
  const tree = kind === KIND.leaf || kind === KIND.interior || kind === KIND.meta;
  if (!tree || !isBtreePage(opened.type)) return spans.done();
  btreeSpans(file, opened, spans, offset);
  return spans.done();
}

function headerValue({ bytes, view }: OpenPage, at: number, length: number): unknown {
  if (length === 1) return view.getUint8(at);
  if (length === 2) return view.getUint16(at);
  if (length === 4) return view.getUint32(at);
  const text = Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
  return at === 0 ? text : undefined;
}

function btreeSpans(file: SqliteFile, opened: OpenPage, spans: PageSpans, offset: number): void {
  const { view, header, type, count, pointers } = opened;
  spans.field('type', header, 1, type);
  spans.field('first_freeblock', header + 1, 2, view.getUint16(header + 1));
  spans.field('cells', header + 3, 2, view.getUint16(header + 3));
  spans.field('content', header + 5, 2, view.getUint16(header + 5));
  spans.field('fragments', header + 7, 1, view.getUint8(header + 7));
  if (type <= INTERIOR_TABLE) spans.field('right_child', header + 8, 4, view.getUint32(header + 8));
  for (let i = 0; i < count; i++) {
    spans.field('cell_pointer', pointers + 2 * i, 2, view.getUint16(pointers + 2 * i));
  }
  for (const { at, cell } of cellsOf(file, opened)) {
    const key = isTablePage(type) ? cellValue(rowidOf(cell.rowHigh, cell.rowLow)) : undefined;
    spans.field('cell', at, cell.size, key, cellSpans(cell, type, offset));
  }
  let block = view.getUint16(header + 1);
  for (let last = 0; block > last && block + 4 <= file.header.usable; ) {
    const size = Math.max(4, view.getUint16(block + 2));
    if (block + size <= file.header.usable) spans.field('freeblock', block, size);
    last = block;
    block = view.getUint16(block);
  }
}

function cellSpans(cell: Cell, type: number, offset: number): Span[] {
  const spans = new PageSpans('cell', offset + cell.from, cell.size);
  let at = 0;
  if (type <= INTERIOR_TABLE) {
    spans.field('left_child', 0, 4, cell.child);
    at = 4;
  }
  const record = cell.at - cell.from;
  const head = type === LEAF_TABLE ? 'payload_length_and_rowid' : 'payload_length';
  spans.field(cell.payload < 0 ? 'rowid' : head, at, record - at);
  if (cell.payload >= 0) spans.field('record', record, cell.local);
  if (cell.overflow > 0) spans.field('overflow', record + cell.local, 4, cell.overflow);
  return [...(spans.done().children ?? [])];
}
