/** What the commands of the LSM store share: opening and closing it, and what they print. */
import { join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type Operation, toLog } from '../engines/lsm/operation.ts';
import type { LsmOptions } from '../engines/lsm/options.ts';
import { STRATEGIES } from '../engines/lsm/pick.ts';
import { LsmStore } from '../engines/lsm/store.ts';
import { badLine } from '../formats/bytes/json-line.ts';
import { TYPE, typeName } from '../formats/sstable/entry-block.ts';
import { parseEntryLine } from '../formats/sstable/lines.ts';
import { readLines } from '../io/lines.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { inLine, throwInLine, withKept } from './writable.ts';

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
    const send = async (operation: Operation, number: number): Promise<void> => {
      await write(store, operation).catch((error) => throwInLine(number, error));
      if (operation.op === undefined) result.puts++;
      else result.deletions++;
    };
    // A line that cannot be is told before one behind it is under way.
    const take = (line: Buffer, number: number): void => {
      const operation = operationOf(line, number);
      if (!operation) return;
      inLine(number, () => toLog(operation));
      underWay.push(send(operation, number));
    };
    try {
      await readLines(0, take, command.signal, settle);
      await settle();
    } catch (error) {
      await Promise.allSettled(underWay);
      throw withKept(error, result.puts + result.deletions);
    }
  });
  return result;
}

function write(store: LsmStore, operation: Operation): Promise<number> {
  const { key } = operation;
  if (operation.op === 'delete') return store.delete(key);
  if (operation.op === 'delete-range') return store.deleteRange(key, operation.to);
  return store.put(key, operation.value);
}

/** Undefined for lines that carry no entry. */
function operationOf(line: Buffer, number: number): Operation | undefined {
  const entry = parseEntryLine(line, number);
  if (!entry) return undefined;
  const { type, key, value } = entry;
  if (type === TYPE.put) return { key, value: value! };
  if (type === TYPE.delete) return { op: 'delete', key };
  if (type === TYPE.rangeDelete) {
    if (value) return { op: 'delete-range', key, to: value };
    throw badLine(number, 'a delete-range needs a "value", the end of the range');
  }
  throw new DdiaError('bad-line', `line ${number}: ${typeName(type)} cannot be imported`);
}
