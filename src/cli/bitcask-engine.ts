/** What the commands that write to a store share: which kind it is, and opening it. */
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import type { BitcaskOptions } from '../engines/bitcask/options.ts';
import { BitcaskStore } from '../engines/bitcask/store.ts';
import { TextbookStore } from '../engines/bitcask/textbook.ts';
import type { BitcaskDialect } from '../formats/bitcask/model.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { openPath } from './open.ts';
import { knownFamilies } from './plugins.ts';

export const storeDialectFlag = {
  dialect: Flags.string({
    description: 'layout of a store that is made: v2, hash-v1, log-v1, riak (default v2)',
  }),
};

export const fileBytesFlag = {
  'file-bytes': Flags.integer({
    description: 'a data file at or over this size is sealed and the next begun',
    min: 65,
    max: 2 ** 31 - 1,
  }),
};

/**
 * The dialect of the store in `dir`: the one that its files are in, or for a directory that is not
 * there or empty the one that is asked for. Throws a DdiaError where the two differ.
 */
export async function storeDialect(
  command: DdiaCommand,
  dir: string,
  asked: string | undefined,
): Promise<BitcaskDialect> {
  const disk = new RealDisk();
  const stat = disk.stat(dir);
  if (stat && stat.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${dir} is a file: a store is a directory`);
  }
  if (stat && disk.list(dir).some((name) => name !== 'LOCK' && !name.startsWith('.'))) {
    const input = await openPath(command, dir, 'bitcask');
    if (
      asked !== undefined &&
      asked !== input.dialect.id &&
      asked !== `bitcask/${input.dialect.id}`
    ) {
      throw usageError(
        'other-dialect',
        `${dir} is a store of dialect ${input.dialect.id}, not ${asked}`,
        'a store is written in its own layout; upgrade makes a new one of it',
      );
    }
    return input.dialect as BitcaskDialect;
  }
  const id = (asked ?? 'v2').replace(/^bitcask\//, '');
  const families = await knownFamilies(command.config, id, undefined, ['bitcask']);
  const dialects = families.find((family) => family.id === 'bitcask')?.dialects ?? [];
  const dialect = dialects.find((one) => one.id === id) as BitcaskDialect | undefined;
  if (!dialect) {
    const known = dialects.map((one) => one.id).join(', ');
    throw usageError('unknown-dialect', `unknown dialect: ${id}`, `known: ${known}`);
  }
  return dialect;
}

/** A store of ours on the real disk: opened, used, and closed whatever happens. */
export async function withStore<Result>(
  command: DdiaCommand,
  dir: string,
  options: BitcaskOptions,
  act: (store: BitcaskStore) => Promise<Result>,
): Promise<Result> {
  const hintWorker = join(command.config.root, 'dist/hint-worker.js');
  const store = await BitcaskStore.open(new RealDisk(), dir, { hintWorker, ...options });
  for (const line of store.recovered) process.stderr.write(`recovered: ${line}\n`);
  let result: Result;
  try {
    result = await act(store);
  } catch (error) {
    await store.close().catch(() => {}); // what went wrong first is what is told
    throw error;
  }
  await store.close();
  return result;
}

/** The same for a textbook layout. */
export async function withTextbook<Result>(
  dir: string,
  dialect: BitcaskDialect,
  fileBytes: number | undefined,
  act: (store: TextbookStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = await TextbookStore.open(new RealDisk(), dir, dialect, { fileBytes });
  try {
    return await act(store);
  } finally {
    store.close();
  }
}
