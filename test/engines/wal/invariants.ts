/** What must hold of a log after any crash, and workloads that leave a history to hold it against. */
import { WriteAheadLog } from '../../../src/engines/wal/log.ts';
import type { WalOptions } from '../../../src/engines/wal/options.ts';
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { v2 } from '../../../src/formats/wal/v2/index.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { bootProcesses } from '../../../src/io/processes.ts';

export const ROOT = '/log';

/** One write of the workload: the keys that are written as one, and how far it got. */
export type Event =
  | { kind: 'issued'; keys: string[] }
  | { kind: 'acknowledged'; keys: string[]; seq: number; durable: boolean }
  | { kind: 'truncated'; upTo: number };

export interface EventLog {
  append(event: Event): void;
}

export type Opener = (disk: Disk, options?: WalOptions) => Promise<WriteAheadLog>;

export const openLog =
  (boot: number, base: WalOptions): Opener =>
  (disk, options = {}) =>
    WriteAheadLog.open(disk, ROOT, {
      logId: () => 42n,
      processes: bootProcesses(boot),
      preallocateBytes: 0,
      ...base,
      ...options,
    });

const put = (key: string, value = `value of ${key}`) => ({
  op: 'put',
  key: Buffer.from(key),
  value: Buffer.from(value),
});

/** Writes keys as one batch or one put, and tells the history. */
export async function write(
  log: WriteAheadLog,
  events: EventLog,
  keys: string[],
  durable: boolean,
  value?: string,
): Promise<void> {
  events.append({ kind: 'issued', keys });
  const operations = keys.map((key) => put(key, value));
  const seq = keys.length > 1 ? await log.batch(operations) : await log.append(operations[0]!);
  events.append({ kind: 'acknowledged', keys, seq, durable: durable || keys.length > 1 });
}

/** Opens the log as recovery would, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  events: readonly Event[],
  open: Opener,
): Promise<string[]> {
  const found: string[] = [];
  let log: WriteAheadLog;
  try {
    log = await open(disk);
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const keys: string[] = [];
  const seqs = new Map<number, string>();
  const replayed = await log.replay(0, (record) => {
    const key = String(bytesValue(record.bytes, record.keyStart, record.keyEnd));
    keys.push(key);
    if (seqs.has(record.seq)) found.push(`seq ${record.seq} stands twice`);
    seqs.set(record.seq, key);
  });
  if (replayed.end) found.push(`replay ends at ${replayed.end.code}: ${replayed.end.message}`);
  found.push(...againstHistory(keys, seqs, events));

  const next = log.status.nextSeq;
  for (const event of events) {
    if (event.kind !== 'acknowledged') continue;
    const last = event.seq + event.keys.length - 1;
    if (next <= last) found.push(`the next seq is ${next}, ${last} was given out`);
  }
  await log.close();

  const set = diskSet(disk, ROOT);
  const files = set.files.filter(({ name }) => v2.segmentNumber(name) !== undefined);
  const verified = await verifyLog({ set, dialect: v2, files }, { limits: DEFAULT_LIMITS, set });
  for (const { code, file, message } of verified.findings) {
    found.push(`verify: ${code} in ${file}: ${message}`);
  }
  for (const { name } of set.files) {
    if (v2.segmentNumber(name) === undefined && name !== 'MANIFEST.wal2')
      found.push(`stray file ${name}`);
  }
  return found;
}

/** The state is one prefix of what was issued, and reaches at least to the last durable write. */
function againstHistory(
  keys: string[],
  seqs: Map<number, string>,
  events: readonly Event[],
): string[] {
  const found: string[] = [];
  const truncated = Math.max(0, ...events.map((e) => (e.kind === 'truncated' ? e.upTo : 0)));
  const issued = events.filter((event) => event.kind === 'issued');
  const acknowledged = events.filter((event) => event.kind === 'acknowledged');
  for (const { keys: written, seq } of acknowledged) {
    written.forEach((key, i) => {
      const there = seqs.get(seq + i);
      if (there !== undefined && there !== key) {
        found.push(`seq ${seq + i} was given to ${key} and is ${there}`);
      }
    });
  }
  // Truncation may have taken any number of whole writes up to its number from the front.
  const order = issued.map((event) => event.keys);
  const first = keys.length === 0 ? -1 : order.findIndex((write) => write[0] === keys[0]);
  if (keys.length > 0 && first < 0) return [...found, `${keys[0]} was never issued as a beginning`];
  let at = Math.max(0, first);
  for (let i = 0; i < keys.length; at++) {
    const write = order[at];
    if (!write) return [...found, `${keys[i]} is behind all that was issued`];
    const part = keys.slice(i, i + write.length);
    if (part.join() !== write.join())
      return [...found, `found ${part.join()}, expected ${write.join()}`];
    i += write.length;
  }
  const lastDurable = acknowledged.findLastIndex(({ durable }) => durable);
  const durableCount = lastDurable < 0 ? 0 : lastDurable + 1;
  if (keys.length > 0 || truncated === 0) {
    if (at < durableCount) found.push(`${order[durableCount - 1]} was durable and is lost`);
  }
  const dropped = first > 0 ? acknowledged.slice(0, first) : [];
  for (const { seq, keys: written } of dropped) {
    if (seq + written.length - 1 > truncated)
      found.push(`${written} is gone and was not truncated`);
  }
  return found;
}
