/** A page with its cells, for people and for tools. */
import { KIND, KIND_NAMES, type PageView, type TreeNode } from '../model.ts';
import { cellValue } from '../print.ts';
import { CELL_KINDS, Cell, rowidOf } from './cell.ts';
import type { SqliteFile } from './file.ts';
import {
  CELLS_AT,
  CONTENT_AT,
  FRAGMENTS_AT,
  FREEBLOCK_AT,
  HEADER_BYTES,
  INTERIOR_TABLE,
  isBtreePage,
  isTablePage,
  PTR_BYTES,
  RIGHT_CHILD_AT,
} from './layout.ts';
import { GrowingBuffer } from './payload.ts';
import { RecordHeader } from './record.ts';

/** Of a record that goes on elsewhere, what is shown. */
const SHOWN_BYTES = 4096;

export interface OpenPage {
  page: number;
  /** A copy: overflow pages are read meanwhile. */
  bytes: Uint8Array;
  view: DataView;
  header: number;
  type: number;
  count: number;
  /** Where the cell pointers begin. */
  pointers: number;
}

/** Undefined for a page that is not one of a b-tree, by its first byte. */
export function openPage(file: SqliteFile, page: number): OpenPage | undefined {
  if (page < 1 || !file.pages.load(page)) return undefined;
  const { pages } = file;
  const bytes = pages.bytes.slice(pages.start, pages.start + pages.pageSize);
  const view = new DataView(bytes.buffer);
  const header = page === 1 ? HEADER_BYTES : 0;
  const type = bytes[header]!;
  const pointers = header + (type <= INTERIOR_TABLE ? 12 : 8);
  const stated = view.getUint16(header + CELLS_AT);
  const count = Math.max(0, Math.min(stated, Math.floor((file.header.usable - pointers) / 2)));
  return { page, bytes, view, header, type, count, pointers };
}

/** Each cell that lies within the page. */
export function* cellsOf(
  file: SqliteFile,
  { bytes, view, type, count, pointers }: OpenPage,
): Generator<{ slot: number; at: number; cell: Cell }> {
  const cell = new Cell(file.header.usable);
  for (let slot = 0; slot < count; slot++) {
    const at = view.getUint16(pointers + 2 * slot);
    if (at < pointers || !cell.parse(bytes, at, file.header.usable, type)) continue;
    yield { slot, at, cell };
  }
}

export function describePage(file: SqliteFile, page: number, kind: number): PageView {
  const shown: PageView = {
    page,
    kind: KIND_NAMES[kind]!,
    offset: (page - 1) * file.pageSize,
    fields: {},
    cells: [],
  };
  const opened = openPage(file, page);
  if (!opened) return { ...shown, damage: 'the file does not hold this page' };
  const { view, header, type } = opened;
  if (kind === KIND.freelist) {
    const leaves = view.getUint32(4);
    shown.fields = { next: view.getUint32(0), count: leaves };
    for (let i = 0; i < leaves && 12 + 4 * i <= file.header.usable; i++) {
      shown.cells.push({ slot: i, offset: 8 + 4 * i, page: view.getUint32(8 + 4 * i) });
    }
    return shown;
  }
  if (kind === KIND.overflow) return { ...shown, fields: { next: view.getUint32(0) } };
  if (kind === KIND.pointers) {
    for (let at = 0; at + PTR_BYTES <= file.header.usable; at += PTR_BYTES) {
      const type = view.getUint8(at);
      if (type === 0) continue;
      const of = page + 1 + at / PTR_BYTES;
      shown.cells.push({
        slot: at / PTR_BYTES,
        offset: at,
        page: of,
        type,
        parent: view.getUint32(at + 1),
      });
    }
    return shown;
  }
  const tree = kind === KIND.leaf || kind === KIND.interior || kind === KIND.meta;
  if (!isBtreePage(type) || (!tree && kind !== KIND.unknown)) return shown;
  shown.fields = {
    ...(page === 1 && file.facts),
    type,
    is: CELL_KINDS[type],
    cells: view.getUint16(header + CELLS_AT),
    content: view.getUint16(header + CONTENT_AT),
    freeblock: view.getUint16(header + FREEBLOCK_AT),
    fragments: view.getUint8(header + FRAGMENTS_AT),
    ...(type <= INTERIOR_TABLE && { rightChild: view.getUint32(header + RIGHT_CHILD_AT) }),
  };
  for (const { slot, at, cell } of cellsOf(file, opened)) {
    shown.cells.push({ slot, offset: at, ...cellFields(file, opened, cell) });
  }
  return shown;
}

function cellFields(file: SqliteFile, { bytes, type }: OpenPage, cell: Cell) {
  const rowid = rowidOf(cell.rowHigh, cell.rowLow);
  return {
    ...(type <= INTERIOR_TABLE && { child: cell.child }),
    ...(isTablePage(type) && { rowid: cellValue(rowid) }),
    ...(cell.payload >= 0 && { record: recordShown(file, bytes, cell) }),
    ...(cell.overflow > 0 && { payload: cell.payload, overflow: cell.overflow }),
  };
}

function recordShown(file: SqliteFile, bytes: Uint8Array, cell: Cell): unknown {
  const header = new RecordHeader();
  const into = new GrowingBuffer();
  const wanted = Math.min(cell.payload, Math.max(cell.local, SHOWN_BYTES));
  const got = file.payloads.gather(cell, bytes, wanted, into);
  if (!header.parse(into.bytes, 0, cell.payload, got)) return header.fault;
  const values: unknown[] = [];
  for (let i = 0; i < header.columns; i++) {
    const next = i + 1 < header.columns ? header.starts[i + 1]! : cell.payload;
    if (next > got) values.push(`${next - header.starts[i]!} bytes`);
    else values.push(cellValue(header.value(i, into.bytes, into.view, file.decodeExactly)));
  }
  return values;
}

export function nodeOf(file: SqliteFile, page: number): TreeNode {
  const opened = openPage(file, page);
  if (!opened || page > file.pageCount) {
    return { page, kind: 'missing', keys: 0, children: [], damage: 'not in the file' };
  }
  const { view, header, type, count } = opened;
  const interior = type <= INTERIOR_TABLE;
  const node: TreeNode = { page, kind: interior ? 'interior' : 'leaf', keys: count, children: [] };
  if (!isBtreePage(type)) return { ...node, kind: 'unknown', keys: 0, damage: 'page-type' };
  for (const { cell } of cellsOf(file, opened)) {
    const { bytes } = opened;
    const key = isTablePage(type)
      ? cellValue(rowidOf(cell.rowHigh, cell.rowLow))
      : recordShown(file, bytes, cell);
    node.first ??= key;
    node.last = key;
    if (interior) node.children.push(cell.child);
  }
  if (interior) node.children.push(view.getUint32(header + RIGHT_CHILD_AT));
  return node;
}
