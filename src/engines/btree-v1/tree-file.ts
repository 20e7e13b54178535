/** The file of a store: made, opened, brought up to date from its log, written anew. */
import { join } from 'node:path';
import {
  bulkLoad,
  type Entry,
  type LoadShape,
  TreeBuilder,
} from '../../formats/btree/v1/bulk-load.ts';
import type { V1File } from '../../formats/btree/v1/file.ts';
import { v1 } from '../../formats/btree/v1/index.ts';
import {
  FILE_NAME,
  HEIGHT_MAX,
  PAGE_BYTES_DEFAULT,
  REDO_NAME,
} from '../../formats/btree/v1/layout.ts';
import { metaPage, type V1Meta } from '../../formats/btree/v1/meta.ts';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { Disk } from '../../io/disk.ts';
import { diskSet } from '../../io/disk-set.ts';
import { DurableWriter, isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { ResolvedV1Options } from './options.ts';
import { Pager } from './pager.ts';
import { applyLog, firstError } from './recover.ts';
import { RedoLog } from './redo-log.ts';

export function createFile(disk: Disk, directory: string, pageSize = PAGE_BYTES_DEFAULT): void {
  if (disk.stat(join(directory, REDO_NAME))?.size) {
    const what = `${directory} has ${REDO_NAME}, a log with something in it, and no ${FILE_NAME}`;
    throw new DdiaError('corrupt', what, 'ddia wal dump shows what is in it; move it away');
  }
  const pages: Uint8Array[] = [];
  bulkLoad(
    pageSize,
    () => [],
    (page) => pages.push(page.slice()),
  );
  replaceFile(disk, join(directory, FILE_NAME), Buffer.concat(pages));
}

/** What a crash left of files that never got their name. Only under the lock. */
export function removeLeftovers(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (isTemporaryName(name) && name.startsWith(`.${FILE_NAME}.`)) {
      disk.remove(join(directory, name));
    }
  }
}

/** Opens the file to be written, once its log has been applied. */
export async function openFile(
  disk: Disk,
  directory: string,
  options: ResolvedV1Options,
  recovered: string[],
): Promise<Pager> {
  const { pageSize: stated, cacheBytes } = options;
  const { seen, context } = await openAsReader(disk, directory);
  try {
    checkMeta(seen, join(directory, FILE_NAME));
    if (stated !== undefined && stated !== seen.pageSize) {
      const what = `${join(directory, FILE_NAME)} has pages of ${seen.pageSize} bytes`;
      throw new DdiaError('bad-option', `${what}, not ${stated}`, undefined, 2);
    }
    await applyLog(disk, directory, seen, context, recovered);
  } finally {
    seen.close();
  }
  return openChecked(disk, directory, seen.pageSize, seen.meta, cacheBytes);
}

/** Opens a file that is whole and has no log. */
export function openChecked(
  disk: Disk,
  directory: string,
  pageSize: number,
  meta: V1Meta,
  cacheBytes: number,
): Pager {
  const log = new RedoLog(disk, directory);
  const file = disk.open(join(directory, FILE_NAME), 'write');
  return new Pager(file, log, pageSize, meta, cacheBytes);
}

async function openAsReader(disk: Disk, directory: string, pageSize?: number) {
  const set = diskSet(disk, directory);
  const options = pageSize === undefined ? {} : { 'page-size': pageSize };
  const context = { set, limits: DEFAULT_LIMITS, options };
  const input = { set, dialect: v1, files: set.files };
  const seen = (await v1.open(input, set.open(FILE_NAME), context)) as V1File;
  return { seen, context };
}

/**
 * Reads all of a file whose log is empty. Throws `corrupt` where it is not whole: in the place of
 * such a one nothing is put, since repair may still find in it what no way leads to.
 */
export async function checkWhole(disk: Disk, directory: string, pageSize: number): Promise<void> {
  const { seen, context } = await openAsReader(disk, directory, pageSize);
  try {
    const first = await firstError(seen, context);
    if (first === undefined) return;
    const what = `${join(directory, FILE_NAME)} is not whole: ${first}`;
    throw new DdiaError('corrupt', what, 'ddia btree fsck, then ddia btree repair PATH --out NEW');
  } finally {
    seen.close();
  }
}

/**
 * What every step into the tree relies on; all else is looked at page by page. The length is what
 * bears out the page size, which no field tells; where there is a log, its images do.
 */
function checkMeta(file: V1File, path: string): void {
  const { meta, size, pageSize, pageCount, overlay } = file;
  const { root, height, nextFree } = meta;
  const faults: string[] = [];
  if (nextFree < 2 || nextFree > pageCount) faults.push(`next_free ${nextFree}`);
  else if (!overlay && size !== nextFree * pageSize) faults.push(`next_free ${nextFree}`);
  if (root < 1 || root >= nextFree) faults.push(`root ${root}`);
  if (height < 1 || height > HEIGHT_MAX) faults.push(`height ${height}`);
  if (faults.length === 0) return;
  const what = `${path} has ${size} bytes, its pages ${pageSize}, and its metadata says`;
  const hint = 'ddia btree fsck, then ddia btree repair PATH --out NEW';
  throw new DdiaError('corrupt', `${what} ${faults.join(', ')}`, hint);
}

/**
 * Writes a tree front to back, from entries in key order, beside the one that is there, and puts it
 * in its place: all of it or nothing. The log must be empty: it would be applied to the new file.
 */
export class Loader {
  readonly #writer: DurableWriter;
  readonly #builder: TreeBuilder;

  constructor(
    disk: Disk,
    directory: string,
    readonly pageSize: number,
    shape: LoadShape,
  ) {
    this.#writer = DurableWriter.create(disk, join(directory, FILE_NAME), { overwrite: true });
    // Page 0, until it is known.
    this.#writer.append(new Uint8Array(pageSize), 0, pageSize);
    this.#builder = new TreeBuilder(
      pageSize,
      (page) => this.#writer.append(page, 0, page.length),
      shape,
    );
  }

  /** True if the key is greater than all that were added. */
  takes(key: Uint8Array): boolean {
    return this.#builder.order(key, 0, key.length) > 0;
  }

  add(entry: Entry): void {
    this.#builder.add(entry);
  }

  finish(): V1Meta {
    const meta = this.#builder.end();
    this.#writer.patch(0, metaPage(meta, this.pageSize));
    this.#writer.finish();
    return meta;
  }

  abort(): void {
    this.#writer.abort();
  }
}
