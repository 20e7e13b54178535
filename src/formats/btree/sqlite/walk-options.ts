/** What a walk is asked for. */
import type { Cell } from './cell.ts';
import type { Pointers } from './payload.ts';
import type { SqliteRecord } from './record-reader.ts';

/** Told each record, which is valid until it returns. True ends the walk. */
export type OnRecord = (record: SqliteRecord, cell: Cell, page: number, slot: number) => boolean;

/** Rowids that are of interest, both inclusive. */
export interface RowidBounds {
  from: bigint;
  to: bigint;
}

export interface WalkOptions {
  readonly pointers?: Pointers;
  readonly onRecord?: OnRecord | undefined;
  /** Records that can be read in part are told too. */
  readonly parts?: boolean | undefined;
  readonly bounds?: RowidBounds | undefined;
  /** Checks pages and records; without it, only what is needed to read on. */
  readonly thorough: boolean;
  /** Values are held against the types of their columns. */
  readonly types?: boolean | undefined;
}
