/** Every byte of a page with the field that it belongs to. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { KIND, KIND_NAMES } from '../model.ts';
import { PageSpans } from '../page-spans.ts';
import { u64 } from '../u64.ts';
import type { LmdbFile } from './file.ts';
import {
  FREE_DB_AT,
  LAST_PAGE_AT,
  MAIN_DB_AT,
  MAP_SIZE_AT,
  NODE_BYTES,
  P_OVERFLOW,
  PAGE_HEADER_BYTES,
  TXNID_AT,
} from './layout.ts';
import type { LmdbPage } from './page.ts';

const DATABASE: readonly (readonly [string, number, number])[] = [
  ['pad', 0, 4],
  ['flags', 4, 2],
  ['depth', 6, 2],
  ['branch_pages', 8, 8],
  ['leaf_pages', 16, 8],
  ['overflow_pages', 24, 8],
  ['entries', 32, 8],
  ['root', 40, 8],
];

export function spansOfPage(file: LmdbFile, page: number, kind: number): Span {
  const { pageSize } = file;
  const leaked = kind === KIND.unknown ? 'page-leaked' : undefined;
  const spans = new PageSpans(KIND_NAMES[kind]!, page * pageSize, pageSize, page, leaked);
  const opened = file.open(page);
  if (!opened || kind === KIND.free || kind === KIND.unused || kind === KIND.unknown) {
    return spans.done();
  }
  const { view } = opened;
  if (kind === KIND.overflow) {
    // Only the first of a run has a header.
    const first = opened.pgno === page && (opened.flags & P_OVERFLOW) !== 0;
    if (!first) return spans.done('content');
    header(spans, opened);
    return spans.field('pages', 12, 4, view.getUint32(12, true)).done('content');
  }
  header(spans, opened);
  if (kind === KIND.meta) {
    spans.field('zeros', 12, 4);
    spans.field('magic', 16, 4, view.getUint32(16, true).toString(16));
    spans.field('version', 20, 4, view.getUint32(20, true));
    spans.field('address', 24, 8).field('map_size', MAP_SIZE_AT, 8, u64(view, MAP_SIZE_AT));
    for (const [name, at] of [['free', FREE_DB_AT] as const, ['main', MAIN_DB_AT] as const]) {
      for (const [field, from, length] of DATABASE) {
        spans.field(`${name}_${field}`, at + from, length, numberAt(view, at + from, length));
      }
    }
    spans.field('last_page', LAST_PAGE_AT, 8, u64(view, LAST_PAGE_AT));
    return spans.field('txnid', TXNID_AT, 8, u64(view, TXNID_AT)).done();
  }
  spans.field('lower', 12, 2, opened.lower).field('upper', 14, 2, opened.upper);
  nodes(spans, opened);
  return spans.done();
}

function header(spans: PageSpans, { pgno, pad, view }: LmdbPage): void {
  spans.field('pgno', 0, 8, pgno).field('pad', 8, 2, pad);
  spans.field('flags', 10, 2, view.getUint16(10, true));
}

function numberAt(view: DataView, at: number, length: number): number {
  if (length === 2) return view.getUint16(at, true);
  return length === 4 ? view.getUint32(at, true) : u64(view, at);
}

function nodes(spans: PageSpans, page: LmdbPage): void {
  for (let i = 0; i < page.nodes; i++) {
    const key = bytesValue(page.key(i));
    const from = page.keyStart(i);
    const to = page.keyEnd(i);
    if (page.leaf2) {
      spans.field('key', from, to - from, key);
      continue;
    }
    spans.field('pointer', PAGE_HEADER_BYTES + 2 * page.slot(i), 2, page.node(i));
    spans.field(
      'node',
      from - NODE_BYTES,
      NODE_BYTES,
      page.leaf ? page.dataSize(i) : page.child(i),
    );
    spans.field('key', from, to - from, key);
    if (!page.leaf) continue;
    const size = (page.nodeFlags(i) & 1) !== 0 ? 8 : page.dataSize(i);
    const name = ['value', 'overflow', 'database', 'unknown', 'values', 'unknown', 'values'];
    spans.field(name[page.nodeFlags(i)] ?? 'unknown', to, size);
  }
}
