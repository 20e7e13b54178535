/** What a dialect of the block log says about itself; all else is shared. */
import type { BatchForms } from './batch.ts';
import type { EditForms } from './edit.ts';
import type { HeaderTable } from './header.ts';
import type { BlockRecord, LogicalRecord } from './record.ts';

/** Record types beyond the four that carry data. */
export interface SpecialForms {
  /**
   * Fills op and extra of `record` from a record of a special type. Returns what is wrong with it,
   * in words, or the empty string.
   */
  describe(logical: LogicalRecord, record: BlockRecord): string;
  /**
   * The compression that a record of this type switches on for all that follow; undefined: none.
   */
  compression(logical: LogicalRecord): string | undefined;
}

export interface BlockLogSpec {
  readonly id: 'leveldb' | 'rocksdb';
  readonly headers: HeaderTable;
  readonly batch: BatchForms;
  readonly edit: EditForms;
  readonly special?: SpecialForms;
}
