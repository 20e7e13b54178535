/** Short ways to write workloads in tests; what must hold is in src/engines/wal/history.ts. */
import {
  violations as check,
  describeOperation,
  type WalEvent,
} from '../../../src/engines/wal/history.ts';
import { WriteAheadLog } from '../../../src/engines/wal/log.ts';
import type { WalOptions } from '../../../src/engines/wal/options.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { bootProcesses } from '../../../src/io/processes.ts';

export const ROOT = '/log';
export type Event = WalEvent;

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

export const put = (key: string, value = `value of ${key}`) => ({
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
  const operations = keys.map((key) => put(key, value));
  const issued = operations.map(describeOperation);
  events.append({ kind: 'issued', write: issued });
  const seq = keys.length > 1 ? await log.batch(operations) : await log.append(operations[0]!);
  events.append({ kind: 'acknowledged', write: issued, seq, durable: durable || keys.length > 1 });
}

export const violations = (disk: Disk, events: readonly Event[], open: Opener) =>
  check(disk, ROOT, events, (on) => open(on));
