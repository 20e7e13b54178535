/**
 * A meta page: what a transaction left. The one with the higher transaction that checks is live.
 */
import { crc32c } from '../../../shared/crc32.ts';
import {
  getU64,
  HEIGHT_MAX,
  isPageSize,
  MAGIC,
  META_BYTES,
  META_CRC_AT,
  META_PAGES,
  PAGES_MAX,
  setU64,
  VERSION,
} from './layout.ts';

export interface Meta {
  /** 0 or 1. */
  page: number;
  pageSize: number;
  storeId: bigint;
  txn: number;
  /** Page numbers below it are in use or free: the file has this many pages. */
  pages: number;
  /** 0: the tree is empty. */
  root: number;
  rootCrc: number;
  /** Levels; 0 if the tree is empty, 1 if the root is a leaf. */
  height: number;
  /** First page of the free list; 0: nothing is free. */
  freeHead: number;
  freeCrc: number;
  freePages: number;
  keys: number;
  /** Nobody was writing when this was written: every page is as the transaction left it. */
  closed: boolean;
}

/** Compatible flags are ignored; an incompatible one is a fault. */
export type ReadMeta = Meta & {
  /** Why it cannot be used; empty if it can. */
  fault: string;
  expected?: unknown;
  actual?: unknown;
};

export function newMetas(pageSize: number, storeId: bigint): [Meta, Meta] {
  const meta = (page: number): Meta => ({
    page,
    pageSize,
    storeId,
    txn: page,
    pages: META_PAGES,
    root: 0,
    rootCrc: 0,
    height: 0,
    freeHead: 0,
    freeCrc: 0,
    freePages: 0,
    keys: 0,
    closed: true,
  });
  return [meta(0), meta(1)];
}

/** Fills `into` with a whole page. */
export function writeMeta(meta: Meta, into: Uint8Array): void {
  into.fill(0);
  into.set(Buffer.from(MAGIC, 'latin1'));
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setUint16(8, VERSION, true);
  view.setUint16(10, META_BYTES, true);
  view.setUint32(20, meta.pageSize, true);
  view.setBigUint64(24, meta.storeId, true);
  setU64(view, 32, meta.txn);
  view.setUint32(40, meta.page, true);
  view.setUint32(44, meta.pages, true);
  view.setUint32(48, meta.root, true);
  view.setUint32(52, meta.rootCrc, true);
  view.setUint32(56, meta.height, true);
  view.setUint32(60, meta.freeHead, true);
  view.setUint32(64, meta.freeCrc, true);
  view.setUint32(68, meta.freePages, true);
  setU64(view, 72, meta.keys);
  into[80] = meta.closed ? 1 : 0;
  view.setUint32(META_CRC_AT, crc32c.of(into, 0, META_CRC_AT), true);
}

/** Reads the fields at the start of `bytes`, whatever they say. */
export function readMeta(bytes: Uint8Array, page: number): ReadMeta {
  const view = new DataView(bytes.buffer, bytes.byteOffset, META_BYTES);
  const meta: ReadMeta = {
    page,
    pageSize: view.getUint32(20, true),
    storeId: view.getBigUint64(24, true),
    txn: getU64(view, 32),
    pages: view.getUint32(44, true),
    root: view.getUint32(48, true),
    rootCrc: view.getUint32(52, true),
    height: view.getUint32(56, true),
    freeHead: view.getUint32(60, true),
    freeCrc: view.getUint32(64, true),
    freePages: view.getUint32(68, true),
    keys: getU64(view, 72),
    closed: bytes[80] === 1,
    fault: '',
  };
  const fault = (what: string, expected: unknown, actual: unknown): ReadMeta => {
    return { ...meta, fault: what, expected, actual };
  };
  const magic = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (magic !== MAGIC) return fault('it has not the magic', MAGIC, magic);
  const crc = crc32c.of(bytes, 0, META_CRC_AT);
  const stored = view.getUint32(META_CRC_AT, true);
  if (crc !== stored) return fault('its checksum does not hold', hex(crc), hex(stored));
  const version = view.getUint16(8, true);
  if (version !== VERSION) return fault('its version is not known', VERSION, version);
  const flags = view.getUint32(16, true);
  if (flags !== 0) return fault(`incompatible flag ${hex(flags)} is not known`, 0, flags);
  if (!isPageSize(meta.pageSize)) {
    return fault('its page size is none', 'a power of two from 512 to 32768', meta.pageSize);
  }
  const place = view.getUint32(40, true);
  if (place !== page) return fault('it is the other meta page', page, place);
  if (meta.txn % 2 !== page) {
    return fault('its transaction belongs to the other meta page', `${page} modulo 2`, meta.txn);
  }
  return rangeFault(meta, fault) ?? meta;
}

function rangeFault(
  meta: Meta,
  fault: (what: string, expected: unknown, actual: unknown) => ReadMeta,
): ReadMeta | undefined {
  const { pages, root, height, freeHead } = meta;
  if (pages < META_PAGES || pages > PAGES_MAX) return fault('it has too few pages', 2, pages);
  const range = `0, or ${META_PAGES} to ${pages - 1}`;
  const inFile = (page: number) => page === 0 || (page >= META_PAGES && page < pages);
  if (!inFile(root)) return fault('root is no page of the file', range, root);
  if (!inFile(freeHead)) return fault('free_head is no page of the file', range, freeHead);
  if (height > HEIGHT_MAX || (height === 0) !== (root === 0)) {
    return fault('height is not plausible', root === 0 ? 0 : `1 to ${HEIGHT_MAX}`, height);
  }
  return undefined;
}

export function hex(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}

/** The one that is live: of those that check, the one of the later transaction. */
export function liveOf<M extends ReadMeta>(metas: readonly M[]): M | undefined {
  const usable = metas.filter(({ fault }) => fault === '');
  return usable.sort((a, b) => b.txn - a.txn)[0];
}
