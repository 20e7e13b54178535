/** The file of a store: made, opened, mended after a crash, built anew. */
import { join } from 'node:path';
import { type Entry, metasOf, TreeBuilder } from '../../formats/btree/v2/build.ts';
import { FILE_NAME, META_PAGES } from '../../formats/btree/v2/layout.ts';
import { liveOf, newMetas, type ReadMeta, writeMeta } from '../../formats/btree/v2/meta.ts';
import { readMetas } from '../../formats/btree/v2/read-metas.ts';
import { type Disk, type DiskFile, readFully, writeFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { ResolvedOptions } from './options.ts';
import { Pager } from './pager.ts';
import { recover } from './recover.ts';

const BUFFER_BYTES = 256 * 1024;

export function createFile(disk: Disk, directory: string, options: ResolvedOptions): void {
  const { pageSize } = options;
  const bytes = new Uint8Array(META_PAGES * pageSize);
  for (const meta of newMetas(pageSize, options.storeId())) {
    writeMeta(meta, bytes.subarray(meta.page * pageSize, (meta.page + 1) * pageSize));
  }
  replaceFile(disk, join(directory, FILE_NAME), bytes);
}

/** What a crash left of files that never got their name. Only under the lock. */
export function removeLeftovers(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (isTemporaryName(name) && name.startsWith(`.${FILE_NAME}.`))
      disk.remove(join(directory, name));
  }
}

/** Throws `corrupt` if neither meta page can be used. */
export function metasIn(file: DiskFile): { metas: readonly ReadMeta[]; live: ReadMeta } {
  const source = {
    name: file.path,
    size: file.size(),
    read: (target: Uint8Array, start: number, length: number, position: number) =>
      readFully(file, target, start, length, position),
  };
  const metas = readMetas(source);
  const live = liveOf(metas);
  if (live) return { metas, live };
  const faults = metas.map(({ page, fault }) => `meta page ${page}: ${fault}`).join('; ');
  throw new DdiaError('corrupt', `${file.path}: ${faults}`, 'ddia btree repair DIR --out NEW');
}

/** Opens the file to be written. What a crash left unfinished in it is put right. */
export function openFile(
  disk: Disk,
  directory: string,
  cacheBytes: number,
  recovered: string[],
): Pager {
  const file = disk.open(join(directory, FILE_NAME), 'write');
  try {
    const { metas, live } = metasIn(file);
    const pager = new Pager(file, plain(live), cacheBytes);
    const size = file.size();
    const end = live.pages * live.pageSize;
    if (size < end) {
      const what = `${file.path} has ${size} bytes, its meta page promises ${end}`;
      throw new DdiaError('corrupt', what, 'ddia btree repair DIR --out NEW');
    }
    const free = pager.free.load(live.freeHead, live.freeCrc);
    const other = metas.find(({ page }) => page !== live.page)!;
    const whole = other.fault === '' && other.txn === live.txn - 1;
    if (live.closed && whole && size === end) return pager;
    recover(pager, other, whole, free, recovered);
    // Whatever is done next, the meta page that follows says how things stand.
    pager.meta = { ...pager.meta, closed: false };
    return pager;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Without what only a reader of damaged files wants to know. */
export function plain({ fault: _, expected: __, actual: ___, ...meta }: ReadMeta) {
  return meta;
}

/**
 * A file with these entries, in key order, in place of the one that is there: all of it or nothing.
 * Returns how many keys it has.
 */
export function replaceTree(
  disk: Disk,
  directory: string,
  parameters: { pageSize: number; storeId: bigint; txn: number; pid: number },
  entries: Iterable<Entry>,
): number {
  const { pageSize, storeId, txn, pid } = parameters;
  const temporary = join(directory, `.${FILE_NAME}.tmp-${pid}-0`);
  const file = disk.open(temporary, 'create');
  try {
    const buffer = Buffer.allocUnsafe(Math.max(BUFFER_BYTES, pageSize));
    let used = 0;
    let position = META_PAGES * pageSize;
    const flush = (): void => {
      writeFully(file, buffer, 0, used, position);
      position += used;
      used = 0;
    };
    const builder = new TreeBuilder(pageSize, storeId, txn, (page) => {
      if (used + pageSize > buffer.length) flush();
      buffer.set(page, used);
      used += pageSize;
    });
    for (const entry of entries) builder.add(entry);
    const built = builder.end();
    flush();
    const bytes = new Uint8Array(META_PAGES * pageSize);
    for (const meta of metasOf(parameters, built)) {
      writeMeta(meta, bytes.subarray(meta.page * pageSize, (meta.page + 1) * pageSize));
    }
    writeFully(file, bytes, 0, bytes.length, 0);
    file.sync();
    file.close();
    disk.rename(temporary, join(directory, FILE_NAME));
    disk.syncDirectory(directory);
    return built.keys;
  } catch (error) {
    // What went wrong first is what is told; the next to open the store removes what is left.
    try {
      file.close();
      disk.remove(temporary);
    } catch {}
    throw error;
  }
}
