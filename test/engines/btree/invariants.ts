/**
 * What must hold of a store after any crash, told against the history of what was written to it: it
 * opens; its content is that after some prefix of the writes, with every durable one in it, so that
 * nothing is lost, no batch is half there, and nothing that was deleted comes back; fsck finds
 * nothing at all in the file, no page leaked or used twice, deep or not; no file is left over; and a
 * reader without the lock sees the same.
 */
import type { BtreeOptions } from '../../../src/engines/btree/options.ts';
import { BtreeReader } from '../../../src/engines/btree/reader.ts';
import { BtreeStore, type Operation } from '../../../src/engines/btree/store.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { v2 } from '../../../src/formats/btree/v2/index.ts';
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

export { contentOf };

export const ROOT = '/store';

export type Event = WriteEvent;
export type EventLog = History<Event>;
export type Changes = Change[];

export type Opener = (disk: Disk, options?: BtreeOptions) => BtreeStore;
export type Open = typeof BtreeStore.open;

export const opener =
  (boot: number, base: BtreeOptions = {}, open: Open = BtreeStore.open.bind(BtreeStore)): Opener =>
  (disk, options = {}) =>
    open(disk, ROOT, {
      storeId: () => 42n,
      processes: bootProcesses(boot),
      pageSize: 512,
      ...base,
      ...options,
    });

/** Writes as one put, delete or batch, and tells the history. */
export async function write(
  store: BtreeStore,
  log: EventLog,
  changes: Changes,
  durable = true,
): Promise<void> {
  log.append({ kind: 'issued', changes });
  const operations = changes.map(([key, value]): Operation => {
    return { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) };
  });
  const [only] = operations;
  if (operations.length > 1) await store.batch(operations);
  else if (only!.value) await store.put(only!.key, only!.value);
  else await store.delete(only!.key);
  log.append({ kind: 'acknowledged', durable });
}

/** Opens the store as recovery would, closes it again, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  events: readonly Event[],
  open: Opener,
): Promise<string[]> {
  let store: BtreeStore;
  let content: string;
  try {
    store = open(disk);
    content = contentOf(store);
    store.close();
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const found: string[] = [];
  const may = allowed(events);
  if (!may.includes(content)) {
    found.push(`holds "${content}", expected one of ${may.map((one) => `"${one}"`).join(', ')}`);
  }
  found.push(...(await fsck(disk)));
  if (found.length > 0) return found;
  const reader = BtreeReader.open(disk, ROOT, open === undefined ? undefined : bootProcesses(99));
  const seen = contentOf(reader);
  reader.close();
  if (seen !== content) found.push(`a reader sees "${seen}", the writer "${content}"`);
  for (const name of disk.list(ROOT)) if (name !== 'tree.bt2') found.push(`stray file ${name}`);
  return found;
}

/** A store that has come through is as good as new: probed last, since it changes the file. */
export async function stillWorks(disk: Disk, open: Opener): Promise<string[]> {
  const store = open(disk);
  const before = contentOf(store);
  await store.put(Buffer.from('~probe'), Buffer.from('p'));
  store.close();
  const again = open(disk);
  const after = contentOf(again);
  await again.vacuum();
  const small = contentOf(again);
  again.close();
  const expected = [before, '~probe=p'].filter((part) => part !== '').join(' ');
  const wrong = [after, small].filter((one) => one !== expected);
  return [...wrong.map((one) => `after a put: "${one}"`), ...(await fsck(disk))];
}

/** What fsck says of the file, that of the other meta page included. */
export async function fsck(disk: Disk, directory = ROOT): Promise<string[]> {
  const set = diskSet(disk, directory);
  const files = btree.select(set, v2);
  const context = { limits: DEFAULT_LIMITS, options: { deep: true } };
  const { findings } = await btree.verify({ set, dialect: v2, files }, context);
  return findings
    .filter(({ severity, message }) => severity !== 'info' || !message.endsWith('is whole'))
    .map(({ code, message }) => `fsck: ${code}: ${message}`);
}
