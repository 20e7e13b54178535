/** Entries as records, the same fields for each of a table. */
import { toHex } from '../../shared/hex.ts';
import type { RecordSink } from '../format.ts';
import { type EntryBlock, typeName } from './entry-block.ts';

/** Prints entries of one block after another. */
export class EntryPrinter {
  constructor(
    readonly sink: RecordSink,
    readonly hasSeq: boolean,
  ) {}

  #name = 'put';
  #type = 1;
  /** The block whose fields the sink has kept. */
  #file: string | undefined;
  #number = 0;
  #offset = 0;

  begin(block: EntryBlock): void {
    if (block.count === 0) return;
    this.#type = block.types[0]!;
    this.#name = typeName(this.#type);
  }

  /** The fields that entries of one block have in common, where they have no place of their own. */
  #beginning(block: EntryBlock, i: number): void {
    const { sink } = this;
    const { offsets } = block;
    sink.begin();
    sink.text('file', block.file);
    sink.integer('offset', offsets ? offsets[i]! : block.offset);
    sink.integer('length', offsets ? block.lengths![i]! : block.length);
    sink.integer('block', block.number);
    const kept = !offsets && sink.keep?.() === true;
    this.#file = kept ? block.file : undefined;
    this.#number = block.number;
    this.#offset = block.offset;
  }

  entry(block: EntryBlock, i: number): void {
    const { sink } = this;
    const type = block.types[i]!;
    if (type !== this.#type) {
      this.#type = type;
      this.#name = typeName(type);
    }
    if (block.number === this.#number && block.offset === this.#offset && block.file === this.#file)
      sink.beginKept!();
    else this.#beginning(block, i);
    if (this.hasSeq) sink.integer64('seq', block.seqHigh[i]!, block.seqLow[i]!);
    sink.word('op', this.#name);
    if (block.timestamps) printTimestamp(sink, block.timestamps[i]!);
    sink.bytes('key', 'key', block.keyBytes, block.keyStart[i]!, block.keyEnd[i]!);
    const start = block.valueStart[i]!;
    if (start >= 0) sink.bytes('value', 'value', block.valueBytes, start, block.valueEnd[i]!);
    sink.end();
  }
}

/** Numbers that JSON has no word for stand as their eight bytes. */
function printTimestamp(sink: RecordSink, timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0 && !Object.is(timestamp, -0)) {
    sink.integer('timestamp', timestamp);
  } else if (Number.isFinite(timestamp)) sink.json('timestamp', timestamp);
  else sink.json('timestamp', { hex: timestampHex(timestamp) });
}

function timestampHex(timestamp: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, timestamp);
  return toHex(bytes);
}
