/** What the commands that write to a B+tree of ours share: which one it is, and opening it. */
import { basename, dirname, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BtreeStore, type Operation } from '../engines/btree/store.ts';
import type { V1Store } from '../engines/btree-v1/store.ts';
import type { SyncMode } from '../engines/sync-mode.ts';
import { FILE_NAME as V1_NAME } from '../formats/btree/v1/layout.ts';
import { FILE_NAME as V2_NAME } from '../formats/btree/v2/layout.ts';
import type { Disk } from '../io/disk.ts';
import { RealDisk } from '../io/real-disk.ts';
import { realPlace } from '../io/same-place.ts';
import { DdiaError, usageError } from '../shared/errors.ts';

export const storeArg = Args.string({
  ignoreStdin: true,
  description: 'directory of the store, or its file: btree.db, tree.bt2',
  required: true,
});

export const keyArg = Args.string({
  ignoreStdin: true,
  description: 'the key; hex:… and base64:… are understood',
  required: true,
});

export const pageSizeFlag = {
  'page-size': Flags.integer({ description: 'bytes of a page, of a store that is made' }),
};

type StoreDialect = 'v1' | 'v2';
const NAMES: Readonly<Record<StoreDialect, string>> = { v1: V1_NAME, v2: V2_NAME };

export const dialectFlag = {
  dialect: Flags.option({ options: ['v1', 'v2'] as const })({
    description: 'layout of a store that is made, v2 unless told; one that is there must have it',
  }),
};

/** What stores of both layouts do. */
export type AnyStore = BtreeStore | V1Store;
export type { Operation };

export interface StoreOptions {
  dialect?: StoreDialect | undefined;
  sync?: SyncMode;
  pageSize?: number | undefined;
  create?: boolean;
}

/** Where a store is, and of which layout it is or is to be. */
function placeOf(
  disk: Disk,
  path: string,
  stated: StoreDialect | undefined,
): { directory: string; dialect: StoreDialect } {
  const name = basename(path);
  const dialects = ['v1', 'v2'] as const;
  const named = dialects.find((one) => NAMES[one] === name);
  const kind = disk.stat(path)?.kind;
  if (kind !== undefined && kind !== 'directory' && named === undefined) {
    const hint = `a store is a directory, with ${V1_NAME} (v1) or ${V2_NAME} (v2) in it`;
    throw new DdiaError('not-a-directory', `${path} is a file: a store is a directory`, hint);
  }
  const isFile = named !== undefined && kind !== 'directory';
  const directory = isFile ? dirname(path) : path;
  const there = dialects.filter((one) => disk.stat(join(directory, NAMES[one])));
  const wanted = stated ?? (isFile ? named : undefined);
  if (isFile && stated !== undefined && stated !== named) throw otherDialect(path, named, stated);
  if (wanted !== undefined) {
    const [only] = there;
    if (only !== undefined && !there.includes(wanted)) throw otherDialect(directory, only, wanted);
    return { directory: lockedPlace(directory, wanted), dialect: wanted };
  }
  if (there.length > 1) {
    const what = `${directory} has ${V1_NAME} and ${V2_NAME}`;
    throw usageError('two-stores', what, 'say which: --dialect v1, --dialect v2');
  }
  const [dialect = 'v2'] = there;
  return { directory: lockedPlace(directory, dialect), dialect };
}

/**
 * The directory that the file really lies in: where it is a link, two directories lead to one file,
 * and the lock is to be the same in both.
 */
function lockedPlace(directory: string, dialect: StoreDialect): string {
  const name = NAMES[dialect];
  const real = realPlace(join(directory, name));
  if (dirname(real) === realPlace(directory) && basename(real) === name) return directory;
  if (basename(real) === name) return dirname(real);
  const what = `${join(directory, name)} leads to ${real}`;
  throw new DdiaError('other-name', `${what}: a store is written to where its file has its name`);
}

function otherDialect(path: string, is: StoreDialect, wanted: StoreDialect): DdiaError {
  return usageError('other-dialect', `${path} is a store of layout ${is}, not ${wanted}`);
}

async function openStore(path: string, options: StoreOptions): Promise<AnyStore> {
  const { dialect: stated, pageSize, ...rest } = options;
  const disk = new RealDisk();
  const { directory, dialect } = placeOf(disk, path, stated);
  const more = pageSize === undefined ? rest : { ...rest, pageSize };
  if (dialect === 'v2') return BtreeStore.open(disk, directory, more);
  const { V1Store } = await import('../engines/btree-v1/store.ts');
  return V1Store.open(disk, directory, more);
}

/** A store on the real disk: opened, used, and closed whatever happens. */
export async function withBtree<Result>(
  path: string,
  options: StoreOptions,
  act: (store: AnyStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = await openStore(path, options);
  for (const line of store.recovered) process.stderr.write(`recovered: ${line}\n`);
  let result: Result;
  try {
    result = await act(store);
  } catch (error) {
    try {
      store.close();
    } catch {} // what went wrong first is what is told
    throw error;
  }
  store.close();
  return result;
}
