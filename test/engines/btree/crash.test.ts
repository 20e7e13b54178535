import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/io/sim-disk/choices.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import {
  type Event,
  type EventLog,
  opener,
  ROOT,
  stillWorks,
  violations,
  write,
} from './invariants.ts';

const PROFILES: Profile[] = ['ordered', 'per-file', 'adversarial'];
const LIMITS = { maxStates: 500, maxRecoveryStates: 300 };

const filled = (name: string, value: string) => [name, value.repeat(70)] as [string, string];

/** Splits, overflow values, merges, a root that collapses, vacuum, closing and opening again. */
async function wholeLife(disk: SimDisk, log: EventLog, pageSize = 512): Promise<void> {
  const open = opener(disk.boot, { pageSize });
  let store = open(disk);
  await write(store, log, [['a', '1']]);
  await write(
    store,
    log,
    ['b', 'c', 'd', 'e', 'f'].map((key) => filled(key, '1')),
  );
  await write(store, log, [filled('c', '2')]);
  await write(store, log, [['d', 'x'.repeat(1200)]]);
  await write(store, log, [
    ['b', undefined],
    ['g', '1'],
  ]);
  store.close();
  store = open(disk);
  await write(store, log, [['d', 'y'.repeat(600)]]);
  await write(
    store,
    log,
    ['c', 'd', 'e'].map((key) => [key, undefined]),
  );
  await store.vacuum();
  await write(store, log, [['h', '2']]);
  await Promise.all(['i', 'j'].map((key) => write(store, log, [[key, '1']])));
  await write(
    store,
    log,
    ['a', 'f', 'g', 'h'].map((key) => [key, undefined]),
  );
  store.close();
}

describe('every crash point of a store that syncs', () => {
  it.each([
    ['ordered', 512],
    ['per-file', 512],
    ['adversarial', 512],
    // Pages of several sectors, which can tear.
    ['adversarial', 2048],
  ] as const)('keeps its promises (%s, pages of %d bytes)', async (profile, pageSize) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: (disk, log) => wholeLife(disk, log, pageSize),
      check: (disk, { events }) => violations(disk, events, opener(disk.boot, { pageSize })),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
    expect(report.points).toBeGreaterThan(80);
  });

  it('keeps its promises where the last key goes before it is closed', async () => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: async (disk, log) => {
        const store = opener(disk.boot)(disk);
        const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
        await write(
          store,
          log,
          keys.map((key) => filled(key, '1')),
        );
        for (const key of keys) await write(store, log, [[key, undefined]]);
        store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot)),
      profile: 'adversarial',
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('every crash point of a store that does not sync', () => {
  it.each(PROFILES)('leaves what was there after some write (%s)', async (profile) => {
    const options = { sync: 'batch' as const, batchEvery: 3 };
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const store = opener(disk.boot, options)(disk);
        for (let i = 0; i < 10; i++) {
          await write(store, log, [[`k${i % 4}`, `${i}`.repeat(i === 3 ? 700 : 90)]], false);
        }
        const snapshot = store.snapshot();
        await write(store, log, [['k1', undefined]], false);
        await write(store, log, [['k2', undefined]], false);
        snapshot.close();
        await write(store, log, [filled('p', '1'), filled('q', '1')], false);
        await write(store, log, [['k1', 'again']], false);
        store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot, options)),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('a store that came through a crash', () => {
  it('takes writes and vacuum as if nothing had been', async () => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      check: (disk) => stillWorks(disk, opener(disk.boot)),
      limits: { maxStates: 250, maxRecoveryStates: 0 },
      idempotence: false,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('failing calls', () => {
  const operations = ['write', 'sync', 'syncDirectory', 'create', 'rename'] as const;
  it.each(operations)('a failed %s loses nothing that was acknowledged', async (on) => {
    for (let nth = 1; nth <= 14; nth++) {
      const disk = new SimDisk({ root: ROOT, faults: [failing(on, nth)] });
      const events: Event[] = [];
      const log = { append: (event: Event) => events.push(event) };
      const outcome = await wholeLife(disk, log).then(
        () => undefined,
        (error: Error) => error,
      );
      disk.clearFaults();
      const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
      const found = await violations(after, events, opener(after.boot));
      expect(found, `${on} ${nth}: ${outcome?.message}`).toEqual([]);
    }
  });

  it('what only the cache has after a failed sync is not built upon', async () => {
    for (let nth = 1; nth <= 20; nth++) {
      const disk = new SimDisk({ root: ROOT, faults: [failing('sync', nth)] });
      const events: Event[] = [];
      const log = { append: (event: Event) => events.push(event) };
      await wholeLife(disk, log).catch(() => {});
      disk.clearFaults();
      // The process ends, the machine goes on; then the machine ends as well.
      const next = opener(disk.boot + 1)(disk);
      await next.put(Buffer.from('z'), Buffer.from('1'));
      next.close();
      const before = opener(disk.boot + 2)(disk);
      const content = [...before.scan()].map(({ key }) => `${key}`);
      before.close();
      const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
      const store = opener(after.boot)(after);
      expect([...store.scan()].map(({ key }) => `${key}`)).toEqual(content);
      store.close();
    }
  });
});
