/** dump of the family: every entry of every block, in file order, a line each. */
import { toHex } from '../../shared/hex.ts';
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, Finding, RecordSink, ScanContext } from '../format.ts';
import { compareBytes, type EntryBlock, typeName } from './entry-block.ts';
import { findingOf, type TableOpened } from './model.ts';
import { openSeekable } from './seekable.ts';

export async function dumpTables(
  input: TableOpened,
  options: DumpOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const { dialect } = input;
  const findings = new Findings(0);
  const result = { records: 0, bytes: 0 };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.skip ?? 0;
  let stopped = limit <= 0;
  const printer = new EntryPrinter(sink, dialect.hasSeq);
  const narrowed = options.from || options.to || options.prefix;

  for (const file of input.files) {
    if (stopped) break;
    const source = await openSeekable(input, file, context.limits);
    try {
      await dialect.scan(
        source,
        { ...context, depth: 'read' },
        {
          block(block) {
            if (stopped) return;
            printer.begin(block);
            result.bytes += block.length;
            for (let i = 0; i < block.count; i++) {
              if (narrowed && !inRange(block, i, options)) continue;
              if (skip > 0) {
                skip--;
                continue;
              }
              printer.entry(block, i);
              if (++result.records >= limit) {
                stopped = true;
                return;
              }
            }
          },
          damage(damage) {
            if (stopped) return;
            const finding = findingOf(damage);
            findings.add(finding);
            onDamage(finding);
            if (options.stopAtDamage) stopped = true;
          },
          done: () => stopped,
        },
      );
    } finally {
      source.close?.();
    }
  }
  return { ...result, damage: findings.total, verdict: findings.verdict };
}

/** Bounds compare keys as bytes, whatever the order of the table. */
export function inRange(block: EntryBlock, index: number, options: DumpOptions): boolean {
  const { from, to, prefix } = options;
  if (from && block.compareKey(index, from) < 0) return false;
  if (to && block.compareKey(index, to) >= 0) return false;
  if (!prefix) return true;
  const start = block.keyStart[index]!;
  const end = block.keyEnd[index]!;
  const { length } = prefix;
  return (
    end - start >= length &&
    compareBytes(block.keyBytes, start, start + length, prefix, 0, length) === 0
  );
}

/** Prints entries, the same fields for each of a table; of one block after another. */
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
