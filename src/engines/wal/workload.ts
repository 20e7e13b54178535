/**
 * A workload for the crash explorer, as lines of NDJSON: operations, and what else is done to a
 * log.
 */

import type { WalOperation } from '../../formats/wal/model.ts';
import { parseOperationLine } from '../../formats/wal/operations.ts';
import type { Disk } from '../../io/disk.ts';
import { bootProcesses } from '../../io/processes.ts';
import type { Profile } from '../../io/sim-disk/choices.ts';
import { explore } from '../../io/sim-disk/explore.ts';
import type { ExploreReport } from '../../io/sim-disk/explore-types.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { SyncMode } from '../sync-mode.ts';
import { describeOperation, violations, type WalEvent } from './history.ts';
import { WriteAheadLog } from './log.ts';
import type { WalOptions } from './options.ts';

export type Step =
  | { kind: 'write'; operations: WalOperation[] }
  | { kind: 'checkpoint' }
  | { kind: 'truncate'; upTo: number }
  | { kind: 'sync' }
  | { kind: 'reopen' };

const ROOT = '/log';

/** Operations as `wal append` takes them, and `truncate` (with `upTo`), `sync`, `reopen`. */
export function parseStep(line: Buffer, number: number): Step | undefined {
  const text = line.toString('utf8').trim();
  const value = text.startsWith('{') ? tryJson(text) : undefined;
  if (value?.['op'] === 'reopen') return { kind: 'reopen' };
  if (value?.['op'] === 'sync') return { kind: 'sync' };
  if (value?.['op'] === 'truncate') {
    const upTo = value['upTo'];
    if (typeof upTo === 'number' && Number.isSafeInteger(upTo) && upTo >= 0) {
      return { kind: 'truncate', upTo };
    }
    throw new DdiaError('bad-line', `line ${number}: truncate needs "upTo": a sequence number`);
  }
  const parsed = parseOperationLine(line, number);
  if (!parsed) return undefined;
  if (parsed.operations[0]?.op === 'checkpoint') return { kind: 'checkpoint' };
  return { kind: 'write', operations: parsed.operations };
}

function tryJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined; // parseOperationLine says what is wrong with it
  }
}

export interface CrashTestOptions {
  seed: number;
  profile: Profile;
  sync: SyncMode;
  segmentBytes: number;
  maxStates: number;
}

/**
 * Runs the steps on a simulated disk and crashes it at every single I/O, and during recovery again.
 */
export function crashTest(
  steps: readonly Step[],
  options: CrashTestOptions,
): Promise<ExploreReport> {
  const { seed, profile, sync, segmentBytes, maxStates } = options;
  const opener = (boot: number) => (disk: Disk) =>
    WriteAheadLog.open(disk, ROOT, walOptions(boot, sync, segmentBytes));
  return explore<WalEvent>({
    disk: { root: ROOT },
    workload: (disk, log) =>
      runSteps(
        steps,
        () => opener(disk.boot)(disk),
        sync,
        (e) => log.append(e),
      ),
    check: (disk, { events }) => violations(disk, ROOT, events, opener(disk.boot)),
    profile,
    seed,
    limits: { maxStates, maxRecoveryStates: maxStates },
  });
}

function walOptions(boot: number, sync: SyncMode, segmentBytes: number): WalOptions {
  const processes = bootProcesses(boot);
  return { sync, segmentBytes, preallocateBytes: 0, logId: () => 42n, processes };
}

/** Carries the steps out, one after the other, and tells the history. */
export async function runSteps(
  steps: readonly Step[],
  open: () => Promise<WriteAheadLog>,
  sync: SyncMode,
  tell: (event: WalEvent) => void,
): Promise<void> {
  let log = await open();
  for (const step of steps) {
    if (step.kind === 'reopen') {
      await log.close();
      log = await open();
    } else if (step.kind === 'sync') log.sync();
    else if (step.kind === 'checkpoint') await log.checkpoint();
    else if (step.kind === 'truncate') {
      tell({ kind: 'truncated', upTo: step.upTo });
      log.truncate(step.upTo);
    } else {
      const { operations } = step;
      const write = operations.map(describeOperation);
      tell({ kind: 'issued', write });
      const batch = operations.length > 1;
      const seq = await (batch ? log.batch(operations) : log.append(operations[0]!));
      tell({ kind: 'acknowledged', write, seq, durable: batch || sync === 'sync' });
    }
  }
  await log.close();
}
