/** The file of a store: made, opened, mended after a crash, built anew. */
import { join } from 'node:path';
import { type Entry, metasOf, TreeBuilder } from '../../formats/btree/v2/build.ts';
import { FILE_NAME, META_PAGES, PAGE_BYTES_DEFAULT } from '../../formats/btree/v2/layout.ts';
import { liveOf, newMetas, type ReadMeta, writeMeta } from '../../formats/btree/v2/meta.ts';
import { readMetas } from '../../formats/btree/v2/read-metas.ts';
import { type Disk, type DiskFile, readFully, writeFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import { Turns, type Waiting } from '../../shared/turns.ts';
import type { ResolvedOptions } from './options.ts';
import { Pager } from './pager.ts';
import { recover } from './recover.ts';
import type { Snapshot } from './snapshot.ts';

const BUFFER_BYTES = 256 * 1024;
/** Entries between two looks at the clock. */
const ENTRIES_A_LOOK = 256;

export function createFile(disk: Disk, directory: string, options: ResolvedOptions): void {
  const { pageSize = PAGE_BYTES_DEFAULT } = options;
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
  { cacheBytes, pageSize: stated }: Pick<ResolvedOptions, 'cacheBytes' | 'pageSize'>,
  recovered: string[],
): Pager {
  const file = disk.open(join(directory, FILE_NAME), 'write');
  try {
    const { metas, live } = metasIn(file);
    if (stated !== undefined && stated !== live.pageSize) {
      const what = `${file.path} has pages of ${live.pageSize} bytes, not ${stated}`;
      throw new DdiaError('bad-option', what, undefined, 2);
    }
    const pager = new Pager(file, plain(live), cacheBytes);
    const size = file.size();
    const end = live.pages * live.pageSize;
    if (size < end) {
      const what = `${file.path} has ${size} bytes, its meta page promises ${end}`;
      throw new DdiaError('corrupt', what, 'ddia btree repair DIR --out NEW');
    }
    const free = pager.free.load(live.freeHead, live.freeCrc, live.pages);
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

export interface NewParameters {
  pageSize: number;
  storeId: bigint;
  txn: number;
  pid: number;
}

/** A file in the making, of entries in key order: in place of the one that is there, or nowhere. */
export class NewTree {
  readonly #file: DiskFile;
  readonly #temporary: string;
  readonly #builder: TreeBuilder;
  readonly #buffer: Buffer;
  #used = 0;
  #position: number;
  #over = false;

  constructor(
    readonly disk: Disk,
    readonly directory: string,
    readonly parameters: NewParameters,
  ) {
    const { pageSize, storeId, txn, pid } = parameters;
    const name = (i: number) => join(directory, `.${FILE_NAME}.tmp-${pid}-${i}`);
    let i = 0;
    // Of another one that is under way.
    while (disk.stat(name(i))) i++;
    this.#temporary = name(i);
    this.#file = disk.open(this.#temporary, 'create');
    this.#buffer = Buffer.allocUnsafe(Math.max(BUFFER_BYTES, pageSize));
    this.#position = META_PAGES * pageSize;
    this.#builder = new TreeBuilder(pageSize, storeId, txn, (page) => {
      if (this.#used + pageSize > this.#buffer.length) this.#flush();
      this.#buffer.set(page, this.#used);
      this.#used += pageSize;
    });
  }

  #flush(): void {
    writeFully(this.#file, this.#buffer, 0, this.#used, this.#position);
    this.#position += this.#used;
    this.#used = 0;
  }

  get pageSize(): number {
    return this.parameters.pageSize;
  }

  /** True if the key is greater than all that were added. */
  takes(key: Uint8Array): boolean {
    return this.#builder.takes(key);
  }

  add(entry: Entry): void {
    this.#builder.add(entry);
  }

  /** Returns how many keys it has. */
  finish(): number {
    const { disk, directory, parameters } = this;
    const { pageSize } = parameters;
    const built = this.#builder.end();
    this.#flush();
    const bytes = new Uint8Array(META_PAGES * pageSize);
    for (const meta of metasOf(parameters, built)) {
      writeMeta(meta, bytes.subarray(meta.page * pageSize, (meta.page + 1) * pageSize));
    }
    writeFully(this.#file, bytes, 0, bytes.length, 0);
    this.#file.sync();
    this.#file.close();
    disk.rename(this.#temporary, join(directory, FILE_NAME));
    disk.syncDirectory(directory);
    this.#over = true;
    return built.keys;
  }

  /** Does nothing once it is finished. What is left the next to open the store removes. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#file.close();
      this.disk.remove(this.#temporary);
    } catch {} // what went wrong first is what is told
  }
}

/**
 * A file with these entries, in key order, in place of the one that is there: all of it or nothing.
 */
export function fill(tree: NewTree, entries: Iterable<Entry>): void {
  try {
    for (const entry of entries) tree.add(entry);
  } catch (error) {
    tree.abort();
    throw error;
  }
}

/** The same, while others have turns; `last` follows in the same turn as the last entry. */
export async function fillInTurns(
  tree: NewTree,
  entries: Iterable<Entry>,
  waiting: Waiting | undefined,
  last: () => void,
): Promise<void> {
  const turns = waiting && new Turns(waiting);
  let count = 0;
  try {
    for (const entry of entries) {
      tree.add(entry);
      if (turns && ++count % ENTRIES_A_LOOK === 0 && turns.due) await turns.take();
    }
    last();
  } catch (error) {
    tree.abort();
    throw error;
  }
}

export function* entriesOf(snapshot: Snapshot): Generator<Entry> {
  for (const { key, value } of snapshot.scan()) {
    const ends = { keyEnd: key.length, valueEnd: value.length };
    yield { bytes: key, keyStart: 0, valueBytes: value, valueStart: 0, ...ends };
  }
}

/** Puts a file without a key in place. False: the disk refuses, and the old one does as well. */
export function startOver(disk: Disk, directory: string, parameters: NewParameters): boolean {
  let tree: NewTree | undefined;
  try {
    tree = new NewTree(disk, directory, parameters);
    tree.finish();
    return true;
  } catch {
    tree?.abort();
    return false;
  }
}
