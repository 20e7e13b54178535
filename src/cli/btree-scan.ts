/** btree scan, get and find: rows on stdout, damage on stderr. Each returns the exit code. */

import { findInPages } from '../formats/btree/find.ts';
import { hasOneTree } from '../formats/btree/model.ts';
import { printColumns, printContent, printRow, printWithTree } from '../formats/btree/print.ts';
import { scanTrees } from '../formats/btree/scan.ts';
import type { RecordSink } from '../formats/format.ts';
import { EXIT } from '../shared/errors.ts';
import type { BytesFormat } from '../ui/bytes-format.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { JsonSink } from '../ui/json-sink.ts';
import type { Output } from '../ui/output.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { BtreeInput } from './btree-command.ts';
import { parseBytes } from './bytes-argument.ts';
import { bytesFormatsOf } from './dump-command.ts';
import { rangeOf } from './find-key.ts';
import { EXIT_BY_VERDICT } from './verify-command.ts';

interface ShowFlags {
  json: boolean;
  'key-format': BytesFormat;
  'value-format': BytesFormat;
  redact: boolean;
}

function sinkOf(out: Output, flags: ShowFlags): RecordSink {
  const formats = bytesFormatsOf(flags);
  return flags.json ? new JsonSink(out, formats) : new TextSink(out, formats);
}

function bound(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : parseBytes(text);
}

export interface ScanFlags extends ShowFlags {
  tree?: string | undefined;
  columns: boolean;
  from?: string | undefined;
  to?: string | undefined;
  prefix?: string | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
  'stop-at-damage': boolean;
  summary: boolean;
  'max-findings': number;
}

export async function scanBtree(
  out: Output,
  { input, context, end }: BtreeInput,
  flags: ScanFlags,
): Promise<number> {
  const named = flags.tree !== undefined || hasOneTree(input.dialect);
  const print = flags.columns ? printColumns : named ? printRow : printWithTree;
  const damage = new DamageReport(out, flags['max-findings']);
  const result = await scanTrees(
    input,
    {
      tree: flags.tree,
      from: bound(flags.from),
      to: bound(flags.to),
      prefix: bound(flags.prefix),
      skip: flags.offset,
      limit: flags.limit,
      stopAtDamage: flags['stop-at-damage'],
      print,
    },
    context,
    sinkOf(out, flags),
    (finding) => damage.tell(finding, ''),
  );
  end();
  if (flags.summary) {
    const { records, bytes, damage } = result;
    out.text(`${JSON.stringify({ summary: { records, bytes, damage } })}\n`);
  }
  out.flush();
  return EXIT_BY_VERDICT[result.verdict];
}

export async function getKey(
  out: Output,
  { input, context, end }: BtreeInput,
  key: string,
  flags: ShowFlags & { tree?: string | undefined },
): Promise<number> {
  const damage = new DamageReport(out, context.limits.findings);
  const print = flags.tree === undefined && !hasOneTree(input.dialect) ? printWithTree : printRow;
  const result = await scanTrees(
    input,
    { ...rangeOf(parseBytes(key), false), tree: flags.tree, print },
    context,
    sinkOf(out, flags),
    (finding) => damage.tell(finding, ''),
  );
  end();
  out.flush();
  if (result.records > 0) return EXIT.ok;
  process.stderr.write(`${input.set.path}: no key ${JSON.stringify(key)}\n`);
  return EXIT.damage;
}

export async function findRows(
  out: Output,
  { input, context, end }: BtreeInput,
  key: string,
  flags: ShowFlags & { prefix: boolean },
): Promise<number> {
  const sink = sinkOf(out, flags);
  const range = rangeOf(parseBytes(key), flags.prefix);
  const found = await findInPages(input, range, context, ({ file, page, kind, row }) => {
    sink.begin();
    sink.text('file', file);
    sink.integer('offset', row.offset);
    sink.integer('page', page);
    sink.word('kind', kind);
    if (row.tree !== '' && !hasOneTree(input.dialect)) sink.text('tree', row.tree);
    printContent(sink, row);
    sink.end();
  });
  end();
  out.flush();
  if (found > 0) return EXIT.ok;
  process.stderr.write(`${input.set.path}: no key ${JSON.stringify(key)}\n`);
  return EXIT.damage;
}
