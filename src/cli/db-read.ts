/** db scan and get: the live content of one column family. */

import { type LiveCounts, type LiveOptions, liveContent } from '../formats/database/live.ts';
import type { Database } from '../formats/database/model.ts';
import { familyByName } from '../formats/database/open.ts';
import { noticesOf, printLive } from '../formats/database/print.ts';
import { Findings } from '../formats/findings.ts';
import type { Finding, ScanContext } from '../formats/format.ts';
import type { BytesFormats } from '../ui/bytes-format.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { DdiaCommand } from './base-command.ts';
import { EXIT_BY_VERDICT } from './verify-command.ts';

export interface Shown {
  json: boolean;
  formats: BytesFormats;
  findings: number;
}

export interface Printed extends LiveCounts {
  exit: number;
}

export async function printContent(
  command: DdiaCommand,
  database: Database,
  family: string,
  options: LiveOptions,
  context: ScanContext,
  { json, formats, findings: most }: Shown,
): Promise<Printed> {
  const { out } = command;
  const sink = json ? new JsonSink(out, formats) : new TextSink(out, formats);
  const findings = new Findings(0);
  const report = new DamageReport(out, most);
  const tell = (finding: Finding): void => {
    findings.add(finding);
    report.tell(finding);
  };
  const one = familyByName(database, family);
  for (const finding of database.findings) tell(finding);
  const visit = (block: Parameters<typeof printLive>[1], index: number): void =>
    printLive(sink, block, index);
  const counts = await liveContent(database, one, options, context, visit, tell);
  out.flush();
  for (const notice of noticesOf(counts)) process.stderr.write(`${notice}\n`);
  return { ...counts, exit: EXIT_BY_VERDICT[findings.verdict] };
}
