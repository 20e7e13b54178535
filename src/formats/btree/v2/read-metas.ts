/** Both meta pages of a file, whatever state they are in. */
import type { ByteSource } from '../../format.ts';
import { readSync } from '../page-cache.ts';
import { META_BYTES, PAGE_BYTES_MAX, PAGE_BYTES_MIN } from './layout.ts';
import { type ReadMeta, readMeta } from './meta.ts';

/** Where the second meta page may be, if the first one cannot tell. */
export function* pageSizes(): Generator<number> {
  for (let size = PAGE_BYTES_MIN; size <= PAGE_BYTES_MAX; size *= 2) yield size;
}

/** Both; where the first is lost, the second is looked for under every page size. */
export function readMetas(source: ByteSource): [ReadMeta, ReadMeta] {
  const first = metaAt(source, 0, 0);
  const sizes = first.fault === '' ? [first.pageSize] : pageSizes();
  let second: ReadMeta | undefined;
  for (const size of sizes) {
    const meta = metaAt(source, size, 1);
    const fits = meta.fault === '' && meta.pageSize === size;
    if (second === undefined || fits) second = meta;
    if (fits) break;
  }
  return [first, second!];
}

/** A writer may be at it: both as they were at one moment. */
const STEADY_TRIES = 100;

export function readSteadyMetas(source: ByteSource): [ReadMeta, ReadMeta] {
  let metas = readMetas(source);
  for (let i = 0; i < STEADY_TRIES; i++) {
    const again = readMetas(source);
    if (again.every(({ txn, fault }, i) => txn === metas[i]!.txn && fault === metas[i]!.fault))
      break;
    metas = again;
  }
  return metas;
}

function metaAt(source: ByteSource, at: number, page: number): ReadMeta {
  const bytes = new Uint8Array(META_BYTES);
  readSync(source, bytes, META_BYTES, at);
  return readMeta(bytes, page);
}
