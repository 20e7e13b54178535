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

const filled = (name: string, value: string) => [name, value.repeat(90)] as [string, string];
const gone = (...names: string[]) => names.map((name) => [name, undefined] as [string, undefined]);

/**
 * Splits of leaves and of the root, merges, pages freed and used again, a root that collapses, a log
 * that is applied on the way, a tree that is emptied, bulk load, vacuum, closing and opening again.
 */
async function wholeLife(disk: SimDisk, log: EventLog, pageSize = 512): Promise<void> {
  const open = opener(disk.boot, { pageSize, logBytes: 8 * pageSize });
  let store = await open(disk);
  await write(store, log, [['a', '1']]);
  for (const key of ['b', 'd', 'f']) await write(store, log, [filled(key, '1')]);
  const more = ['c', 'e', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
  await write(
    store,
    log,
    more.map((key) => filled(key, '1')),
  );
  await write(store, log, gone('b', 'c'));
  await write(store, log, [...gone('g', 'h', 'i'), ['n', '2']]);
  store.close();
  store = await open(disk);
  await write(store, log, [filled('d', '3'), filled('p', '3'), filled('q', '3')]);
  await store.vacuum();
  await write(store, log, gone('j', 'k', 'l'));
  await Promise.all(['r', 's'].map((key) => write(store, log, [[key, '1']])));
  await write(store, log, gone('a', 'd', 'e', 'f', 'm', 'n', 'p', 'q', 'r', 's'));
  await write(store, log, [filled('t', '4'), filled('u', '4'), filled('v', '4')]);
  await write(store, log, [filled('w', '4'), filled('x', '4'), filled('y', '4')]);
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
});

describe('every crash point of a store that does not sync', () => {
  it.each(PROFILES)('leaves what was there after some write (%s)', async (profile) => {
    const options = { sync: 'batch' as const, batchEvery: 3 };
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const store = await opener(disk.boot, options)(disk);
        for (let i = 0; i < 12; i++) {
          const value = `${i}`.repeat(i === 3 ? 300 : 90);
          await write(store, log, [[`k${i % 5}`, value]], false);
        }
        await write(store, log, [filled('p', '1'), filled('q', '1'), filled('r', '1')], false);
        await write(store, log, gone('k1'), false);
        await write(store, log, gone('k2', 'p'), false);
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

describe('every crash point of a bulk load', () => {
  it.each(PROFILES)('leaves all of it or nothing (%s)', async (profile) => {
    const report = await explore<Event>({
      disk: { root: ROOT },
      async workload(disk, log) {
        const store = await opener(disk.boot)(disk);
        const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => filled(key, '1'));
        log.append({ kind: 'issued', changes: rows });
        const loader = store.loader({ freePages: 2 });
        for (const row of rows) {
          const bytes = Buffer.from(row.join(''));
          const ends = { keyEnd: 1, valueEnd: bytes.length };
          loader.add({ bytes, keyStart: 0, valueStart: 1, ...ends });
        }
        store.finishLoad(loader);
        log.append({ kind: 'acknowledged', durable: true });
        await write(store, log, [['h', '1'], filled('a', '2')]);
        store.close();
      },
      check: (disk, { events }) => violations(disk, events, opener(disk.boot)),
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
  const operations = ['write', 'sync', 'syncDirectory', 'create', 'rename', 'truncate'] as const;
  it.each(operations)('a failed %s loses nothing that was acknowledged', async (on) => {
    for (let nth = 1; nth <= 20; nth++) {
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
    for (let nth = 1; nth <= 24; nth++) {
      const disk = new SimDisk({ root: ROOT, faults: [failing('sync', nth)] });
      const events: Event[] = [];
      const log = { append: (event: Event) => events.push(event) };
      await wholeLife(disk, log).catch(() => {});
      disk.clearFaults();
      // The process ends, the machine goes on; then the machine ends as well.
      const next = await opener(disk.boot + 1)(disk);
      await next.put(Buffer.from('z'), Buffer.from('1'));
      next.close();
      const before = await opener(disk.boot + 2)(disk);
      const content = [...before.scan()].map(({ key }) => `${key}`);
      before.close();
      const after = disk.crash({ fates: [], fill: 'garbage', seed: nth });
      const store = await opener(after.boot)(after);
      expect([...store.scan()].map(({ key }) => `${key}`)).toEqual(content);
      store.close();
    }
  });
});
