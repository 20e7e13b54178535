import { describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/io/sim-disk/choices.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import { type Event, opener, ROOT, stillWorks, violations, write } from './invariants.ts';

const PROFILES: Profile[] = ['ordered', 'per-file', 'adversarial'];
const LIMITS = { maxStates: 800, maxRecoveryStates: 400 };

/** Puts, overwrites, deletions of keys and ranges, a batch, flushes, compactions, opening again. */
async function wholeLife(disk: SimDisk, log: { append(event: Event): void }): Promise<void> {
  const open = opener(disk.boot);
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
  await store.flush();
  await write(store, log, [['b', undefined]], true);
  await write(store, log, [['d', '1']], true);
  await store.flush();
  await store.compact();
  await write(store, log, [['a..c', undefined]], true);
  await write(store, log, [['b', '3']], true);
  await store.close();
  store = await open(disk);
  await write(store, log, [['d', undefined]], true);
  await store.flush();
  await write(
    store,
    log,
    [
      ['e', '1'],
      ['b', undefined],
    ],
    true,
  );
  await store.compact();
  await Promise.all(['f', 'g'].map((key) => write(store, log, [[key, '1']], true)));
  await store.close();
}

describe('every crash point of a store that syncs', () => {
  it.each(PROFILES)('keeps its promises (%s)', async (profile) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      check: (disk, { events }) => violations(disk, events, opener(disk.boot)),
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
    expect(report.points).toBeGreaterThan(100);
  });
});

describe('every crash point of a store that does not sync', () => {
  it.each(PROFILES)('leaves what was there after some write (%s)', async (profile) => {
    const options = { sync: 'none' as const };
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const store = await opener(disk.boot, options)(disk);
        for (let i = 0; i < 6; i++) {
          await write(store, log, [[`k${i % 4}`, i === 3 ? 'x'.repeat(700) : `${i}`]], false);
        }
        await store.flush();
        await write(store, log, [['k1', undefined]], false);
        await write(store, log, [['k1', 'again']], false);
        await store.flush();
        await write(store, log, [['k2', undefined]], false);
        await store.compact();
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
      limits: { maxStates: 500, maxRecoveryStates: 300 },
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('a store that came through a crash', () => {
  it('takes writes and compactions as if nothing had been', async () => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      workload: wholeLife,
      check: (disk) => stillWorks(disk, opener(disk.boot)),
      limits: { maxStates: 300, maxRecoveryStates: 0 },
      idempotence: false,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe('failing calls', () => {
  const operations = ['write', 'sync', 'syncDirectory', 'create', 'rename'] as const;
  it.each(operations)('a failed %s loses nothing that was acknowledged', async (on) => {
    for (let nth = 1; nth <= 25; nth++) {
      const disk = new SimDisk({ root: ROOT, faults: [failing(on, nth)] });
      const events: Event[] = [];
      const outcome = await wholeLife(disk, { append: (event) => events.push(event) }).then(
        () => undefined,
        (error: Error) => error,
      );
      disk.clearFaults();
      const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
      const found = await violations(after, events, opener(after.boot));
      expect(found, `${on} ${nth}: ${outcome?.message}`).toEqual([]);
    }
  });
});
