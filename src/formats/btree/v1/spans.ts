/** Every byte of a page with the field that it belongs to. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { KIND, KIND_NAMES } from '../model.ts';
import { PageSpans } from '../page-spans.ts';
import type { V1File } from './file.ts';
import {
  COUNT_AT,
  FREE_HEAD_AT,
  HEADER_BYTES,
  HEIGHT_AT,
  KEYS_AT,
  LINK_AT,
  META_BYTES,
  NEXT_FREE_AT,
  NO_PAGE,
  ROOT_AT,
} from './layout.ts';
import type { V1Page } from './page.ts';

export function spansOfPage(
  file: V1File,
  opened: V1Page | undefined,
  page: number,
  kind: number,
): Span {
  const { pageSize, meta } = file;
  const offset = page * pageSize;
  if (page === 0) {
    const spans = new PageSpans('meta', offset, pageSize, page);
    spans.field('root', ROOT_AT, 4, meta.root);
    spans.field('height', HEIGHT_AT, 4, meta.height);
    spans.field('total_keys', KEYS_AT, 4, meta.totalKeys);
    spans.field('next_free', NEXT_FREE_AT, 4, meta.nextFree);
    spans.field('free_head', FREE_HEAD_AT, 4, numberOrNone(meta.freeHead));
    return spans.field('zeros', META_BYTES, pageSize - META_BYTES).done();
  }
  const leaked = kind === KIND.unknown ? 'page-leaked' : undefined;
  const spans = new PageSpans(KIND_NAMES[kind]!, offset, pageSize, page, leaked);
  if (!opened || kind === KIND.unused) return spans.done();
  const { type, count, link } = opened;
  spans.field('type', 0, 1, type);
  spans.field('count', COUNT_AT, 2, count);
  if (kind === KIND.free) return spans.field('next', LINK_AT, 4, numberOrNone(link)).done();
  const linkName = opened.leaf ? 'next_sibling' : 'child';
  spans.field(linkName, LINK_AT, HEADER_BYTES - LINK_AT, numberOrNone(link));
  for (let i = 0; i < opened.cells; i++) cellSpan(spans, opened, i, offset);
  return spans.done();
}

function cellSpan(spans: PageSpans, page: V1Page, i: number, offset: number): void {
  const { bytes, start, leaf } = page;
  const keyAt = page.keyStart[i]! - start;
  const behind = page.keyEnd[i]! - start;
  const key = bytesValue(bytes, page.keyStart[i], page.keyEnd[i]);
  const end = leaf ? page.fourth[i]! - start : behind + 4;
  const cell = new PageSpans('cell', offset + keyAt - 2, end - keyAt + 2);
  cell.field('key_length', 0, 2, behind - keyAt);
  cell.field('key', 2, behind - keyAt, key);
  const at = behind - keyAt + 2;
  if (leaf) {
    const value = bytesValue(bytes, page.third[i], page.fourth[i]);
    cell.field('value_length', at, 2, page.fourth[i]! - page.third[i]!);
    cell.field('value', at + 2, page.fourth[i]! - page.third[i]!, value);
  } else cell.field('child', at, 4, page.third[i]);
  const { children } = cell.done();
  spans.field('cell', keyAt - 2, end - keyAt + 2, key, [...children!]);
}

function numberOrNone(page: number): number | string {
  return page === NO_PAGE ? 'none' : page;
}
