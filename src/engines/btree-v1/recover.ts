/**
 * The log is applied: images of whole operations go to their places, in any order and as often as
 * crashes will have it; the file is synced, and only then is the log emptied. Since an image has no
 * checksum over its page number, the tree is checked first as it would be: where something is wrong
 * with that, nothing is written.
 */
import { join } from 'node:path';
import type { BtreeContext } from '../../formats/btree/model.ts';
import { checkFile } from '../../formats/btree/open.ts';
import type { V1File } from '../../formats/btree/v1/file.ts';
import { FILE_NAME, REDO_NAME } from '../../formats/btree/v1/layout.ts';
import { readRedo } from '../../formats/btree/v1/redo.ts';
import { type Disk, writeFully } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { saveTail } from '../torn-tail.ts';

/**
 * An operation that a crash cut short has one image of page 0 behind the damage at most: its own
 * last one. With more there was another operation behind it, which had been promised to last.
 */
const METAS_BEHIND_MAX = 1;

export async function applyLog(
  disk: Disk,
  directory: string,
  seen: V1File,
  context: BtreeContext,
  recovered: string[],
): Promise<void> {
  const size = disk.stat(join(directory, REDO_NAME))?.size ?? 0;
  if (size === 0) return;
  const { marked, end } = await lookAt(directory, context);
  const { overlay } = seen;
  if (overlay) {
    await checkResult(seen, context);
    writeImages(disk, directory, seen, marked);
    recovered.push(`${REDO_NAME} is applied: ${overlay.pages.length} pages`);
  }
  if (end < size) {
    // A crash while it was written, most likely; but nothing proves that.
    const saved = saveTail(disk, directory, REDO_NAME, end, size);
    recovered.push(`an operation in ${REDO_NAME} did not end: ${saved ?? 'it is zeros'}`);
  }
  const log = disk.open(join(directory, REDO_NAME), 'write');
  log.truncate(0);
  log.sync();
  log.close();
}

async function lookAt(directory: string, context: BtreeContext) {
  const source = context.set.open(REDO_NAME);
  try {
    const images = await readRedo(source, context, true);
    if (images.metasBehind > METAS_BEHIND_MAX) {
      const what = `${join(directory, REDO_NAME)} is damaged behind byte ${images.end}, and whole operations follow`;
      throw new DdiaError('corrupt', what, `ddia wal verify ${join(directory, REDO_NAME)}`);
    }
    return images;
  } finally {
    source.close?.();
  }
}

async function checkResult(seen: V1File, context: BtreeContext): Promise<void> {
  const first = await firstError(seen, context);
  if (first === undefined) return;
  const what = `${FILE_NAME} would not be whole with the images in ${REDO_NAME}: ${first}`;
  throw new DdiaError('corrupt', what, 'ddia btree fsck, then ddia btree repair PATH --out NEW');
}

/** What is wrong with the file, the first thing of all; undefined: it is whole. */
export async function firstError(file: V1File, context: BtreeContext): Promise<string | undefined> {
  let first: string | undefined;
  await checkFile(file, context, ({ severity, code, message }) => {
    if (severity === 'error') first ??= `${code}: ${message}`;
  });
  return first;
}

/** `marked`: the log knows the metadata, so that the file has the length that it says. */
function writeImages(disk: Disk, directory: string, seen: V1File, marked: boolean): void {
  const { overlay, pageSize, meta } = seen;
  const file = disk.open(join(directory, FILE_NAME), 'write');
  try {
    const image = new Uint8Array(pageSize);
    for (const page of overlay!.pages) {
      // Of an earlier operation, before the tree became smaller.
      if (page >= meta.nextFree) continue;
      overlay!.read(page, image);
      writeFully(file, image, 0, pageSize, page * pageSize);
    }
    if (marked) file.truncate(meta.nextFree * pageSize);
    file.sync();
  } finally {
    file.close();
  }
}
