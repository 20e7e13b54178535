/** db salvage: what can be read of a database, as lines of JSON on stdout or in a new file. */

import type { Database } from '../formats/database/model.ts';
import { familyByName } from '../formats/database/open.ts';
import { type SalvagedFamily, salvageDatabase } from '../formats/database/salvage.ts';
import { Findings } from '../formats/findings.ts';
import type { Finding, ScanContext } from '../formats/format.ts';
import { EXIT } from '../shared/errors.ts';
import { count } from '../ui/count.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import type { Output } from '../ui/output.ts';
import type { DdiaCommand } from './base-command.ts';
import { openWriter, WriterOutput } from './salvage.ts';

const FORMATS = { key: 'auto', value: 'auto', redact: false } as const;

export interface SalvageGiven {
  family: string | undefined;
  out: string | undefined;
  force: boolean;
  findings: number;
}

/** Returns the exit code. */
export async function salvageGiven(
  command: DdiaCommand,
  database: Database,
  given: SalvageGiven,
  context: ScanContext,
): Promise<number> {
  const findings = new Findings(0);
  const report = new DamageReport(command.out, given.findings);
  const tell = (finding: Finding): void => {
    findings.add(finding);
    report.tell(finding);
  };
  const only = given.family === undefined ? undefined : familyByName(database, given.family);
  const run = async (output: Output): Promise<SalvagedFamily[]> => {
    const sink = new JsonSink(output, FORMATS);
    const families = await salvageDatabase(database, only, context, sink, tell);
    output.flush();
    return families;
  };
  let families: SalvagedFamily[];
  if (given.out === undefined) families = await run(command.out);
  else {
    const writer = openWriter(given.out, given.force);
    try {
      families = await run(new WriterOutput(writer));
      writer.finish();
    } finally {
      writer.abort();
    }
  }
  for (const { name, keys, operands, blobs } of families) {
    const more = [
      ...(operands > 0 ? [`${operands} merge operands left as they are`] : []),
      ...(blobs > 0 ? [`${blobs} values in blob files`] : []),
    ];
    process.stderr.write(`${[`${name}: ${count(keys, 'key')}`, ...more].join(', ')}\n`);
  }
  return findings.verdict === 'damaged' ? EXIT.damage : EXIT.ok;
}
