/** Writes the textbook LSM tree's table, byte for byte as layout.ts draws it. */
import { DdiaError } from '../../../shared/errors.ts';
import { type EntryBlock, TYPE } from '../entry-block.ts';
import { type FlatEncoding, FlatWriter } from '../flat/encode.ts';
import type { TableEncoder } from '../model.ts';
import { FIELD_BYTES_MAX, lsmV1Spec } from './layout.ts';

const encoding: FlatEncoding = {
  keyBytesMax: FIELD_BYTES_MAX,
  countAt: undefined,
  header: () => new Uint8Array(0),
  rest(block: EntryBlock, index: number): { fixed: Uint8Array; value: boolean } {
    const start = block.valueStart[index]!;
    const length = start < 0 ? 0 : block.valueEnd[index]! - start;
    if (block.types[index] === TYPE.put && length === 0) {
      throw new DdiaError(
        'unsupported-value',
        'an empty value cannot be written in this layout: it stands for a deletion',
      );
    }
    const deleted = block.types[index] === TYPE.delete;
    const fixed = new Uint8Array(4);
    new DataView(fixed.buffer).setUint32(0, deleted ? 0 : length);
    return { fixed, value: !deleted };
  },
};

export const lsmV1Encoder: TableEncoder = {
  hasSeq: false,
  hasTimestamp: false,
  fileName: (number) => `sstable_${String(number).padStart(6, '0')}.sst`,
  open: (target, options) => new FlatWriter(lsmV1Spec, encoding, target, options),
};
