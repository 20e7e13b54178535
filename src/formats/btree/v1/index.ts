/** The textbook B+tree: btree.db, with its redo log btree.wal beside it. See FORMAT.md. */
import { usageError } from '../../../shared/errors.ts';
import {
  type ByteSource,
  type Detection,
  NOT_THIS,
  PROBE_HEAD_BYTES,
  type Probe,
} from '../../format.ts';
import { finding } from '../check.ts';
import type { BtreeContext, BtreeDialect, BtreeOpened } from '../model.ts';
import { readSync } from '../page-cache.ts';
import { V1File } from './file.ts';
import { FILE_NAME, PAGE_SIZES, REDO_NAME } from './layout.ts';
import { bestPageSize, isSure, scoreOf } from './page-size.ts';
import { listOfPages, type RedoImages, redoImages } from './redo.ts';

export const v1: BtreeDialect = {
  id: 'v1',
  family: 'btree',
  title: 'textbook B+tree: metadata, leaves, internal pages, free list; no checksums',
  source: 'FORMAT.md',
  unchecked: [
    'no page checksum: a byte of a value that changed leaves no trace',
    'the page size is not stored: it is the one under which the file checks out (--page-size)',
    'metadata is not logged by every writer: key count and free list may lag behind after a crash',
    'a page that was never written cannot be told from one that was freed, but by the walk',
  ],
  fileName: /^btree\.db$/,
  fileNames: [FILE_NAME],
  salvageOnly: false,
  lockFile: 'LOCK',
  beside: [REDO_NAME],
  detect,
  open,
};

/** The least that makes a file likely to be one: lengths, or zeros, and a root that fits. */
const LIKELY_SCORE = 7;

function detect({ head, size, name }: Probe): Detection {
  if (size === undefined || size < 2 * PAGE_SIZES[0]) return NOT_THIS;
  const sure = PAGE_SIZES.find((pageSize) => isSure(head, size, pageSize));
  if (sure !== undefined) {
    const reason = `metadata, root and length agree for pages of ${sure} bytes`;
    return { confidence: 'certain', reason };
  }
  const best = Math.max(...PAGE_SIZES.map((pageSize) => scoreOf(head, size, pageSize)));
  if (name === FILE_NAME) {
    return { confidence: 'likely', reason: `named like a textbook B+tree (${FILE_NAME})` };
  }
  return best >= LIKELY_SCORE
    ? { confidence: 'likely', reason: 'the first page may be the metadata of a B+tree' }
    : NOT_THIS;
}

async function open(
  _input: BtreeOpened,
  source: ByteSource,
  context: BtreeContext,
): Promise<V1File> {
  const head = new Uint8Array(Math.min(PROBE_HEAD_BYTES, source.size ?? 0));
  readSync(source, head, head.length, 0);
  const alone = context.options?.['alone'] === true;
  const redo = alone ? undefined : await redoImages(source.name, context);
  const stated = context.options?.['page-size'];
  if (stated !== undefined && !PAGE_SIZES.includes(stated as 512)) {
    throw usageError('bad-page-size', `no page size: ${stated}`, `known: ${PAGE_SIZES.join(', ')}`);
  }
  const known = redo && redo.pages.length > 0 ? redo.pageSize : undefined;
  const pageSize = (stated as number | undefined) ?? known ?? bestPageSize(head, source);
  const overlay = known === pageSize ? redo : undefined;
  const file = new V1File(source, pageSize, overlay);
  if (redo) tellOf(redo, file);
  if (!overlay && redo) {
    file.unseenLog = redo.source.size ?? 0;
    redo.source.close?.();
  }
  return file;
}

/** What is seen of the log, and what is not. */
function tellOf(redo: RedoImages, file: V1File): void {
  const severity = 'info';
  if (file.overlay) {
    const { pages } = redo;
    const what = `${REDO_NAME} holds images of ${pages.length} pages: ${listOfPages(pages)}`;
    file.notes.push(
      finding(file, 'log-applied', `${what}; they are seen in place of the pages`, { severity }),
    );
  }
  const rest = (redo.source.size ?? 0) - redo.end;
  if (rest <= 0) return;
  const what = `${rest} bytes of ${REDO_NAME} from ${redo.end} on are not seen`;
  const why = 'damage, or an operation that did not end';
  file.notes.push(finding(file, 'log-unfinished', `${what}: ${why}`, { severity }));
}
