/** The two meta pages: which is live, and whether the other would do. */
import { isAllOnes, u64 } from '../u64.ts';
import {
  CHECKSUM_AT,
  FREELIST_AT,
  HIGH_WATER_AT,
  MAGIC,
  MAGIC_AT,
  PAGE_SIZE_AT,
  ROOT_AT,
  TXID_AT,
  VERSION,
  VERSION_AT,
} from './layout.ts';

export interface Meta {
  page: 0 | 1;
  pageSize: number;
  root: number;
  /** -1: the free list is not kept. */
  freelist: number;
  highWater: number;
  txid: number;
  /** What is wrong with it; empty: nothing. */
  fault: string;
  expected?: unknown;
  actual?: unknown;
}

/** `at`: where the page begins. */
export function readMeta(view: DataView, at: number, page: 0 | 1): Meta {
  const meta: Meta = {
    page,
    pageSize: view.getUint32(at + PAGE_SIZE_AT, true),
    root: u64(view, at + ROOT_AT),
    freelist: isAllOnes(view, at + FREELIST_AT) ? -1 : u64(view, at + FREELIST_AT),
    highWater: u64(view, at + HIGH_WATER_AT),
    txid: u64(view, at + TXID_AT),
    fault: '',
  };
  const wrong = (fault: string, expected: unknown, actual: unknown) => ({
    ...meta,
    fault,
    expected,
    actual,
  });
  const hex = (value: number) => (value >>> 0).toString(16);
  const magic = view.getUint32(at + MAGIC_AT, true);
  if (magic !== MAGIC) return wrong('magic', hex(MAGIC), hex(magic));
  const version = view.getUint32(at + VERSION_AT, true);
  if (version !== VERSION) return wrong('version', VERSION, version);
  const stored = view.getBigUint64(at + CHECKSUM_AT, true);
  const computed = fnv1a(view, at + MAGIC_AT, at + CHECKSUM_AT);
  if (stored !== computed) return wrong('checksum', computed.toString(16), stored.toString(16));
  return meta;
}

/** FNV-1a, 64 bits. */
function fnv1a(view: DataView, start: number, end: number): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let at = start; at < end; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(view.getUint8(at))) * 0x100000001b3n);
  }
  return hash;
}

export function isMetaSize(size: number): boolean {
  return size >= 512 && size <= 1 << 24 && (size & (size - 1)) === 0;
}

/** Page sizes under which the second meta page is looked for where the first is damaged. */
export function* likelySizes(): Generator<number> {
  for (let size = 1024; size <= 1 << 24; size *= 2) yield size;
}
