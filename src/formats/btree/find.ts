/**
 * find: every page in which a key occurs, also those that no tree leads to: an older version of a
 * row may lie in a page that was freed and not yet written over.
 */
import { Turns } from '../../shared/turns.ts';
import type { BtreeContext, BtreeOpened, BtreeRow, Range } from './model.ts';
import { KIND_NAMES } from './model.ts';
import { checkFile, withFiles } from './open.ts';
import { keyText } from './print.ts';
import { boundsOf } from './range.ts';

export interface FoundRow {
  file: string;
  page: number;
  /** `leaf` of a tree, `free`, or `unknown`: a page that nobody owns. */
  kind: string;
  row: BtreeRow;
}

export async function findInPages(
  input: BtreeOpened,
  range: Range,
  context: BtreeContext,
  onFound: (found: FoundRow) => void,
): Promise<number> {
  const bounds = boundsOf(range);
  let found = 0;
  const turns = new Turns(context);
  await withFiles(input, context, async (file) => {
    const check = await checkFile(file, context, () => {});
    for (let page = file.firstPage; page < check.kinds.length; page++) {
      const kind = KIND_NAMES[check.kindOf(page)]!;
      file.loose(page, {
        row(row) {
          const key = keyText(row);
          if (bounds.from && Buffer.compare(key, bounds.from) < 0) return;
          if (bounds.to && Buffer.compare(key, bounds.to) >= 0) return;
          found++;
          onFound({ file: file.name, page, kind, row });
        },
        finding() {},
        done: () => false,
      });
      if (page % 16 === 0 && turns.due) await turns.take();
    }
  });
  return found;
}
