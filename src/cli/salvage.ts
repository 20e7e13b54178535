/** Rows of another program's file, written to a file of their own. The original is read only. */
import type { Identified } from '../formats/detect.ts';
import type { SalvageReport, SalvageTarget, ScanContext } from '../formats/format.ts';
import { DurableWriter } from '../io/durable.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseSource } from '../io/same-place.ts';
import { fromSystemError, usageError } from '../shared/errors.ts';
import { count } from '../ui/count.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { Output } from '../ui/output.ts';

export interface SalvageFlags {
  out?: string | undefined;
  to?: SalvageTarget['to'] | undefined;
  force: boolean;
  'in-place': boolean;
  plan?: string | undefined;
  'dry-run': boolean;
}

export interface SalvageAnswer extends SalvageReport {
  path: string;
  dialect: string;
  out: string;
  to: SalvageTarget['to'];
  damaged: boolean;
  text: string;
}

const FORMATS = { key: 'auto', value: 'auto', redact: false } as const;

export async function salvageFile(
  input: Identified,
  formats: readonly SalvageTarget['to'][],
  flags: SalvageFlags,
  context: ScanContext,
): Promise<SalvageAnswer> {
  const { set, dialect } = input;
  const to = flags.to ?? formats[0]!;
  const what = `${set.path}: a ${dialect.id} file is not edited`;
  if (!formats.includes(to)) {
    throw usageError('usage', `${dialect.id} has no ${to}`, `known: ${formats.join(', ')}`);
  }
  if (flags['in-place'] || flags.plan !== undefined || flags['dry-run']) {
    const hint = `its rows go to another place: --out OUT --to ${formats.join('|')}`;
    throw usageError('usage', what, hint);
  }
  if (flags.out === undefined) {
    throw usageError('usage', 'where to? --out FILE', `${what}: its rows are written there`);
  }
  refuseSource(flags.out, set.path);
  const { out, force } = flags;
  let report: SalvageReport;
  if (to === 'v2') {
    const { salvageIntoStore } = await import('./salvage-store.ts');
    report = await salvageIntoStore(input, out, force, context);
  } else report = await salvageIntoFile(input, to, out, force, context);
  const damaged = Object.keys(report.counts).length > 0;
  const answer = { path: set.path, dialect: dialect.id, out, to, damaged, ...report };
  return { ...answer, text: textOf(answer) };
}

async function salvageIntoFile(
  input: Identified,
  to: 'ndjson' | 'sql',
  out: string,
  force: boolean,
  context: ScanContext,
): Promise<SalvageReport> {
  const writer = openWriter(out, force);
  try {
    const output = new WriterOutput(writer);
    const target: SalvageTarget =
      to === 'sql'
        ? { to, text: (text) => output.text(text) }
        : { to, sink: new JsonSink(output, FORMATS) };
    const report = await input.family.salvage!(input, context, target);
    output.flush();
    writer.finish();
    return report;
  } finally {
    writer.abort();
  }
}

export function openWriter(path: string, overwrite: boolean): DurableWriter {
  try {
    return DurableWriter.create(new RealDisk(), path, { overwrite });
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

/** Output that goes to the file that is being written. */
export class WriterOutput extends Output {
  constructor(readonly writer: DurableWriter) {
    super(-1);
  }

  override put(bytes: Uint8Array, end: number): void {
    this.writer.append(bytes, 0, end);
  }
}

function textOf(answer: Omit<SalvageAnswer, 'text'>): string {
  const { path, dialect, out, to, rows, trees, orphans, parts, other, counts } = answer;
  const lines = [
    `${path} → ${out} (btree ${dialect}, ${to})`,
    `  ${count(rows, 'row')} of ${count(trees, 'tree')}, ${count(orphans, 'row')} lost and found`,
  ];
  if (parts > 0) lines.push(`  ${parts} of them in part: what cannot be read is cut off, or null`);
  if (other) {
    const { rows: own, conflicts } = other;
    const left = `${own} of them from the tree of the other meta page`;
    lines.push(`  ${left}, which has ${count(conflicts, 'row')} more that are newer elsewhere`);
  }
  const found = Object.entries(counts).map(([code, many]) => `${many} ${code}`);
  if (found.length > 0) lines.push(`  the file is damaged: ${found.join(', ')}`);
  lines.push('next');
  const next = {
    ndjson: `look at the rows: head ${out}`,
    sql: `build the database anew: sqlite3 NEW.db < ${out}`,
    v2: `look at the rows: ddia btree scan ${out}`,
  };
  lines.push(`  ${next[to]}`);
  return lines.join('\n');
}
