/**
 * Salvage: every row that can be read, written to another format. For files of other software,
 * which are never edited: rows of the trees first, then those of leaves that no tree leads to any
 * more, marked as lost and found.
 */
import type { RecordSink, SalvageReport, SalvageTarget } from '../format.ts';
import { type BtreeContext, type BtreeFile, type BtreeOpened, KIND } from './model.ts';
import { checkFile, withFiles } from './open.ts';
import { printWithTree } from './print.ts';
import { SqliteFile } from './sqlite/file.ts';
import { salvageSql } from './sqlite/salvage-sql.ts';
import { run } from './steps.ts';

/** The tree of rows that nobody leads to. */
export const LOST_AND_FOUND = 'lost_and_found';

export async function salvageTrees(
  input: BtreeOpened,
  context: BtreeContext,
  target: SalvageTarget,
): Promise<SalvageReport> {
  const report: SalvageReport = { rows: 0, trees: 0, orphans: 0, counts: {} };
  await withFiles(input, context, async (file) => {
    const check = await checkFile(file, context, ({ code, severity }) => {
      if (severity !== 'info') report.counts[code] = (report.counts[code] ?? 0) + 1;
    });
    const lost: number[] = [];
    for (let page = file.firstPage; page < check.kinds.length; page++) {
      if (check.kindOf(page) === KIND.unknown) lost.push(page);
    }
    if (target.to === 'sql') {
      if (!(file instanceof SqliteFile)) throw new Error('only SQLite has a schema in SQL');
      await salvageSql(file, context, lost, target.text, report);
    } else await salvageLines(file, context, lost, target.sink, report);
  });
  return report;
}

async function salvageLines(
  file: BtreeFile,
  context: BtreeContext,
  lost: readonly number[],
  sink: RecordSink,
  report: SalvageReport,
): Promise<void> {
  for (const tree of file.trees) {
    if (tree.secondary) continue;
    report.trees++;
    await run(
      file.rows(
        tree,
        {},
        {
          row(row) {
            printWithTree(sink, row);
            report.rows++;
          },
          finding() {},
          done: () => false,
        },
      ),
      context,
      file,
    );
  }
  for (const page of lost) {
    file.loose(page, {
      row(row) {
        row.tree = LOST_AND_FOUND;
        printWithTree(sink, row);
        report.orphans++;
      },
      finding() {},
      done: () => false,
    });
  }
}
