/**
 * What must hold of a store after any crash, told against the history of what was written to it: it
 * opens; its content is that after some prefix of the writes, with every durable one in it, so that
 * nothing is lost, no batch is half there, and nothing that was deleted comes back; fsck finds
 * nothing at all in the file, no page leaked or used twice; and no file is left over.
 */
import type { V1Options } from '../../../src/engines/btree-v1/options.ts';
import { V1Store } from '../../../src/engines/btree-v1/store.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { v1 } from '../../../src/formats/btree/v1/index.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { btreeV1 } from '../../../src/formats/wal/btree-v1/index.ts';
import { wal } from '../../../src/formats/wal/index.ts';
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

export type Open = typeof V1Store.open;
export type Opener = (disk: Disk, options?: V1Options) => Promise<V1Store>;

export const opener =
  (boot: number, base: V1Options = {}, open: Open = V1Store.open.bind(V1Store)): Opener =>
  (disk, options = {}) =>
    open(disk, ROOT, { processes: bootProcesses(boot), pageSize: 512, ...base, ...options });

/** Writes as one put, delete or batch, and tells the history. */
export async function write(
  store: V1Store,
  log: EventLog,
  changes: Changes,
  durable = true,
): Promise<void> {
  log.append({ kind: 'issued', changes });
  await store.batch(
    changes.map(([key, value]) => {
      return { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) };
    }),
  );
  log.append({ kind: 'acknowledged', durable });
}

/** Opens the store as recovery would, closes it again, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  events: readonly Event[],
  open: Opener,
): Promise<string[]> {
  let content: string;
  let size: number;
  try {
    const store = await open(disk);
    content = contentOf(store);
    size = store.size;
    store.close();
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const found: string[] = [];
  const may = allowed(events);
  if (!may.includes(content)) {
    found.push(`holds "${content}", expected one of ${may.map((one) => `"${one}"`).join(', ')}`);
  }
  const keys = content === '' ? 0 : content.split(' ').length;
  if (size !== keys) found.push(`says that it has ${size} keys, and has ${keys}`);
  found.push(...(await fsck(disk)));
  // What a crash left of an operation in the log is kept there.
  const stray = disk.list(ROOT).filter((name) => name !== 'btree.db' && name !== 'torn');
  return [...found, ...stray.map((name) => `stray file ${name}`)];
}

/** A store that has come through is as good as new: probed last, since it changes the file. */
export async function stillWorks(disk: Disk, open: Opener): Promise<string[]> {
  const store = await open(disk);
  const before = contentOf(store);
  await store.put(Buffer.from('~probe'), Buffer.from('p'));
  store.close();
  const again = await open(disk);
  const after = contentOf(again);
  await again.vacuum();
  const small = contentOf(again);
  again.close();
  const expected = [before, '~probe=p'].filter((part) => part !== '').join(' ');
  const wrong = [after, small].filter((one) => one !== expected);
  return [...wrong.map((one) => `after a put: "${one}"`), ...(await fsck(disk))];
}

/** What fsck says of the file, and of the tree that file and log are together. */
export async function fsck(disk: Disk, directory = ROOT): Promise<string[]> {
  const set = diskSet(disk, directory);
  const files = btree.select(set, v1);
  const { findings } = await btree.verify(
    { set, dialect: v1, files },
    { limits: DEFAULT_LIMITS, options: {} },
  );
  const said = findings
    .filter(({ code }) => code !== 'log-applied')
    .map(({ code, message }) => `fsck: ${code}: ${message}`);
  return files.length === 1 ? said : [`fsck: ${files.length} files`, ...said];
}

/** What the log's own dialect says of it. */
export async function verifyLog(disk: Disk, directory = ROOT): Promise<string[]> {
  const set = diskSet(disk, directory);
  const files = set.files.filter(({ name }) => name === 'btree.wal');
  const context = { limits: DEFAULT_LIMITS, options: {} };
  const { findings } = await wal.verify({ set, dialect: btreeV1, files }, context);
  return findings.map(({ code, message }) => `log: ${code}: ${message}`);
}
