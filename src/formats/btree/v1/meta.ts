/** Page 0: where the tree is, how high, how many keys, and which pages are free. */
import {
  FREE_HEAD_AT,
  HEIGHT_AT,
  KEYS_AT,
  META_BYTES,
  NEXT_FREE_AT,
  NO_PAGE,
  ROOT_AT,
} from './layout.ts';

export interface V1Meta {
  root: number;
  height: number;
  totalKeys: number;
  nextFree: number;
  freeHead: number;
}

/** Of a file without keys: one empty leaf. */
export function emptyMeta(): V1Meta {
  return { root: 1, height: 1, totalKeys: 0, nextFree: 2, freeHead: NO_PAGE };
}

export function readMeta(view: DataView, start = 0): V1Meta {
  return {
    root: view.getUint32(start + ROOT_AT),
    height: view.getUint32(start + HEIGHT_AT),
    totalKeys: view.getUint32(start + KEYS_AT),
    nextFree: view.getUint32(start + NEXT_FREE_AT),
    freeHead: view.getUint32(start + FREE_HEAD_AT),
  };
}

/** The page whole, zeros behind the fields. */
export function metaPage(meta: V1Meta, pageSize: number): Uint8Array {
  const page = new Uint8Array(Math.max(pageSize, META_BYTES));
  const view = new DataView(page.buffer);
  view.setUint32(ROOT_AT, meta.root);
  view.setUint32(HEIGHT_AT, meta.height);
  view.setUint32(KEYS_AT, meta.totalKeys);
  view.setUint32(NEXT_FREE_AT, meta.nextFree);
  view.setUint32(FREE_HEAD_AT, meta.freeHead);
  return page;
}

/** The last page that may be in use, as far as the metadata can be right. */
export function lastPage({ meta, pageCount }: { meta: V1Meta; pageCount: number }): number {
  const end = meta.nextFree < 2 ? pageCount : Math.min(meta.nextFree, pageCount);
  return Math.max(1, end - 1);
}
