/** Files of our own layout in memory. */
import { buildFile, type Entry, type FileParameters } from '../../../src/formats/btree/v2/build.ts';
import {
  COUNT_AT,
  FREE_ENTRY_BYTES,
  FREELIST,
  HEADER_BYTES,
  KIND_AT,
  PAGE_AT,
  pageCrc,
  storeSeed,
} from '../../../src/formats/btree/v2/layout.ts';
import { type Meta, readMeta, writeMeta } from '../../../src/formats/btree/v2/meta.ts';

export const STORE_ID = 42n;
export type Pairs = readonly (readonly [string, string])[];

export function pairs(count: number, content = (i: number) => `value-${i}`): [string, string][] {
  return Array.from({ length: count }, (_, i) => [`key${String(i).padStart(5, '0')}`, content(i)]);
}

export function entriesOf(rows: Pairs): () => Iterable<Entry> {
  return function* () {
    for (const [key, value] of rows) {
      const bytes = Buffer.from(key);
      const valueBytes = Buffer.from(value);
      const ends = { keyEnd: bytes.length, valueEnd: valueBytes.length };
      yield { bytes, keyStart: 0, valueBytes, valueStart: 0, ...ends };
    }
  };
}

export function fileOf(rows: Pairs, more: Partial<FileParameters> = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const parameters = { pageSize: 512, storeId: STORE_ID, txn: 7, ...more };
  buildFile(parameters, entriesOf(rows), (page) => parts.push(new Uint8Array(page)));
  return new Uint8Array(Buffer.concat(parts));
}

export function metaOf(file: Uint8Array, page: 0 | 1, pageSize = 512): Meta {
  return readMeta(file.subarray(page * pageSize), page);
}

/** A copy of the file in which the live meta page says something else. */
export function withMeta(file: Uint8Array, change: Partial<Meta>, pageSize = 512): Uint8Array {
  const copy = new Uint8Array(file);
  const meta = { ...metaOf(file, 1, pageSize), ...change };
  writeMeta(meta, copy.subarray(pageSize, 2 * pageSize));
  return copy;
}

export function pageOf(file: Uint8Array, page: number, pageSize = 512): Uint8Array {
  return file.subarray(page * pageSize, (page + 1) * pageSize);
}

/** A copy of the file with a free list behind it that holds these pages. */
export function withFreeList(file: Uint8Array, free: readonly number[]): Uint8Array {
  const page = file.length / 512;
  const list = new Uint8Array(512);
  const view = new DataView(list.buffer);
  view.setUint32(PAGE_AT, page, true);
  list[KIND_AT] = FREELIST;
  view.setUint16(COUNT_AT, free.length, true);
  free.forEach((one, i) => {
    view.setUint32(HEADER_BYTES + i * FREE_ENTRY_BYTES, one, true);
  });
  const freeCrc = pageCrc(storeSeed(STORE_ID), page, list, view, 0, 512);
  view.setUint32(0, freeCrc, true);
  const longer = new Uint8Array(Buffer.concat([file, list]));
  const change = { freeHead: page, freeCrc, freePages: free.length, pages: page + 1 };
  return withMeta(longer, change);
}
