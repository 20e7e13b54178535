/** Range deletions of one memtable or table: few, and so a list. Begin inclusive, end exclusive. */
import { compareBytes } from '../../formats/sstable/entry-block.ts';

export interface RangeDeletion {
  begin: Uint8Array;
  end: Uint8Array;
  seq: number;
}

export const isBefore = (a: Uint8Array, b: Uint8Array): boolean =>
  compareBytes(a, 0, a.length, b, 0, b.length) < 0;

export function covers({ begin, end }: RangeDeletion, key: Uint8Array): boolean {
  return !isBefore(key, begin) && isBefore(key, end);
}

export class RangeDeletions {
  readonly list: RangeDeletion[] = [];
  bytes = 0;

  get count(): number {
    return this.list.length;
  }

  add(begin: Uint8Array, end: Uint8Array, seq: number): void {
    this.list.push({ begin, end, seq });
    this.bytes += begin.length + end.length + 64;
  }

  /** The highest number, of at most `seq`, of one that covers the key; 0: none does. */
  covering(key: Uint8Array, seq: number): number {
    let highest = 0;
    for (const one of this.list) {
      if (one.seq <= seq && one.seq > highest && covers(one, key)) highest = one.seq;
    }
    return highest;
  }
}
