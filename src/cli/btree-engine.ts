/** What the commands that write to a B+tree of ours share: opening it, lines of input, figures. */
import { join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import type { BtreeOptions } from '../engines/btree/options.ts';
import { BtreeStore, type Operation } from '../engines/btree/store.ts';
import type { SyncMode } from '../engines/sync-mode.ts';
import { bytesFromJson } from '../formats/bytes/json-bytes.ts';
import { readLines } from '../io/lines.ts';
import { removeTree } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, usageError } from '../shared/errors.ts';

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

export const pageSizeFlag = {
  'page-size': Flags.integer({ description: 'bytes of a page, of a store that is made' }),
};

/** A store on the real disk: opened, used, and closed whatever happens. */
export async function withBtree<Result>(
  dir: string,
  options: BtreeOptions,
  act: (store: BtreeStore) => Result | Promise<Result>,
): Promise<Result> {
  const disk = new RealDisk();
  if (disk.stat(dir)?.kind === 'file') {
    throw new DdiaError('not-a-directory', `${dir} is a file: a store is a directory`);
  }
  const store = BtreeStore.open(disk, dir, options);
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

export interface ImportResult {
  dir: string;
  puts: number;
  deletions: number;
  /** Keys in the store afterwards. */
  keys: number;
}

/** Lines of standard input; those that come together are one transaction. */
export function importLines(
  dir: string,
  options: BtreeOptions,
  signal: AbortSignal,
): Promise<ImportResult> {
  return withBtree(dir, options, async (store) => {
    const result: ImportResult = { dir, puts: 0, deletions: 0, keys: 0 };
    let waiting: Operation[] = [];
    const send = async (): Promise<void> => {
      const operations = waiting;
      waiting = [];
      if (operations.length === 0) return;
      await store.batch(operations);
      for (const { value } of operations) {
        if (value === undefined) result.deletions++;
        else result.puts++;
      }
    };
    await readLines(
      0,
      (line, number) => {
        const operation = operationOf(line, number);
        if (operation) waiting.push(operation);
      },
      signal,
      send,
    );
    result.keys = store.size;
    return result;
  });
}

/** Undefined for an empty line. */
export function operationOf(line: Buffer, number: number): Operation | undefined {
  const text = line.toString('utf8').trim();
  if (text === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw badLine(number, 'it is not JSON');
  }
  const { key, value, deleted } = (parsed ?? {}) as Record<string, unknown>;
  const keyBytes = bytesFromJson(key);
  if (!keyBytes) throw badLine(number, 'it has no "key" that is a string, {"hex"} or {"base64"}');
  if (deleted === true) return { key: keyBytes, value: undefined };
  const valueBytes = bytesFromJson(value);
  if (!valueBytes) throw badLine(number, 'it has neither a "value" nor "deleted": true');
  return { key: keyBytes, value: valueBytes };
}

function badLine(number: number, why: string): DdiaError {
  const hint = 'as ddia btree scan --json prints them: {"key":"a","value":"1"}';
  return usageError('bad-line', `line ${number}: ${why}`, hint);
}

export interface BenchResult {
  count: number;
  bytes: number;
  batch: number;
  sync: SyncMode;
  putsPerSecond: number;
  getsPerSecond: number;
  scannedPerSecond: number;
  pagesWrittenPerPut: number;
  height: number;
  fileBytes: number;
}

export async function benchBtree(
  below: string,
  options: Pick<BenchResult, 'count' | 'bytes' | 'batch' | 'sync'>,
  signal: AbortSignal,
): Promise<BenchResult> {
  const disk = new RealDisk();
  if (disk.stat(below)?.kind !== 'directory') {
    throw new DdiaError('not-a-directory', `${below} is not a directory`);
  }
  const directory = join(below, `ddia-btree-bench-${process.pid}`);
  if (disk.stat(directory)) throw new DdiaError('exists', `${directory} exists already`);
  const { count, bytes, batch, sync } = options;
  const keyOf = (i: number) => Buffer.from(String((i * 7919) % count).padStart(16, '0'));
  const perSecond = (begun: number) => (1000 * count) / (performance.now() - begun);
  try {
    return await withBtree(directory, { sync }, async (store) => {
      const value = Buffer.alloc(bytes, 'v');
      let begun = performance.now();
      for (let i = 0; i < count; i += batch) {
        const length = Math.min(batch, count - i);
        await store.batch(Array.from({ length }, (_, j) => ({ key: keyOf(i + j), value })));
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
      store.sync();
      const putsPerSecond = perSecond(begun);
      const { pagesWritten, height, bytes: fileBytes } = store.stat();
      begun = performance.now();
      for (let i = 0; i < count; i++) store.get(keyOf(i));
      const getsPerSecond = perSecond(begun);
      begun = performance.now();
      const rows = store.count({ from: new Uint8Array(0) });
      const scannedPerSecond = (perSecond(begun) * rows) / count;
      const pagesWrittenPerPut = pagesWritten / count;
      const rates = { putsPerSecond, getsPerSecond, scannedPerSecond, pagesWrittenPerPut };
      return { ...options, ...rates, height, fileBytes };
    });
  } finally {
    removeTree(disk, directory);
  }
}
