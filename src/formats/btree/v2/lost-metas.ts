/**
 * Without both meta pages nothing says which store a file is of, how long its pages are, nor where
 * its tree begins. The pages themselves do: a checksum run backwards gives the seed that it began
 * with, and of all pages of a store that is the same; and the last transaction made its root anew.
 */
import { crc32c } from '../../../shared/crc32.ts';
import type { ByteSource } from '../../format.ts';
import type { Steps } from '../model.ts';
import { readSync } from '../page-cache.ts';
import type { V2File } from './file.ts';
import { BLANK, INTERIOR, LEAF, META_PAGES, PAGE_AT } from './layout.ts';
import type { Meta } from './meta.ts';
import { V2Page } from './page.ts';
import { pageSizes } from './read-metas.ts';

/** Pages that are looked at, from all over the file. */
const PAGES_TRIED = 64;
/** By the first byte of an entry of the table, which entry it is. */
const entryOf = new Uint8Array(256);
crc32c.table.forEach((entry, i) => {
  entryOf[entry >>> 24] = i;
});

/** The register as it was before these bytes. */
function unwind(register: number, bytes: Uint8Array, start: number, end: number): number {
  let r = register;
  for (let at = end - 1; at >= start; at--) {
    const i = entryOf[r >>> 24]!;
    r = ((r ^ crc32c.table[i]!) << 8) | (i ^ bytes[at]!);
  }
  return r;
}

/** A store id with this seed: many have it, and which was meant does not matter to any page. */
function idOfSeed(seed: number): bigint {
  const zeros = new Uint8Array(4);
  const view = new DataView(zeros.buffer);
  const half = unwind(~seed, zeros, 0, 4) ^ crc32c.update(-1, zeros, view, 0, 4);
  return BigInt(half >>> 0) << 32n;
}

/** Undefined where no two pages agree, nor the only one can be read. */
export function storeOfPages(
  source: ByteSource,
): { pageSize: number; storeId: bigint } | undefined {
  let best: { pageSize: number; seed: number; pages: number } | undefined;
  for (const pageSize of pageSizes()) {
    for (const [seed, pages] of seedsOf(source, pageSize)) {
      if (pages > (best?.pages ?? 0)) best = { pageSize, seed, pages };
    }
  }
  if (best === undefined) return undefined;
  return { pageSize: best.pageSize, storeId: idOfSeed(best.seed) };
}

/** How many pages each seed is that of. */
function seedsOf(source: ByteSource, pageSize: number): Map<number, number> {
  const count = Math.floor((source.size ?? 0) / pageSize) - META_PAGES;
  const step = Math.max(1, Math.floor(count / PAGES_TRIED));
  const bytes = new Uint8Array(pageSize);
  const view = new DataView(bytes.buffer);
  const look = new V2Page();
  const seeds = new Map<number, number>();
  for (let page = META_PAGES; page < META_PAGES + count; page += step) {
    readSync(source, bytes, pageSize, page * pageSize);
    const fits = look.parse(bytes, view, 0, pageSize);
    if (look.page !== page || look.kind < INTERIOR || look.kind > BLANK) continue;
    const seed = (~unwind(~look.crc, bytes, PAGE_AT, pageSize) ^ page) >>> 0;
    // A page alone proves nothing by its checksum: it has to look like one.
    const proof = count > 1 || (fits && look.kind === LEAF && look.isTidy && look.disorder() < 0);
    if (proof) seeds.set(seed, (seeds.get(seed) ?? 0) + 1);
  }
  if (count > 1) for (const [seed, pages] of seeds) if (pages < 2) seeds.delete(seed);
  return seeds;
}

export interface NewestRoot {
  meta: Meta;
  /** That made it. */
  txn: number;
  /** All pages are whole, and none is later: it cannot be that of a part. */
  sure: boolean;
}

/** Tells of the page that may be the root of the last transaction, if there is one. */
export function* newestRoot(file: V2File, onRoot: (found: NewestRoot) => void): Steps {
  let best: { page: number; txn: number; level: number; crc: number } | undefined;
  let latest = 0;
  let whole = true;
  for (let page = META_PAGES; page < file.pageCount; page++) {
    if (page % 1024 === 0) yield page;
    const opened = file.open(page);
    if (opened?.page !== page || !file.isWhole) {
      whole = false;
      continue;
    }
    const { kind, txn, level, crc } = opened;
    latest = Math.max(latest, txn);
    if (kind !== LEAF && kind !== INTERIOR) continue;
    const later = !best || txn > best.txn || (txn === best.txn && level > best.level);
    if (later) best = { page, txn, level, crc };
  }
  if (!best) return;
  const { page: root, crc: rootCrc, level, txn } = best;
  const meta = { ...file.live, pages: file.pageCount, root, rootCrc, height: level + 1 };
  onRoot({ meta, txn, sure: whole && txn === latest });
}
