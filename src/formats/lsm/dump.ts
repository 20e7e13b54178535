/**
 * dump of a store of ours: every entry of tables and log by key, the newest of a key first, with
 * the file that has it. Range deletions come before all others.
 */
import { turn } from '../../shared/turns.ts';
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, Finding, RecordSink, ScanContext } from '../format.ts';
import { type EntryBlock, typeName } from '../sstable/entry-block.ts';
import { type KeyRange, narrower, prefixRange } from '../sstable/range.ts';
import { once } from './live.ts';
import type { Database } from './model.ts';
import type { DeletedRange } from './range-cover.ts';
import { walkFamily } from './walk.ts';

const BREATH_MASK = 0xffff;

export function rangeOf({ from, to, prefix }: DumpOptions): KeyRange {
  const given = { from, to };
  return prefix ? narrower(given, prefixRange(prefix)) : given;
}

export async function dumpStore(
  database: Database,
  options: DumpOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const findings = new Findings(0);
  let stopped = false;
  const tell = once((finding) => {
    if (stopped) return;
    findings.add(finding);
    onDamage(finding);
    stopped = options.stopAtDamage === true;
  });
  for (const finding of database.findings) tell(finding);
  const range = rangeOf(options);
  const family = database.version.families.get(0)!;
  const walk = { range, reverse: false, context, tell };
  const { merge, cover } = await walkFamily(database, family, walk);
  const printer = new StorePrinter(sink, options);
  try {
    for (const one of cover.ranges) if (!stopped && meets(one, range)) printer.range(one);
    for (let n = 1; !stopped && !printer.done; n++) {
      const cursor = merge.ready() ?? (await merge.next());
      if (!cursor || stopped) break;
      printer.entry(cursor.block, cursor.index, cursor.level);
      if ((n & BREATH_MASK) !== 0) continue;
      await turn(context);
    }
  } finally {
    merge.close();
  }
  const { records, bytes } = printer;
  return { records, bytes, damage: findings.total, verdict: findings.verdict };
}

/** Whether keys of both are the same. */
function meets({ begin, end }: DeletedRange, { from, to }: KeyRange): boolean {
  if (to && Buffer.compare(begin, to) >= 0) return false;
  return !from || Buffer.compare(from, end) < 0;
}

class StorePrinter {
  records = 0;
  bytes = 0;
  #skip: number;
  readonly #limit: number;

  constructor(
    readonly sink: RecordSink,
    options: DumpOptions,
  ) {
    this.#skip = options.skip ?? 0;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
  }

  get done(): boolean {
    return this.records >= this.#limit;
  }

  #begins(bytes: number): boolean {
    if (this.done) return false;
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    this.records++;
    this.bytes += bytes;
    this.sink.begin();
    return true;
  }

  entry(block: EntryBlock, i: number, level: number): void {
    const { sink } = this;
    const [keyStart, keyEnd] = [block.keyStart[i]!, block.keyEnd[i]!];
    const [start, end] = [block.valueStart[i]!, block.valueEnd[i]!];
    if (!this.#begins(keyEnd - keyStart + (start < 0 ? 0 : end - start))) return;
    const inTable = level >= 0;
    sink.text('file', block.file);
    if (inTable) {
      sink.integer('offset', block.offset);
      sink.integer('length', block.length);
      sink.integer('level', level);
    }
    sink.integer64('seq', block.seqHigh[i]!, block.seqLow[i]!);
    sink.word('op', typeName(block.types[i]!));
    sink.bytes('key', 'key', block.keyBytes, keyStart, keyEnd);
    if (start >= 0) sink.bytes('value', 'value', block.valueBytes, start, end);
    sink.end();
  }

  range({ begin, end, seq, file }: DeletedRange): void {
    const { sink } = this;
    if (!this.#begins(begin.length + end.length)) return;
    sink.text('file', file);
    sink.integer64('seq', Number(seq >> 32n), Number(seq & 0xffff_ffffn));
    sink.word('op', 'delete-range');
    sink.bytes('key', 'key', begin, 0, begin.length);
    sink.bytes('value', 'value', end, 0, end.length);
    sink.end();
  }
}
