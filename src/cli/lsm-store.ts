/** What the commands of the LSM store share: opening and closing it, and what they print. */
import { join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { LsmOptions } from '../engines/lsm/options.ts';
import { STRATEGIES } from '../engines/lsm/pick.ts';
import { LsmStore } from '../engines/lsm/store.ts';
import { TYPE, typeName } from '../formats/sstable/entry-block.ts';
import { parseEntryLine } from '../formats/sstable/lines.ts';
import { readLines } from '../io/lines.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';

export const storeArg = Args.string({
  ignoreStdin: true,
  description: 'directory of the store',
  required: true,
});

export const keyArg = Args.string({
  ignoreStdin: true,
  description: 'the key; hex:… and base64:… are understood',
  required: true,
});

export const strategyFlag = {
  strategy: Flags.option({ options: STRATEGIES, default: 'leveled' as const })({
    description: 'how tables are chosen for compaction',
  }),
};

/** A store on the real disk: opened, used, and closed whatever happens. */
export async function withLsm<Result>(
  dir: string,
  options: LsmOptions,
  act: (store: LsmStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = await LsmStore.open(new RealDisk(), dir, options);
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

export interface ImportedEntries {
  dir: string;
  puts: number;
  deletions: number;
}

/** Lines of standard input into the store: those that come together share a sync. */
export async function importEntries(
  command: DdiaCommand,
  dir: string,
  options: LsmOptions,
): Promise<ImportedEntries> {
  const result: ImportedEntries = { dir, puts: 0, deletions: 0 };
  const compactionWorker = join(command.config.root, 'dist/merge-worker.js');
  await withLsm(dir, { compactionWorker, ...options }, async (store) => {
    let underWay: Promise<void>[] = [];
    const settle = async (): Promise<void> => {
      const sent = underWay;
      underWay = [];
      await Promise.all(sent);
    };
    const send = async (line: Buffer, number: number): Promise<void> => {
      const entry = parseEntryLine(line, number);
      if (!entry) return;
      const { type, key, value } = entry;
      if (type === TYPE.put) await store.put(key, value!);
      else if (type === TYPE.delete) await store.delete(key);
      else if (type === TYPE.rangeDelete && value) await store.deleteRange(key, value);
      else throw new DdiaError('bad-line', `line ${number}: ${typeName(type)} cannot be imported`);
      if (type === TYPE.put) result.puts++;
      else result.deletions++;
    };
    try {
      const take = (line: Buffer, number: number): void => void underWay.push(send(line, number));
      await readLines(0, take, command.signal, settle);
      await settle();
    } catch (error) {
      await Promise.allSettled(underWay);
      throw error;
    }
  });
  return result;
}
