/** lsm scan and get: the live content of a store, or of one column family of it. */

import { Findings } from '../formats/findings.ts';
import type { Finding, ScanContext } from '../formats/format.ts';
import { type LiveCounts, type LiveOptions, liveContent } from '../formats/lsm/live.ts';
import type { ColumnFamily, Database } from '../formats/lsm/model.ts';
import { noticesOf, printLive } from '../formats/lsm/print.ts';
import { TYPE } from '../formats/sstable/entry-block.ts';
import { type BytesFormats, textBytes } from '../ui/bytes-format.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { DdiaCommand } from './base-command.ts';
import { EXIT_BY_VERDICT } from './verify-command.ts';

export interface Shown {
  json: boolean;
  formats: BytesFormats;
  findings: number;
  /** To people, of a plain value the bytes alone. */
  valueAlone?: boolean;
}

export interface Printed extends LiveCounts {
  exit: number;
}

export async function printContent(
  command: DdiaCommand,
  database: Database,
  family: ColumnFamily,
  options: LiveOptions,
  context: ScanContext,
  { json, formats, findings: most, valueAlone = false }: Shown,
): Promise<Printed> {
  const { out } = command;
  const sink = json ? new JsonSink(out, formats) : new TextSink(out, formats);
  const findings = new Findings(0);
  const report = new DamageReport(out, most);
  const tell = (finding: Finding): void => {
    findings.add(finding);
    report.tell(finding);
  };
  for (const finding of database.findings) tell(finding);
  const visit = (block: Parameters<typeof printLive>[1], index: number): void => {
    const value = block.value(index);
    if (!valueAlone || json || block.types[index] !== TYPE.put || !value) {
      printLive(sink, block, index);
      return;
    }
    if (formats.value === 'auto' && !formats.redact) out.raw(value, 0, value.length);
    else out.text(textBytes(value, formats.value, formats.redact));
    out.text('\n');
  };
  const counts = await liveContent(database, family, options, context, visit, tell);
  out.flush();
  for (const notice of noticesOf(counts)) process.stderr.write(`${notice}\n`);
  return { ...counts, exit: EXIT_BY_VERDICT[findings.verdict] };
}
