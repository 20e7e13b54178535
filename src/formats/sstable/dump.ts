/** dump of the family: every entry of every block, in file order, a line each. */
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, Finding, RecordSink, ScanContext } from '../format.ts';
import { compareBytes, type EntryBlock } from './entry-block.ts';
import { EntryPrinter } from './entry-printer.ts';
import { findingOf, type TableOpened } from './model.ts';
import { openSeekable } from './seekable.ts';
import { FirstOfTwo, partOfDump } from './turns.ts';

export async function dumpTables(
  input: TableOpened,
  options: DumpOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
  choose = partOfDump,
): Promise<DumpResult> {
  const { dialect } = input;
  const findings = new Findings(0);
  const result = { records: 0, bytes: 0 };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.skip ?? 0;
  let stopped = limit <= 0;
  const printer = new EntryPrinter(sink, dialect.hasSeq);
  const narrowed = options.from || options.to || options.prefix;

  for (const [index, file] of input.files.entries()) {
    if (stopped) break;
    const source = await openSeekable(input, file, context.limits);
    const all = !narrowed && skip === 0 && options.limit === undefined;
    const shared = all && dialect.readsParts && sink.printed !== undefined;
    const part = shared ? choose(index, source.size ?? 0) : undefined;
    const printing = part && context.printing?.(part);
    const turns =
      printing &&
      new FirstOfTwo(part.stretchBytes, printing, ({ records, bytes, text }) => {
        sink.printed?.(text);
        result.records += records;
        result.bytes += bytes;
      });
    try {
      await dialect.scan(
        source,
        { ...context, depth: 'read', ...(turns && { turns }) },
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
      printing?.stop();
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
