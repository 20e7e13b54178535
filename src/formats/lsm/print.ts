/** Live entries as lines: key and value, and what the value is where that is no plain one. */
import type { RecordSink } from '../format.ts';
import { type EntryBlock, TYPE, typeName } from '../sstable/entry-block.ts';
import type { LiveCounts } from './live.ts';

/** `family`: told too, where lines of several column families follow one another. */
export function printLive(
  sink: RecordSink,
  block: EntryBlock,
  index: number,
  family?: string,
  seq = false,
): void {
  sink.begin();
  if (family !== undefined) sink.text('columnFamily', family);
  if (seq) sink.integer64('seq', block.seqHigh[index]!, block.seqLow[index]!);
  const type = block.types[index]!;
  if (type !== TYPE.put) sink.word('op', typeName(type));
  sink.bytes('key', 'key', block.keyBytes, block.keyStart[index]!, block.keyEnd[index]!);
  const start = block.valueStart[index]!;
  if (start >= 0) sink.bytes('value', 'value', block.valueBytes, start, block.valueEnd[index]!);
  sink.end();
}

/** What a reader of the lines has to know. */
export function noticesOf({ operands, blobs }: LiveCounts): string[] {
  const notices: string[] = [];
  if (operands > 0) {
    notices.push(
      `${operands} merge operands, left as they are, the newest first: ` +
        'how they combine is the writer’s',
    );
  }
  if (blobs > 0) notices.push(`${blobs} values lie in blob files: their entries say where`);
  return notices;
}
