/** Every byte of a page with the field that it belongs to. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { KIND, KIND_NAMES } from '../model.ts';
import { PageSpans } from '../page-spans.ts';
import type { V2File } from './file.ts';
import {
  CELLS_AT,
  COUNT_AT,
  FREE_ENTRY_BYTES,
  FREELIST,
  GARBAGE_AT,
  HEADER_BYTES,
  INTERIOR,
  INTERIOR_CELL_BYTES,
  KIND_AT,
  LEAF,
  LEAF_CELL_BYTES,
  LEVEL_AT,
  LINK_AT,
  LINK_CRC_AT,
  META_BYTES,
  META_CRC_AT,
  OVERFLOW,
  PAGE_AT,
  SLOT_BYTES,
  TXN_AT,
} from './layout.ts';
import { hex } from './meta.ts';
import type { V2Page } from './page.ts';

export function spansOfPage(
  file: V2File,
  opened: V2Page | undefined,
  page: number,
  kind: number,
): Span {
  const { pageSize } = file;
  if (page < 2) return spansOfMeta(file, page);
  const leaked = kind === KIND.unknown ? 'page-leaked' : undefined;
  const spans = new PageSpans(KIND_NAMES[kind]!, page * pageSize, pageSize, page, leaked);
  if (!opened || kind === KIND.unused) return spans.done();
  const { view, start } = opened;
  spans.field('crc', 0, 4, hex(opened.crc));
  spans.field('page', PAGE_AT, 4, opened.page);
  spans.field('kind', KIND_AT, 1, opened.kind);
  spans.field('level', LEVEL_AT, 1, opened.level);
  spans.field('count', COUNT_AT, 2, opened.count);
  spans.field(opened.kind === OVERFLOW ? 'length' : 'cells_start', CELLS_AT, 2, opened.length);
  spans.field('garbage', GARBAGE_AT, 2, view.getUint16(start + GARBAGE_AT, true));
  spans.field('transaction', TXN_AT, 8, opened.txn);
  spans.field(opened.kind === INTERIOR ? 'child' : 'next', LINK_AT, 4, opened.link);
  spans.field(
    opened.kind === INTERIOR ? 'child_crc' : 'next_crc',
    LINK_CRC_AT,
    4,
    hex(opened.linkCrc),
  );
  if (opened.kind === LEAF || opened.kind === INTERIOR) {
    for (let i = 0; i < opened.cells; i++) {
      spans.field('slot', HEADER_BYTES + i * SLOT_BYTES, SLOT_BYTES, opened.at[i]! - start);
      cellSpan(spans, opened, i);
    }
  } else if (opened.kind === OVERFLOW) {
    spans.field('value', HEADER_BYTES, Math.min(opened.length, pageSize - HEADER_BYTES));
  } else if (opened.kind === FREELIST) {
    for (let i = 0; i < opened.count; i++) {
      const at = HEADER_BYTES + i * FREE_ENTRY_BYTES;
      if (at + FREE_ENTRY_BYTES > pageSize) break;
      spans.field('free_page', at, 4, view.getUint32(start + at, true));
      spans.field('freed_by', at + 4, 8);
    }
  }
  return spans.done();
}

function cellSpan(spans: PageSpans, page: V2Page, i: number): void {
  const { start, leaf } = page;
  const at = page.at[i]! - start;
  const length = page.end[i]! - page.at[i]!;
  const keyBytes = page.keyEnd(i) - page.keyStart(i);
  const key = bytesValue(page.key(i));
  const cell = new PageSpans('cell', spans.offset + at, length);
  cell.field('key_length', 0, 2, keyBytes);
  if (leaf) {
    const over = page.inOverflow(i);
    const valueAt = LEAF_CELL_BYTES + keyBytes;
    cell.field('value_length', 2, 2, over ? 'overflow' : length - valueAt);
    cell.field('key', LEAF_CELL_BYTES, keyBytes, key);
    const value = over ? page.overflowOf(i) : bytesValue(page.bytes, page.keyEnd(i), page.end[i]);
    cell.field(over ? 'overflow' : 'value', valueAt, length - valueAt, value);
  } else {
    cell.field('child', 2, 4, page.child(i + 1));
    cell.field('child_crc', 6, 4, hex(page.childCrc(i + 1)));
    cell.field('key', INTERIOR_CELL_BYTES, keyBytes, key);
  }
  const { children } = cell.done();
  spans.field('cell', at, length, key, [...children!]);
}

function spansOfMeta(file: V2File, page: number): Span {
  const { pageSize } = file;
  const meta = file.metas[page]!;
  const spans = new PageSpans('meta', page * pageSize, pageSize, page);
  const id = meta.storeId.toString(16).padStart(16, '0');
  const fields: [string, number, number, unknown?][] = [
    ['magic', 0, 8],
    ['version', 8, 2],
    ['bytes', 10, 2],
    ['compatible', 12, 4],
    ['incompatible', 16, 4],
    ['page_size', 20, 4, meta.pageSize],
    ['store_id', 24, 8, id],
    ['transaction', 32, 8, meta.txn],
    ['page', 40, 4],
    ['pages', 44, 4, meta.pages],
    ['root', 48, 4, meta.root],
    ['root_crc', 52, 4, hex(meta.rootCrc)],
    ['height', 56, 4, meta.height],
    ['free_head', 60, 4, meta.freeHead],
    ['free_crc', 64, 4, hex(meta.freeCrc)],
    ['free_pages', 68, 4, meta.freePages],
    ['keys', 72, 8, meta.keys],
    ['closed', 80, 1, meta.closed],
    ['reserved', 81, META_CRC_AT - 81],
    ['crc', META_CRC_AT, 4],
  ];
  for (const [name, at, length, value] of fields) spans.field(name, at, length, value);
  return spans.field('zeros', META_BYTES, pageSize - META_BYTES).done();
}
