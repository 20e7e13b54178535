/** The index: for each data block where it lies, how many entries, its first and its last key. */
import { readVarint, varint } from '../block-table/varint.ts';

export interface IndexedBlock {
  offset: number;
  entries: number;
  first: Uint8Array;
  last: Uint8Array;
}

/** Undefined: the bytes are no index of `count` blocks that lie before `limit`. */
export function readIndex(
  bytes: Uint8Array,
  count: number,
  limit: number,
): IndexedBlock[] | undefined {
  const blocks: IndexedBlock[] = [];
  let p = 0;
  while (p < bytes.length) {
    const numbers: number[] = [];
    for (let i = 0; i < 4; i++) {
      p = readVarint(bytes, p, bytes.length);
      if (p < 0) return undefined;
      numbers.push(varint.value);
    }
    const [offset, entries, firstBytes, lastBytes] = numbers as [number, number, number, number];
    const end = p + firstBytes + lastBytes;
    if (end > bytes.length || offset >= limit) return undefined;
    const first = bytes.subarray(p, p + firstBytes);
    blocks.push({ offset, entries, first, last: bytes.subarray(p + firstBytes, end) });
    p = end;
  }
  return blocks.length === count ? blocks : undefined;
}
