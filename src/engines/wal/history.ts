/**
 * What must hold of a log after any crash, told against the history of what was written to it: it
 * opens; every write that was durable is there; the state is one prefix of what was issued; batches
 * are whole or absent; no number is given twice; nothing is left lying about.
 */
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { WalOperation, WalRecord } from '../../formats/wal/model.ts';
import { v2 } from '../../formats/wal/v2/index.ts';
import { MANIFEST_NAME } from '../../formats/wal/v2/manifest.ts';
import { verifyLog } from '../../formats/wal/verify.ts';
import type { Disk } from '../../io/disk.ts';
import { diskSet } from '../../io/disk-set.ts';
import { crc32 } from '../../shared/crc32.ts';
import { toHex } from '../../shared/hex.ts';
import type { WriteAheadLog } from './log.ts';

/**
 * One write: the operations that are written as one, each as `describe` names it, and how far it
 * got.
 */
export type WalEvent =
  | { kind: 'issued'; write: string[] }
  | { kind: 'acknowledged'; write: string[]; seq: number; durable: boolean }
  | { kind: 'truncated'; upTo: number };

export type Opener = (disk: Disk) => Promise<WriteAheadLog>;

/** An operation as one word: what it does, its key, and a checksum of its value. */
export function describe(op: string, key: Uint8Array, value: Uint8Array): string {
  return `${op} ${toHex(key)} ${crc32.of(value).toString(16)}`;
}

export function describeOperation({ op, key, value }: WalOperation): string {
  return describe(op, key, value);
}

function describeRecord({ op, bytes, keyStart, keyEnd, valueStart, valueEnd }: WalRecord): string {
  return describe(op, bytes.subarray(keyStart, keyEnd), bytes.subarray(valueStart, valueEnd));
}

/** Opens the log as recovery would, closes it again, and lists what is wrong with it. */
export async function violations(
  disk: Disk,
  directory: string,
  events: readonly WalEvent[],
  open: Opener,
): Promise<string[]> {
  let log: WriteAheadLog;
  try {
    log = await open(disk);
  } catch (error) {
    return [`does not open: ${(error as Error).message}`];
  }
  const found: string[] = [];
  const there: { seq: number; what: string }[] = [];
  const replayed = await log.replay(0, (record) => {
    there.push({ seq: record.seq, what: describeRecord(record) });
  });
  if (replayed.end) found.push(`replay ends at ${replayed.end.code}: ${replayed.end.message}`);
  found.push(...againstHistory(there, events));
  const next = log.status.nextSeq;
  for (const event of events) {
    if (event.kind !== 'acknowledged') continue;
    const last = event.seq + Math.max(1, event.write.length) - 1;
    if (next <= last) found.push(`the next seq is ${next}, ${last} was given out`);
  }
  await log.close();
  found.push(...(await asFilesAre(disk, directory)));
  return found;
}

/** What verify says of the files, and files that belong to nothing. */
async function asFilesAre(disk: Disk, directory: string): Promise<string[]> {
  const set = diskSet(disk, directory);
  const files = set.files.filter(({ name }) => v2.segmentNumber(name) !== undefined);
  const verified = await verifyLog({ set, dialect: v2, files }, { limits: DEFAULT_LIMITS, set });
  const found = verified.findings.map(
    ({ code, file, message }) => `verify: ${code} in ${file}: ${message}`,
  );
  for (const { name } of set.files) {
    const known = v2.segmentNumber(name) !== undefined || name === MANIFEST_NAME;
    if (!known) found.push(`stray file ${name}`);
  }
  return found;
}

function againstHistory(
  there: readonly { seq: number; what: string }[],
  events: readonly WalEvent[],
): string[] {
  const found: string[] = [];
  for (let i = 1; i < there.length; i++) {
    if (there[i]!.seq <= there[i - 1]!.seq) found.push(`seq ${there[i]!.seq} stands twice`);
  }
  const truncated = Math.max(0, ...events.map((e) => (e.kind === 'truncated' ? e.upTo : 0)));
  const issued = events.filter((event) => event.kind === 'issued');
  const acknowledged = events.filter((event) => event.kind === 'acknowledged');
  const bySeq = new Map(there.map(({ seq, what }) => [seq, what]));
  for (const { write, seq } of acknowledged) {
    write.forEach((what, i) => {
      const now = bySeq.get(seq + i) ?? what;
      if (now !== what) found.push(`seq ${seq + i} was given to ${what} and is ${now}`);
    });
  }
  // Writes are issued and acknowledged in one order. The first that is there tells how many were
  // truncated.
  const first = firstWrite(there[0]?.seq, acknowledged);
  let at = first;
  for (let i = 0; i < there.length; at++) {
    const write = issued[at]?.write;
    if (!write) return [...found, `${there[i]!.what} is behind all that was issued`];
    const part = there.slice(i, i + write.length).map(({ what }) => what);
    if (part.join() !== write.join()) {
      return [...found, `found ${part.join(', ')}, expected ${write.join(', ')}`];
    }
    i += write.length;
  }
  const durable = acknowledged.findLastIndex((event) => event.durable) + 1;
  const gone = there.length === 0 ? acknowledged.slice(0, durable) : acknowledged.slice(0, first);
  for (const { seq, write } of gone) {
    const last = seq + Math.max(1, write.length) - 1;
    if (write.length > 0 && last > truncated) found.push(`${write} was durable and is lost`);
  }
  for (const { write } of acknowledged.slice(Math.max(at, first), durable)) {
    if (there.length > 0 && write.length > 0) found.push(`${write} was durable and is lost`);
  }
  return found;
}

/** Index of the write that the first record there belongs to. */
function firstWrite(
  seq: number | undefined,
  acknowledged: readonly { seq: number; write: string[] }[],
): number {
  if (seq === undefined) return 0;
  const at = acknowledged.findIndex((event) => event.write.length > 0 && event.seq === seq);
  return at < 0 ? acknowledged.length : at;
}
