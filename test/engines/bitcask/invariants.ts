/**
 * What must hold of a store after any crash, told against the history of what was written to it: it
 * opens; its content is that after some prefix of the writes, with every durable one in it, so that
 * nothing is lost, no batch is half there, and nothing that was deleted comes back; no number is
 * given twice; its live files are exactly those that the manifest names, and verify clean; it can be
 * written again; and a reader without the lock sees the same.
 */

import type { Operation } from '../../../src/engines/bitcask/operation.ts';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { manifestOf } from '../../../src/formats/bitcask/v2/manifest.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import {
  allowed,
  type Change,
  contentOf,
  type EventLog as History,
  type WriteEvent,
} from '../../support/write-history.ts';

export { allowed, contentOf };

export const ROOT = '/store';
export const NOW = 1_000_000;

export type Event = WriteEvent<{ seq: number; count: number }>;
export type EventLog = History<Event>;

export type Opener = (disk: Disk, options?: BitcaskOptions) => Promise<BitcaskStore>;
export type Open = typeof BitcaskStore.open;

export const opener =
  (
    boot: number,
    base: BitcaskOptions = {},
    open: Open = BitcaskStore.open.bind(BitcaskStore),
  ): Opener =>
  (disk, options = {}) =>
    open(disk, ROOT, {
      storeId: () => 42n,
      processes: bootProcesses(boot),
      now: () => NOW,
      ...base,
      ...options,
    });

/** Writes as one put, delete or batch, and tells the history. */
export async function write(
  store: BitcaskStore,
  log: EventLog,
  changes: Change[],
  durable: boolean,
): Promise<void> {
  log.append({ kind: 'issued', changes });
  const operations = changes.map(([key, value]): Operation => {
    return { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) };
  });
  const [only] = operations;
  let seq: number;
  if (operations.length > 1) seq = await store.batch(operations);
  else if (only!.value) seq = await store.put(only!.key, only!.value);
  else seq = await store.delete(only!.key);
  const count = seq === 0 ? 0 : operations.length;
  log.append({ kind: 'acknowledged', seq, count, durable: durable || operations.length > 1 });
}

/** Opens the store as recovery would, closes it again, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  events: readonly Event[],
  open: Opener,
): Promise<string[]> {
  let store: BitcaskStore;
  try {
    store = await open(disk);
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const found: string[] = [];
  const content = contentOf(store);
  const may = allowed(events);
  if (!may.includes(content)) {
    found.push(`holds "${content}", expected one of ${may.map((one) => `"${one}"`).join(', ')}`);
  }
  const { nextSeq } = store.stat();
  for (const event of events) {
    if (event.kind !== 'acknowledged' || event.count === 0) continue;
    const last = event.seq + event.count - 1;
    if (nextSeq <= last) found.push(`the next seq is ${nextSeq}, ${last} was given out`);
  }
  await store.close();
  found.push(...(await asFilesAre(disk)));
  if (found.length > 0) return found;
  const reader = await BitcaskReader.open(disk, ROOT, () => NOW);
  const seen = contentOf(reader);
  reader.close();
  return seen === content ? [] : [`a reader sees "${seen}", the writer "${content}"`];
}

/** A store that has come through is as good as new: probed last, since it changes the files. */
export async function stillWorks(disk: Disk, open: Opener): Promise<string[]> {
  const store = await open(disk);
  const before = contentOf(store);
  await store.put(Buffer.from('~probe'), Buffer.from('p'));
  await store.close();
  const again = await open(disk);
  const after = contentOf(again);
  await again.merge();
  const merged = contentOf(again);
  await again.close();
  const expected = [before, '~probe=p'].filter((part) => part !== '').join(' ');
  return [after, merged].filter((one) => one !== expected).map((one) => `after a put: "${one}"`);
}

/** What verify says of the files, and files that belong to nothing. */
export async function asFilesAre(disk: Disk): Promise<string[]> {
  const set = diskSet(disk, ROOT);
  const files = bitcask.select(set, v2);
  const verified = await bitcask.verify({ set, dialect: v2, files }, { limits: DEFAULT_LIMITS });
  const found = verified.findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ code, file, message }) => `verify: ${code} in ${file}: ${message}`);
  const manifest = manifestOf(set);
  const named = new Set(['MANIFEST.bitcask2']);
  for (const { file, hint } of manifest?.files ?? []) {
    named.add(v2.dataName(file));
    if (hint) named.add(v2.hintName(file));
  }
  const there = new Set(set.files.map(({ name }) => name));
  for (const name of there) if (!named.has(name)) found.push(`stray file ${name}`);
  for (const name of named) if (!there.has(name)) found.push(`${name} is named and not there`);
  return found;
}
