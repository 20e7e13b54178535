/**
 * The page size, which the file does not tell: a power of two under which metadata, root and length
 * agree. Where several do, the one under which the whole file checks out best.
 */
import type { ByteSource } from '../../format.ts';
import { Check } from '../check.ts';
import { V1File } from './file.ts';
import {
  HEIGHT_AT,
  HEIGHT_MAX,
  META_BYTES,
  NEXT_FREE_AT,
  NO_PAGE,
  PAGE_BYTES_DEFAULT,
  PAGE_SIZES,
  ROOT_AT,
  TYPE_INTERNAL,
  TYPE_LEAF,
} from './layout.ts';
import { V1Page } from './page.ts';

/** Under no other size do the metadata say how long the file is: that is hardly ever chance. */
const EXACT_SCORE = 6;
/** Sizes that are no worse than the best by more than this are checked in full. */
const CLOSE = 1;
/** Of a full check for the page size, findings that are counted. */
const FAULTS_MAX = 1000;

/** How well a page size explains a file's front; 0: not at all. */
export function scoreOf(head: Uint8Array, size: number, pageSize: number): number {
  if (head.length < Math.min(pageSize, META_BYTES) || size < pageSize) return 0;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const root = view.getUint32(ROOT_AT);
  const height = view.getUint32(HEIGHT_AT);
  const nextFree = view.getUint32(NEXT_FREE_AT);
  let score = 0;
  if (size % pageSize === 0) score++;
  if (nextFree * pageSize === size) score += 4;
  if (root >= 1 && root < size / pageSize && root < nextFree) score++;
  if (height >= 1 && height <= HEIGHT_MAX) score++;
  if (zeros(head, META_BYTES, Math.min(pageSize, head.length))) score += 2;
  const at = root * pageSize;
  if (root >= 1 && at + pageSize <= head.length) {
    const leaf = height === 1;
    const type = head[at];
    const page = new V1Page();
    if (type !== (leaf ? TYPE_LEAF : TYPE_INTERNAL)) return score;
    if (page.parse(head, view, at, pageSize, leaf) && page.disorder() < 0) score += 3;
    // A page that ends where the next begins.
    if (at > 0 && (head[at - 1] === 0 || page.cells > 0)) score++;
  }
  return score;
}

interface ReadPages {
  /** Of ten pages, how many can be read as what they say they are. */
  score: number;
  /** Keys of the leaves among them. */
  keys: number;
}

/**
 * The pages in the file's front, where metadata is damaged and tells nothing. Too large a size
 * reads well too, of a part of the pages: it has fewer keys.
 */
function readPages(head: Uint8Array, size: number, pageSize: number): ReadPages {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const page = new V1Page();
  let good = 0;
  let bad = 0;
  let keys = 0;
  for (let at = pageSize; at + pageSize <= head.length; at += pageSize) {
    const type = head[at]!;
    const leaf = type === TYPE_LEAF;
    const count = view.getUint16(at + 1);
    if (count === 0 && type <= TYPE_LEAF) continue;
    let fits = (leaf || type === TYPE_INTERNAL) && page.parse(head, view, at, pageSize, leaf);
    fits &&= page.disorder() < 0;
    for (let i = 0; fits && !leaf && i <= page.cells; i++) {
      fits = page.child(i) >= 1 && page.child(i) * pageSize < size;
    }
    if (fits) good++;
    else bad++;
    if (fits && leaf) keys += page.cells;
  }
  return { score: good === 0 ? 0 : Math.round((10 * good) / (good + bad)), keys };
}

function zeros(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** True where metadata, zeros behind them and the file's length say the same. */
export function isSure(head: Uint8Array, size: number, pageSize: number): boolean {
  if (head.length < META_BYTES) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const freeHead = view.getUint32(16);
  const nextFree = view.getUint32(NEXT_FREE_AT);
  const listed = freeHead === NO_PAGE || (freeHead >= 1 && freeHead < nextFree);
  return listed && scoreOf(head, size, pageSize) >= 9;
}

function nextFreeOf(head: Uint8Array): number {
  if (head.length < META_BYTES) return 0;
  return new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(NEXT_FREE_AT);
}

export function bestPageSize(head: Uint8Array, source: ByteSource): number {
  const size = source.size ?? 0;
  const read = PAGE_SIZES.map((pageSize) => readPages(head, size, pageSize));
  const keysMost = Math.max(...read.map(({ keys }) => keys));
  const scored = PAGE_SIZES.map((pageSize, i) => {
    const { score, keys } = read[i]!;
    // Twice the true size has a part of half the pages, whatever metadata say, which may be old.
    if (4 * keys < 3 * keysMost) return { pageSize, score: 0 };
    const exact = nextFreeOf(head) * pageSize === size ? EXACT_SCORE : 0;
    return { pageSize, score: scoreOf(head, size, pageSize) + score + exact };
  });
  const most = Math.max(...scored.map(({ score }) => score));
  if (most === 0) return size > 0 && size < PAGE_BYTES_DEFAULT ? 512 : PAGE_BYTES_DEFAULT;
  const close = scored.filter(({ score }) => score > 0 && score >= most - CLOSE);
  if (close.length === 1) return close[0]!.pageSize;
  let best = { pageSize: PAGE_BYTES_DEFAULT, faults: Number.POSITIVE_INFINITY };
  for (const { pageSize } of close) {
    const faults = faultsUnder(source, pageSize);
    if (faults < best.faults) best = { pageSize, faults };
  }
  return best.pageSize;
}

function faultsUnder(source: ByteSource, pageSize: number): number {
  const file = new V1File(source, pageSize);
  let faults = 0;
  // Larger pages are fewer, so that pages that nobody leads to say nothing about their size.
  const check = new Check(file, file.pageCount, ({ code }) => {
    if (code !== 'page-leaked') faults++;
  });
  for (const _ of file.check(check)) if (faults > FAULTS_MAX) break;
  return faults;
}
