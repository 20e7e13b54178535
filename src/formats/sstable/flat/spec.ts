/**
 * What the two textbook tables have in common: entries back to back, a sparse index of every Nth
 * one, a footer that says where the index is. Each dialect says how an entry is framed.
 */
import type { EntryBlock } from '../entry-block.ts';

/** Footer: index_offset u64, index_count u32, both big-endian. */
export const FOOTER_BYTES = 12;
export const INDEX_COUNT_AT = 8;
/** Bytes of an index entry behind its key: offset u64. */
export const INDEX_OFFSET_BYTES = 8;

export interface FlatSpec {
  readonly id: string;
  /** Bytes of the header; 0: none. */
  readonly headerBytes: number;
  /** Bytes of the key's length, in entries and in the index: 2 or 4. */
  readonly keyLengthBytes: 2 | 4;
  /** Bytes of the smallest entry. */
  readonly entryBytesMin: number;
  /** Every how many entries the index has one, when written. */
  readonly indexEvery: number;
  /** How many entries the header tells; undefined where there is no header. */
  readonly hasCount: boolean;
  /** What is behind a key that every one has: 8 bytes of timestamp, or nothing. */
  readonly hasTimestamp: boolean;
  /**
   * The entry at `p`, all of it before `end`. Fills place `i` of `block` and returns where the
   * entry ends. -1: its lengths lead past `end`.
   */
  entry(view: DataView, p: number, end: number, block: EntryBlock, i: number): number;
  /**
   * How many bytes the entry at `p` takes by its lengths; 0 if it takes more than the `end - p` at
   * hand to tell.
   */
  entryBytes(view: DataView, p: number, end: number): number;
}

/** A file offset of 64 bits; beyond 2^53 it leads past the end of any file. */
export function readOffset(view: DataView, at: number): number {
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}

export function readKeyLength(spec: FlatSpec, view: DataView, at: number): number {
  return spec.keyLengthBytes === 2 ? view.getUint16(at) : view.getUint32(at);
}
