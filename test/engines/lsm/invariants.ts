/**
 * What must hold of a store after any crash, told against the history of what was written to it: it
 * opens; its content, read either way and key by key, is that after some prefix of the writes, with
 * every durable one in it, so that nothing is lost, no batch is half there, and nothing that was
 * deleted comes back; no number is given twice; its directory verifies clean, and has no file that
 * belongs to nothing.
 */
import type { LsmOptions } from '../../../src/engines/lsm/options.ts';
import { LsmStore, type Operation } from '../../../src/engines/lsm/store.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { openDatabase } from '../../../src/formats/lsm/open.ts';
import { verifyDatabase } from '../../../src/formats/lsm/verify.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import {
  allowed,
  applyChange,
  type Change,
  contentOf as contentOfAny,
  durableOf,
  type EventLog as History,
  textOf,
  type WriteEvent,
} from '../../support/write-history.ts';

export type { Change };
export { textOf };

export const ROOT = '/store';

export type Event = WriteEvent<{ seq: number; count: number }>;
export type EventLog = History<Event>;

export type Opener = (disk: Disk, options?: LsmOptions) => Promise<LsmStore>;
export type Open = typeof LsmStore.open;

/** Small enough that a few writes make several levels. */
const SMALL: LsmOptions = {
  memtableBytes: 1024 * 1024,
  tableBytes: 400,
  blockBytes: 64,
  levelZeroTables: 2,
  levelOneBytes: 500,
  cacheBytes: 4096,
  autoCompact: false,
};

export const opener =
  (boot: number, base: LsmOptions = {}, open: Open = LsmStore.open.bind(LsmStore)): Opener =>
  (disk, options = {}) =>
    open(disk, ROOT, {
      storeId: () => 42n,
      processes: bootProcesses(boot),
      ...SMALL,
      ...base,
      ...options,
    });

const RANGE = /^(.*)\.\.(.*)$/;

function operationOf([key, value]: Change): Operation {
  const range = RANGE.exec(key);
  if (range) return { op: 'delete-range', key: Buffer.from(range[1]!), to: Buffer.from(range[2]!) };
  if (value === undefined) return { op: 'delete', key: Buffer.from(key) };
  return { key: Buffer.from(key), value: Buffer.from(value) };
}

/** Writes as one put, delete or batch, and tells the history. */
export async function write(
  store: LsmStore,
  log: EventLog,
  changes: Change[],
  durable: boolean,
): Promise<void> {
  log.append({ kind: 'issued', changes });
  const operations = changes.map(operationOf);
  const [only] = operations as [Operation];
  let seq: number;
  if (operations.length > 1) seq = await store.batch(operations);
  else if (only.op === 'delete-range') seq = await store.deleteRange(only.key, only.to);
  else if (only.op === 'delete') seq = await store.delete(only.key);
  else seq = await store.put(only.key, only.value);
  const many = operations.length > 1;
  log.append({ kind: 'acknowledged', seq, count: operations.length, durable: durable || many });
}

/** A key may be a range, `from..to`, whose keys are deleted. */
export function applyTo(state: Map<string, string>, change: Change): void {
  const range = RANGE.exec(change[0]);
  if (!range) applyChange(state, change);
  else {
    for (const one of [...state.keys()]) {
      if (one >= range[1]! && one < range[2]!) state.delete(one);
    }
  }
}

export function contentOf(store: Pick<LsmStore, 'scan'>, reverse = false): string {
  const rows = [...store.scan({ reverse })];
  return contentOfAny({ scan: () => (reverse ? rows.reverse() : rows) });
}

/** Every key that was ever written, asked for one by one. */
function byKey(store: LsmStore, events: readonly Event[]): string {
  const keys = new Set<string>();
  for (const event of events) {
    if (event.kind !== 'issued') continue;
    for (const [key] of event.changes) if (!RANGE.test(key)) keys.add(key);
  }
  const state = new Map<string, string>();
  for (const key of keys) {
    const value = store.get(Buffer.from(key));
    if (value) state.set(key, `${value}`);
  }
  return textOf(state);
}

/** Opens the store as recovery would, closes it again, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  events: readonly Event[],
  open: Opener,
): Promise<string[]> {
  let store: LsmStore;
  try {
    store = await open(disk);
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const found: string[] = [];
  try {
    const content = contentOf(store);
    const may = allowed(events, durableOf(events), applyTo);
    if (!may.includes(content)) {
      found.push(`holds "${content}", expected one of ${may.map((one) => `"${one}"`).join(', ')}`);
    }
    const backwards = contentOf(store, true);
    if (backwards !== content) found.push(`holds "${content}", backwards "${backwards}"`);
    const single = byKey(store, events);
    if (single !== content) found.push(`holds "${content}", key by key "${single}"`);
    const { nextSeq } = store.stat();
    for (const event of events) {
      if (event.kind !== 'acknowledged' || event.count === 0) continue;
      const last = event.seq + event.count - 1;
      if (nextSeq <= last) found.push(`the next seq is ${nextSeq}, ${last} was given out`);
    }
  } catch (error) {
    found.push(`cannot be read: ${(error as Error).message}`);
  }
  await store.close();
  found.push(...(await asFilesAre(disk)));
  return found;
}

/** A store that has come through is as good as new: probed last, since it changes the files. */
export async function stillWorks(disk: Disk, open: Opener): Promise<string[]> {
  const store = await open(disk);
  const before = contentOf(store);
  await store.put(Buffer.from('~probe'), Buffer.from('p'));
  await store.close();
  const again = await open(disk);
  const after = contentOf(again);
  await again.compact();
  const merged = contentOf(again);
  await again.close();
  const expected = [before, '~probe=p'].filter((part) => part !== '').join(' ');
  return [after, merged].filter((one) => one !== expected).map((one) => `after a put: "${one}"`);
}

/** What verify says of the directory as a whole, and files that belong to nothing. */
async function asFilesAre(disk: Disk): Promise<string[]> {
  const set = diskSet(disk, ROOT);
  const context = { limits: DEFAULT_LIMITS };
  const { findings } = await verifyDatabase(await openDatabase(set, 'v2', context), context);
  return findings.map(({ code, file, message }) => `verify: ${code} in ${file}: ${message}`);
}
