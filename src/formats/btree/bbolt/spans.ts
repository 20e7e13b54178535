/** Every byte of a page with the field that it belongs to. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { KIND, KIND_NAMES } from '../model.ts';
import { PageSpans } from '../page-spans.ts';
import { u64 } from '../u64.ts';
import type { BboltFile } from './file.ts';
import { ELEMENT_BYTES, FREELIST, META_BYTES, PAGE_HEADER_BYTES } from './layout.ts';
import type { Node } from './node.ts';

const META_FIELDS: readonly (readonly [string, number, number])[] = [
  ['magic', 16, 4],
  ['version', 20, 4],
  ['page_size', 24, 4],
  ['flags', 28, 4],
  ['root', 32, 8],
  ['sequence', 40, 8],
  ['freelist', 48, 8],
  ['high_water', 56, 8],
  ['txid', 64, 8],
  ['checksum', 72, 8],
];

export function spansOfPage(file: BboltFile, page: number, kind: number): Span {
  const { pageSize } = file;
  const leaked = kind === KIND.unknown ? 'page-leaked' : undefined;
  const spans = new PageSpans(KIND_NAMES[kind]!, page * pageSize, pageSize, page, leaked);
  const node = file.open(page);
  // What a page goes on in is part of it; of a free page nothing is known.
  if (!node || kind === KIND.overflow)
    return spans.done(kind === KIND.overflow ? 'content' : 'unused');
  if (kind === KIND.free || kind === KIND.unused || kind === KIND.unknown) return spans.done();
  const { view, start } = node;
  if (kind === KIND.freelist && node.flags !== FREELIST) return spans.done('content');
  spans.field('id', 0, 8, node.id);
  spans.field('flags', 8, 2, node.flags);
  spans.field('count', 10, 2, node.stated);
  spans.field('overflow', 12, 4, node.overflow);
  if (kind === KIND.meta) {
    for (const [name, at, length] of META_FIELDS) {
      const value = length === 4 ? view.getUint32(start + at, true) : u64(view, start + at);
      spans.field(name, at, length, name === 'checksum' ? undefined : value);
    }
    return spans.field('unused', META_BYTES, pageSize - META_BYTES).done();
  }
  if (kind === KIND.freelist) {
    for (let at = PAGE_HEADER_BYTES; at + 8 <= pageSize; at += 8) {
      if ((at - PAGE_HEADER_BYTES) / 8 >= node.stated) break;
      spans.field('free_page', at, 8, u64(view, start + at));
    }
    return spans.done();
  }
  elements(spans, node, pageSize);
  return spans.done();
}

/** Elements, keys and values, as far as they lie in the first page. */
function elements(spans: PageSpans, node: Node, pageSize: number): void {
  for (let i = 0; i < node.elements; i++) {
    const at = PAGE_HEADER_BYTES + node.slot(i) * ELEMENT_BYTES;
    if (at + ELEMENT_BYTES > pageSize) return;
    spans.field('element', at, ELEMENT_BYTES, node.leaf ? node.elementFlags(i) : node.child(i));
    const key = node.keyStart(i) - node.start;
    const keyEnd = node.keyEnd(i) - node.start;
    put(spans, 'key', key, keyEnd, pageSize, bytesValue(node.key(i)));
    if (!node.leaf) continue;
    put(spans, 'value', keyEnd, node.valueEnd(i) - node.start, pageSize, undefined);
  }
}

function put(
  spans: PageSpans,
  name: string,
  from: number,
  to: number,
  pageSize: number,
  value: unknown,
): void {
  const end = Math.min(to, pageSize);
  if (end > from) spans.field(name, from, end - from, value);
}
