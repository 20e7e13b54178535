/** The live content of a store of ours, as the families of stores tell it. */
import { Findings } from '../findings.ts';
import type { ContentOptions, DumpResult, Finding, RecordSink, ScanContext } from '../format.ts';
import type { EntryBlock } from '../sstable/entry-block.ts';
import { rangeOf } from './dump.ts';
import { liveContent } from './live.ts';
import type { Database } from './model.ts';

export async function storeContent(
  database: Database,
  options: ContentOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const findings = new Findings(0);
  const tell = (finding: Finding): void => {
    findings.add(finding);
    onDamage(finding);
  };
  for (const finding of database.findings) tell(finding);
  const { reverse, skip, limit, places, keysOnly } = options;
  const visit = (block: EntryBlock, i: number): void => {
    sink.begin();
    if (places) {
      sink.text('file', block.file);
      sink.integer('offset', block.offset);
      sink.integer('length', block.length);
    }
    sink.bytes('key', 'key', block.keyBytes, block.keyStart[i]!, block.keyEnd[i]!);
    const start = block.valueStart[i]!;
    if (!keysOnly && start >= 0) {
      sink.bytes('value', 'value', block.valueBytes, start, block.valueEnd[i]!);
    }
    sink.end();
  };
  const family = database.version.families.get(0)!;
  const asked = { range: rangeOf(options), reverse, skip, limit };
  const { keys, bytes } = await liveContent(database, family, asked, context, visit, tell);
  return { records: keys, bytes, damage: findings.total, verdict: findings.verdict };
}
