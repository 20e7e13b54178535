import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/io/sim-disk/choices.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import { type Event, opener, ROOT, stillWorks, violations, write } from './invariants.ts';

const PROFILES: Profile[] = ['ordered', 'per-file', 'adversarial'];
const LIMITS = { maxStates: 2500, maxRecoveryStates: 2500 };
const OPTIONS = { fileBytes: 250 };

/** Puts, overwrites, deletions, a batch, rotations with hints, a merge, closing and opening again. */
async function wholeLife(disk: SimDisk, log: { append(event: Event): void }): Promise<void> {
  const open = opener(disk.boot, OPTIONS);
  let store = await open(disk);
  await write(store, log, [['a', '1']], true);
  await write(
    store,
    log,
    [
      ['b', '1'],
      ['c', '1'],
      ['a', '2'],
    ],
    true,
  );
  await store.idle();
  await write(store, log, [['b', undefined]], true);
  await write(store, log, [['d', '1']], true);
  await store.idle();
  await write(store, log, [['c', undefined]], true);
  await store.merge();
  await write(store, log, [['b', '3']], true);
  await store.close();
  store = await open(disk);
  await write(store, log, [['d', undefined]], true);
  await write(
    store,
    log,
    [
      ['e', '1'],
      ['b', undefined],
    ],
    true,
  );
  await store.idle();
  await store.merge('worth');
  await Promise.all(['f', 'g'].map((key) => write(store, log, [[key, '1']], true)));
  await store.close();
}

describe('every crash point of a store that syncs', () => {
  it.each(PROFILES)('keeps its promises (%s)', async (profile) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      async check(disk, { events }) {
        return violations(disk, events, opener(disk.boot, OPTIONS));
      },
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
    expect(report.points).toBeGreaterThan(100);
  });
});

describe('every crash point of a store that does not sync', () => {
  it.each(PROFILES)('leaves what was there after some write (%s)', async (profile) => {
    const options = { sync: 'none' as const, fileBytes: 900 };
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const store = await opener(disk.boot, options)(disk);
        for (let i = 0; i < 6; i++) {
          await write(store, log, [[`k${i % 4}`, i === 3 ? 'x'.repeat(700) : `${i}`]], false);
        }
        await store.idle();
        await write(store, log, [['k1', undefined]], false);
        await store.merge();
        await write(store, log, [['k1', 'again']], false);
        await write(store, log, [['k2', undefined]], false);
        await store.merge('all');
        await write(
          store,
          log,
          [
            ['p', '1'],
            ['q', '1'],
          ],
          true,
        );
        await write(store, log, [['r', '1']], false);
        await store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot, options)),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('every crash point of one life after another', () => {
  it('where the first was killed, and numbers were left out', async () => {
    const options = { sync: 'none' as const };
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const processes = (pid: number) => ({
          self: { pid, started: '' },
          isAlive: (other: { pid: number }) => other.pid === pid,
        });
        const killed = await opener(disk.boot, options)(disk, { processes: processes(1) });
        await write(killed, log, [['a', '1']], false);
        const store = await opener(disk.boot, options)(disk, { processes: processes(2) });
        for (const key of ['b', 'c', 'd']) {
          await write(store, log, [[key, key.repeat(700)]], false);
        }
        await store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot, options)),
      limits: { maxStates: 400, maxRecoveryStates: 100 },
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });

  it('where the last one only merges', async () => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const open = opener(disk.boot, OPTIONS);
        let store = await open(disk);
        for (let i = 0; i < 8; i++)
          await write(store, log, [[`${i % 3}`, `${i}`.repeat(60)]], true);
        await store.close();
        store = await open(disk);
        await store.merge();
        await store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot, OPTIONS)),
      limits: { maxStates: 800, maxRecoveryStates: 800 },
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('a store that came through a crash', () => {
  it('takes writes and merges as if nothing had been', async () => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      check: (disk) => stillWorks(disk, opener(disk.boot, OPTIONS)),
      limits: { maxStates: 600, maxRecoveryStates: 0 },
      idempotence: false,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('failing calls', () => {
  const operations = ['write', 'sync', 'syncDirectory', 'create', 'rename'] as const;
  it.each(operations)('a failed %s loses nothing that was acknowledged', async (on) => {
    for (let nth = 1; nth <= 12; nth++) {
      const disk = new SimDisk({ root: ROOT, faults: [failing(on, nth)] });
      const events: Event[] = [];
      const outcome = await wholeLife(disk, { append: (event) => events.push(event) }).then(
        () => undefined,
        (error: Error) => error,
      );
      disk.clearFaults();
      const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
      const found = await violations(after, events, opener(after.boot, OPTIONS));
      expect(found, `${on} ${nth}: ${outcome?.message}`).toEqual([]);
    }
  });
});
