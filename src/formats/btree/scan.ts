/** Rows of the trees of a file, in key order, as dump and scan print them. */
import { Findings } from '../findings.ts';
import type { DumpOptions, DumpResult, Finding, RecordSink } from '../format.ts';
import {
  type BtreeContext,
  type BtreeOpened,
  type BtreeRow,
  hasOneTree,
  type RowPrinter,
  type TreeInfo,
} from './model.ts';
import { treeNamed, withFiles } from './open.ts';
import { printPlace, printRow } from './print.ts';
import { run } from './steps.ts';

export interface ScanOptions extends DumpOptions {
  /** This tree alone. */
  readonly tree?: string | undefined;
  readonly print?: RowPrinter | undefined;
}

export async function scanTrees(
  input: BtreeOpened,
  options: ScanOptions,
  context: BtreeContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const findings = new Findings(0);
  const result = { records: 0, bytes: 0 };
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.skip ?? 0;
  let stopped = limit <= 0;
  const print = options.print ?? printRow;
  let name = '';
  const lost = new Set<string>();
  const visitor = {
    row(row: BtreeRow) {
      if (skip > 0) {
        skip--;
        return;
      }
      row.file = name;
      print(sink, row);
      result.records++;
      result.bytes += row.length;
      if (result.records >= limit) stopped = true;
    },
    finding(finding: Finding) {
      // The page with the roots of all trees is that of a tree itself, and may be met once more.
      if (stopped || lost.has(textOf(finding))) return;
      findings.add(finding);
      if (finding.severity !== 'info') onDamage(finding);
      if (options.stopAtDamage && finding.severity === 'error') stopped = true;
    },
    done: () => stopped,
  };
  await withFiles(input, context, async (file) => {
    name = file.name;
    for (const note of file.notes) visitor.finding(note);
    file.lost?.((finding) => {
      visitor.finding(finding);
      lost.add(textOf(finding));
    });
    for (const tree of chosen(options.tree, file)) {
      if (stopped) return;
      await run(file.rows(tree, options, visitor), context, file);
    }
  });
  return { ...result, damage: findings.total, verdict: findings.verdict };
}

function textOf({ code, offset, message }: Finding): string {
  return `${code} ${offset} ${message}`;
}

function chosen(name: string | undefined, file: Parameters<typeof treeNamed>[0]): TreeInfo[] {
  return name === undefined
    ? file.trees.filter(({ secondary }) => !secondary)
    : [treeNamed(file, name)];
}

/** The family's dump: rows with the place of each. */
export function dumpTrees(
  input: BtreeOpened,
  options: DumpOptions,
  context: BtreeContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const several = !hasOneTree(input.dialect);
  const print: RowPrinter = (to, row) => printPlace(to, row, several);
  return scanTrees(input, { ...options, print }, context, sink, onDamage);
}
