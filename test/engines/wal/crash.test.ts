import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/io/sim-disk/choices.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import { type Event, openLog, ROOT, violations, write } from './invariants.ts';

const PROFILES: Profile[] = ['ordered', 'per-file', 'adversarial'];
const LIMITS = { maxStates: 6000, maxRecoveryStates: 6000 };

/** Appends, a batch, a checkpoint, rotations, a truncation, closing and opening again. */
async function wholeLife(disk: SimDisk, log: { append(event: Event): void }): Promise<void> {
  const open = openLog(disk.boot, { segmentBytes: 260 });
  let wal = await open(disk);
  await write(wal, log, ['a'], true);
  await write(wal, log, ['b', 'c', 'd'], true);
  await wal.checkpoint();
  for (const key of ['e', 'f', 'g']) await write(wal, log, [key], true);
  await wal.close();
  wal = await open(disk);
  await write(wal, log, ['h'], true);
  log.append({ kind: 'truncated', upTo: 4 });
  wal.truncate(4);
  await Promise.all(['i', 'j', 'k'].map((key) => write(wal, log, [key], true)));
  await wal.close();
}

describe('every crash point of a log that syncs', () => {
  it.each(PROFILES)('keeps its promises (%s)', async (profile) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      check: (disk, { events }) =>
        violations(disk, events, openLog(disk.boot, { segmentBytes: 260 })),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
    expect(report.points).toBeGreaterThan(60);
  });
});

describe('every crash point of a log that does not sync', () => {
  it.each(PROFILES)('leaves a prefix (%s)', async (profile) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const wal = await openLog(disk.boot, { sync: 'none', segmentBytes: 900 })(disk);
        for (let i = 0; i < 10; i++) {
          const big = i === 4 ? 'x'.repeat(700) : undefined;
          await write(wal, log, [`k${i}`], false, big);
        }
        await write(wal, log, ['p', 'q'], true);
        await write(wal, log, ['r'], false);
        await wal.close();
      },
      check: (disk, { events }) => violations(disk, events, openLog(disk.boot, { sync: 'none' })),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('failing calls', () => {
  const operations = ['write', 'sync', 'syncDirectory', 'create', 'rename'] as const;
  it.each(operations)(
    'a failed %s poisons the log and loses nothing that was acknowledged',
    async (on) => {
      for (let nth = 1; nth <= 8; nth++) {
        const disk = new SimDisk({ root: ROOT, faults: [failing(on, nth)] });
        const events: Event[] = [];
        const log = { append: (event: Event) => events.push(event) };
        const outcome = await wholeLife(disk, log).then(
          () => undefined,
          (error: Error) => error,
        );
        disk.clearFaults();
        const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
        const found = await violations(after, events, openLog(after.boot, { segmentBytes: 260 }));
        expect(found, `${on} ${nth}: ${outcome?.message}`).toEqual([]);
      }
    },
  );
});
