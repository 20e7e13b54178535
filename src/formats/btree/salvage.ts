/**
 * Salvage: every row that can be read, written to another format. For files of other software,
 * which are never edited: rows of the trees first, then those of leaves that no tree leads to any
 * more, marked as lost and found.
 */
import {
  DEFAULT_LIMITS,
  type RecordSink,
  type SalvageReport,
  type SalvageTarget,
} from '../format.ts';
import type { Check } from './check.ts';
import {
  type BtreeContext,
  type BtreeFile,
  type BtreeFinding,
  type BtreeOpened,
  type BtreeRow,
  KIND,
} from './model.ts';
import { checkFile, withFiles } from './open.ts';
import { OtherRows } from './other-tree.ts';
import { cellValue, printContent } from './print.ts';
import { SqliteFile } from './sqlite/file.ts';
import { salvageSql } from './sqlite/salvage-sql.ts';
import { run } from './steps.ts';
import { withWholePages } from './whole-pages.ts';

/** As hexadecimal digits it is still a string: the longest that there can be has 512 MiB. */
const RECORD_BYTES_MAX = 255 * 1024 * 1024;

/** The tree of rows that nobody leads to. */
export const LOST_AND_FOUND = 'lost_and_found';

export async function salvageTrees(
  input: BtreeOpened,
  given: BtreeContext,
  target: SalvageTarget,
): Promise<SalvageReport> {
  const context = withLongRecords(given);
  const report: SalvageReport = { rows: 0, trees: 0, orphans: 0, parts: 0, counts: {} };
  await withFiles(input, context, async (file) => {
    let doubts = 0;
    const tell = ({ code, severity }: BtreeFinding) => {
      if (severity !== 'info') report.counts[code] = (report.counts[code] ?? 0) + 1;
      if (severity !== 'info' || code === 'not-evaluated') doubts++;
    };
    // Of a file in which nothing is wrong, the tables of the new one take each row.
    const check = await checkFile(file, context, tell, { deep: target.to === 'sql' });
    if (!(file instanceof SqliteFile) || file.size % file.pageSize === 0) {
      await salvageFile(file, check, context, target, report, doubts === 0);
      return;
    }
    // What is left of a last page that was cut off holds rows too.
    const whole = withWholePages(input, file.pageSize);
    await withFiles(whole, context, async (file) => {
      const check = await checkFile(file, context, () => {});
      await salvageFile(file, check, context, target, report, false);
    });
  });
  return report;
}

/** Nothing is left out for its length, unless a limit was asked for. */
function withLongRecords(context: BtreeContext): BtreeContext {
  const { limits } = context;
  if (limits.recordBytes !== DEFAULT_LIMITS.recordBytes) return context;
  return { ...context, limits: { ...limits, recordBytes: RECORD_BYTES_MAX } };
}

async function salvageFile(
  file: BtreeFile,
  check: Check,
  context: BtreeContext,
  target: SalvageTarget,
  report: SalvageReport,
  healthy: boolean,
): Promise<void> {
  const lost: number[] = [];
  for (let page = file.firstPage; page < check.kinds.length; page++) {
    const kind = check.kindOf(page);
    const strayed = kind === KIND.overflow && file.isStray?.(page);
    if (kind === KIND.unknown || strayed) lost.push(page);
  }
  if (target.to === 'sql') {
    if (!(file instanceof SqliteFile)) throw new Error('only SQLite has a schema in SQL');
    await salvageSql(file, context, lost, target.text, report, healthy);
  } else if (target.to === 'v2') {
    const tell = (row: BtreeRow) => tellPair(row, target.pair);
    await salvageRows(file, check, context, lost, tell, report);
  } else {
    const { sink } = target;
    await salvageRows(file, check, context, lost, (row) => printPart(sink, row), report);
  }
}

function printPart(sink: RecordSink, row: BtreeRow): void {
  sink.begin();
  sink.text('tree', row.tree);
  printContent(sink, row);
  if (row.part) sink.flag('partial', true);
  sink.end();
}

async function salvageRows(
  file: BtreeFile,
  check: Check,
  context: BtreeContext,
  lost: readonly number[],
  tell: (row: BtreeRow) => void,
  report: SalvageReport,
): Promise<void> {
  const tree = file.other?.(check);
  const other = tree && new OtherRows(tree, check);
  if (other) await run(other.collect(), context, file);
  // Trees that lie in others are met with their rows.
  const names = new Set<string>();
  for (const tree of file.trees) {
    if (tree.secondary) continue;
    if (!file.namesWithin) names.add(tree.name);
    await run(
      file.rows(
        tree,
        {},
        {
          parts: true,
          row(row) {
            other?.meet(row, false);
            tell(row);
            names.add(row.tree);
            report.rows++;
            if (row.part) report.parts++;
          },
          finding() {},
          done: () => false,
        },
      ),
      context,
      file,
    );
  }
  report.trees += names.size;
  const orphan = (row: BtreeRow) => {
    const { tree } = row;
    row.tree = LOST_AND_FOUND;
    tell(row);
    row.tree = tree;
    report.orphans++;
    if (row.part) report.parts++;
  };
  for (const page of lost) {
    file.loose(page, {
      parts: true,
      row(row) {
        other?.meet(row, true);
        orphan(row);
      },
      finding() {},
      done: () => false,
    });
  }
  if (!other) return;
  const before = report.orphans;
  await run(other.left(orphan), context, file);
  const { conflicts } = other;
  if (conflicts + report.orphans > before) {
    report.other = { rows: report.orphans - before, conflicts };
  }
}

/**
 * A row as it stands in one tree of bytes: the name of its tree, a zero byte and the key; of SQLite
 * key and value are the JSON that a scan prints.
 */
function tellPair(row: BtreeRow, pair: (key: Uint8Array, value: Uint8Array) => void): void {
  const { cells, tree } = row;
  const name = Buffer.from(`${tree}\0`);
  if (cells) {
    const { key, value } = cells;
    const shown = Array.isArray(key) ? key.map((one) => cellValue(one)) : cellValue(key);
    const columns = JSON.stringify(value.map((one) => cellValue(one)));
    pair(Buffer.concat([name, Buffer.from(JSON.stringify(shown))]), Buffer.from(columns));
    return;
  }
  const key = row.bytes.subarray(row.keyStart, row.keyEnd);
  pair(Buffer.concat([name, key]), row.valueBytes.subarray(row.valueStart, row.valueEnd));
}
