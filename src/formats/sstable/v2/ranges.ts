/** The block of a table's range deletions: few, and so they are sorted when all are known. */
import { compareEntries, type EntryCopy } from '../entry-copy.ts';
import { BlockBuilder } from './block-builder.ts';
import { HEAD_BYTES } from './layout.ts';

export function rangeBlock(ranges: EntryCopy[]): BlockBuilder {
  ranges.sort((a, b) => compareEntries(a.block, 0, b.block, 0));
  const builder = new BlockBuilder(HEAD_BYTES, 1024);
  for (const { block } of ranges) {
    const end = block.keyEnd[0]!;
    builder.meet(block.keyBytes, block.keyView, 0, end);
    builder.add(
      block.keyBytes,
      block.keyView,
      0,
      end,
      block.seqHigh[0]!,
      block.seqLow[0]!,
      block.types[0]!,
      block.valueBytes,
      block.valueView,
      0,
      block.valueEnd[0]!,
      Number.NaN,
    );
  }
  return builder;
}
