/**
 * Would the exploration notice? Each case plants one mistake that storage engines have really made, and the
 * same workload and the same invariants have to find it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WriteAheadLog } from '../../../src/engines/wal/log.ts';
import type { WalOptions } from '../../../src/engines/wal/options.ts';
import type { WalOperation } from '../../../src/formats/wal/model.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import type { ExploreReport } from '../../../src/io/sim-disk/explore-types.ts';
import { type Fault, failing } from '../../../src/io/sim-disk/faults.ts';
import { type Defect, DefectiveDisk, isSegment, isTemporary } from './defective-disk.ts';
import {
  type Event,
  type EventLog,
  type Opener,
  openLog,
  ROOT,
  violations,
  write,
} from './invariants.ts';

afterEach(() => {
  vi.doUnmock('../../../src/engines/wal/recover.ts');
  vi.doUnmock('../../../src/io/durable.ts');
  vi.resetModules();
});

type Workload = (open: Opener, disk: Disk, log: EventLog) => Promise<void>;

interface Plan {
  defect?: Defect;
  options?: WalOptions;
  /** Changes the log behind its back. */
  opener?: (open: Opener, boot: number) => Opener;
  /** How it is opened without the mistake, if not as usual. */
  soundOpener?: (open: Opener, boot: number) => Opener;
  faults?: Fault[];
}

async function run(workload: Workload, plan: Plan): Promise<ExploreReport> {
  const { defect = {}, options = { segmentBytes: 200 }, opener = (open) => open } = plan;
  const openerFor = (boot: number): Opener => {
    const open = openLog(boot, options);
    return opener((disk, more) => open(new DefectiveDisk(disk, defect), more), boot);
  };
  return explore<Event>({
    disk: { root: ROOT, ...(plan.faults && { faults: plan.faults }) },
    workload: (disk, log) => workload(openerFor(disk.boot), disk, log),
    check: (disk, { events }) => violations(disk, events, openerFor(disk.boot)),
    limits: { maxStates: 1500, maxRecoveryStates: 600, maxViolations: 1 },
  });
}

const rotating: Workload = async (open, disk, log) => {
  const wal = await open(disk);
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await write(wal, log, [key], true);
  await wal.close();
};

const truncating: Workload = async (open, disk, log) => {
  const wal = await open(disk);
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) await write(wal, log, [key], true);
  log.append({ kind: 'truncated', upTo: 4 });
  wal.truncate(4);
  await wal.close();
};

const unsynced: Workload = async (open, disk, log) => {
  const wal = await open(disk, { sync: 'none' });
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await write(wal, log, [key], false);
  await write(wal, log, ['x', 'y'], true);
  await wal.close();
};

async function expectFound(workload: Workload, plan: Plan, words: RegExp): Promise<void> {
  const { options, soundOpener } = plan;
  const sound = await run(workload, {
    ...(options && { options }),
    ...(soundOpener && { opener: soundOpener }),
  });
  expect(sound.violations).toEqual([]);
  const report = await run(workload, plan);
  expect(report.violations.length).toBeGreaterThan(0);
  expect(report.violations[0]!.messages.join('\n')).toMatch(words);
}

/** Every opening is by a process of its own, and those before it are dead. */
function succession(open: typeof WriteAheadLog.open) {
  return (_: Opener, boot: number): Opener => {
    let pid = 0;
    return (disk, options) =>
      open(disk, ROOT, {
        logId: () => 42n,
        preallocateBytes: 0,
        processes: { self: { pid: ++pid, started: `boot-${boot}` }, isAlive: () => false },
        ...options,
      });
  };
}

describe('the exploration finds', () => {
  it('no sync of the directory after a rotation', () =>
    expectFound(
      rotating,
      {
        defect: {
          skipsDirectorySync: (_, created) => isSegment(created) && created !== '000001.wal2',
        },
      },
      /durable and is lost|missing/,
    ));

  it('the manifest cut and rewritten in place', () =>
    expectFound(
      truncating,
      { defect: { replacesInPlace: (path) => path.includes('MANIFEST') } },
      /does not open|gone/,
    ));

  it('no sync of a temporary file before it takes its name', () =>
    expectFound(
      rotating,
      { defect: { skipsSync: (path) => isTemporary(path) } },
      /does not open|lost/,
    ));

  it('no sync of a segment before the next one is begun', () =>
    expectFound(
      unsynced,
      {
        options: { sync: 'none', segmentBytes: 200 },
        defect: { skipsSync: (path, data) => isSegment(path) && !data },
      },
      /does not open|lost|replay ends|verify|given out/,
    ));

  it('a batch split over several writes', () =>
    expectFound(
      async (open, disk, log) => {
        const wal = await open(disk);
        await write(wal, log, ['a'], true);
        await write(wal, log, ['b', 'c', 'd'], true);
        await wal.close();
      },
      {
        opener: (open) => async (disk, options) => {
          const wal = await open(disk, options);
          wal.batch = async (operations: readonly WalOperation[]) => {
            let first = 0;
            for (const one of operations) first ||= await wal.append(one);
            return first;
          };
          return wal;
        },
      },
      /expected put 62/,
    ));

  it('a failed sync that nobody noticed', () =>
    expectFound(
      rotating,
      {
        defect: { ignoresSyncErrors: true },
        faults: [failing('sync', 5)],
      },
      /durable and is lost|does not open|verify/,
    ));

  it('numbers given again after a torn tail', async () => {
    vi.doMock('../../../src/engines/wal/recover.ts', async (original) => {
      const real = await original<typeof import('../../../src/engines/wal/recover.ts')>();
      const recoverEnd: typeof real.recoverEnd = async (...args) => {
        const { end, recovered } = await real.recoverEnd(...args);
        return { end: end && { ...end, nextSeq: end.lastSeq + 1n }, recovered };
      };
      return { ...real, recoverEnd };
    });
    const careless = await import('../../../src/engines/wal/log.ts');
    const opener = succession(careless.WriteAheadLog.open.bind(careless.WriteAheadLog));
    await expectFound(unsynced, { opener }, /was given out/);
  });

  it('recovery that goes on in a segment that it has not synced', async () => {
    vi.doMock('../../../src/io/durable.ts', async (original) => {
      const real = await original<typeof import('../../../src/io/durable.ts')>();
      // The torn segment is cut where it stands instead of being written anew.
      const create = (disk: Disk, path: string) => {
        const file = disk.open(path, 'write');
        let at = 0;
        return {
          append(bytes: Uint8Array, start: number, end: number) {
            at += file.write(bytes, start, end - start, at);
          },
          finish() {
            file.truncate(at);
            file.close();
          },
          abort: () => file.close(),
        };
      };
      return { ...real, DurableWriter: { create } };
    });
    const careless = await import('../../../src/engines/wal/log.ts');
    const opener = succession(careless.WriteAheadLog.open.bind(careless.WriteAheadLog));
    const soundOpener = succession(WriteAheadLog.open.bind(WriteAheadLog));
    await expectFound(
      async (open, disk, log) => {
        // The first process dies with data that only the cache has; the second goes on behind it.
        const first = await open(disk, { sync: 'none' });
        await write(first, log, ['a'], false);
        await write(first, log, ['b'], false);
        const second = await open(disk);
        await write(second, log, ['c'], true);
        await second.close();
      },
      { opener, soundOpener },
      /expected|lost|verify|replay|open/,
    );
  });
});
