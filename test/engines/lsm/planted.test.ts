/**
 * Would the exploration notice? Each case plants one mistake that stores of this kind have really
 * made, and the same invariants have to find it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LsmOptions } from '../../../src/engines/lsm/options.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import type { ExploreReport } from '../../../src/io/sim-disk/explore-types.ts';
import { type Fault, failing } from '../../../src/io/sim-disk/faults.ts';
import { type Defect, DefectiveDisk } from '../wal/defective-disk.ts';
import {
  type Event,
  type EventLog,
  type Open,
  type Opener,
  opener,
  ROOT,
  violations,
  write,
} from './invariants.ts';

const ENGINES = '../../../src/engines';
const MODULES = ['lsm/catalog', 'lsm/merge', 'lsm/table-output', 'wal/log', 'wal/recover'];

afterEach(() => {
  for (const name of MODULES) vi.doUnmock(`${ENGINES}/${name}.ts`);
  vi.resetModules();
});

type Workload = (open: Opener, disk: Disk, log: EventLog) => Promise<void>;

interface Plan {
  defect?: Defect;
  options?: LsmOptions;
  /** An engine with a mistake in it. */
  careless?: Open;
  faults?: Fault[];
  states?: number;
}

async function run(workload: Workload, plan: Plan): Promise<ExploreReport> {
  const { defect = {}, options = {} } = plan;
  const openerFor = (boot: number): Opener => {
    const open = opener(boot, options, plan.careless);
    return (disk, more) => open(new DefectiveDisk(disk, defect), more);
  };
  return explore<Event>({
    disk: { root: ROOT, ...(plan.faults && { faults: plan.faults }) },
    workload: (disk, log) => workload(openerFor(disk.boot), disk, log),
    check: (disk, { events }) => violations(disk, events, openerFor(disk.boot)),
    limits: { maxStates: plan.states ?? 250, maxRecoveryStates: 40, maxViolations: 1 },
  });
}

/** Without the mistake all is well; with it, what is found is what the mistake does. */
async function expectFound(workload: Workload, plan: Plan, words: RegExp): Promise<void> {
  const sound = await run(workload, plan.options ? { options: plan.options } : {});
  expect(sound.violations).toEqual([]);
  const report = await run(workload, plan);
  expect(report.violations.length).toBeGreaterThan(0);
  expect(report.violations[0]!.messages.join('\n')).toMatch(words);
}

/** The store with one module replaced. */
async function carelessStore(
  module: string,
  change: (real: Record<string, unknown>) => Record<string, unknown>,
): Promise<Open> {
  vi.resetModules();
  vi.doMock(`${ENGINES}/${module}.ts`, async (original) => {
    const real = await original<Record<string, unknown>>();
    return { ...real, ...change(real) };
  });
  const { LsmStore } = await import('../../../src/engines/lsm/store.ts');
  return LsmStore.open.bind(LsmStore) as Open;
}

/** biome-ignore lint/suspicious/noExplicitAny: a class of any shape, to be changed */
type Any = any;

/** The catalog with something done before each commit. */
const carelessCatalog = (before: (catalog: Any, edit: Any) => void): Promise<Open> =>
  carelessStore('lsm/catalog', ({ Catalog }) => {
    const { prototype } = Catalog as Any;
    const { commit } = prototype;
    prototype.commit = function (this: Any, edit: Any) {
      before(this, edit);
      return commit.call(this, edit);
    };
    return {};
  });

const flushing: Workload = async (open, disk, log) => {
  const store = await open(disk);
  await write(store, log, [['a', '1']], true);
  await write(store, log, [['b', '1']], true);
  await store.flush();
  await write(store, log, [['a', undefined]], true);
  await store.flush();
  await store.compact();
  await write(store, log, [['c', '1']], true);
  await store.close();
};

const isTable = (path: string): boolean => path.includes('.sst2');
const isManifest = (path: string): boolean => path.includes('MANIFEST.lsm2');

describe('the exploration finds', () => {
  it('a log deleted before its table is in the manifest', async () => {
    const careless = await carelessStore('wal/log', ({ WriteAheadLog }) => {
      const { prototype } = WriteAheadLog as Any;
      const { rotate } = prototype;
      prototype.rotate = function (this: Any) {
        rotate.call(this);
        this.truncate(this.currentSeq);
      };
      return {};
    });
    await expectFound(flushing, { careless }, /does not open|holds/);
  });

  it('a table that takes its name before it is synced', () =>
    expectFound(
      flushing,
      { defect: { skipsSync: isTable } },
      /does not open|cannot be read|verify/,
    ));

  it('a manifest that takes its name before it is synced', () =>
    expectFound(flushing, { defect: { skipsSync: isManifest } }, /does not open|holds/));

  it('a manifest whose directory is not synced', () =>
    expectFound(
      flushing,
      { defect: { skipsDirectorySync: (_, created) => isManifest(created) } },
      /does not open|holds|stray/,
    ));

  it('tables deleted before the manifest that no longer names them is there', async () => {
    const careless = await carelessCatalog(({ disk }, { remove = [] }) => {
      for (const { path } of remove) disk.remove(path);
    });
    const workload: Workload = async (open, disk, log) => {
      const store = await open(disk);
      await write(store, log, [['a', '1']], true);
      await store.flush();
      await write(store, log, [['a', '2']], true);
      await store.compact();
      await store.close();
    };
    await expectFound(workload, { careless, states: 800 }, /does not open.*not there/);
  });

  it('a deletion dropped while an older table holds the key', async () => {
    const careless = await carelessStore('lsm/merge', ({ Merge }) => ({
      Merge: class extends (Merge as Any) {
        constructor(cursors: unknown, ranges: unknown, rules: object) {
          super(cursors, ranges, { ...rules, isOldest: () => true });
        }
      },
    }));
    await expectFound(flushing, { careless }, /holds "a=1/);
  });

  it('a range deletion dropped while an older table holds its keys', async () => {
    const careless = await carelessStore('lsm/merge', ({ Merge }) => ({
      Merge: class extends (Merge as Any) {
        constructor(cursors: unknown, ranges: unknown, rules: object) {
          super(cursors, ranges, { ...rules, isOldestRange: () => true });
        }
      },
    }));
    const workload: Workload = async (open, disk, log) => {
      const store = await open(disk);
      await write(store, log, [['a', '1']], true);
      await store.flush();
      await write(store, log, [['a..c', undefined]], true);
      await store.flush();
      await store.close();
    };
    await expectFound(workload, { careless, states: 500 }, /holds "a=1/);
  });

  it('a batch that is written operation by operation', async () => {
    const careless = await carelessStore('wal/log', ({ WriteAheadLog }) => {
      const { prototype } = WriteAheadLog as Any;
      prototype.batch = async function (this: Any, operations: unknown[]) {
        const seqs: number[] = [];
        for (const operation of operations) seqs.push(await this.append(operation));
        return seqs[0];
      };
      return {};
    });
    const workload: Workload = async (open, disk, log) => {
      const store = await open(disk);
      await write(store, log, [['a', '1']], true);
      await write(
        store,
        log,
        [
          ['a', '2'],
          ['b', '2'],
        ],
        true,
      );
      await store.close();
    };
    await expectFound(workload, { careless }, /holds/);
  });

  it('a manifest that says more is in the tables than is', async () => {
    const careless = await carelessCatalog((_, edit) => {
      if (edit.flushedSeq !== undefined) edit.flushedSeq += 1;
    });
    await expectFound(flushing, { careless }, /holds|does not open|missing-log/);
  });

  it('numbers that are given again after a crash', async () => {
    const careless = await carelessStore('wal/recover', (real) => ({
      async recoverEnd(...args: unknown[]) {
        const { end, recovered } = await (real['recoverEnd'] as Any)(...args);
        return { end: end && { ...end, nextSeq: end.lastSeq + 1n }, recovered };
      },
    }));
    const workload: Workload = async (open, disk, log) => {
      const store = await open(disk, { sync: 'none' });
      for (const key of ['a', 'b', 'c']) await write(store, log, [[key, '1']], false);
      await store.close();
    };
    const options = { sync: 'none' as const };
    await expectFound(workload, { careless, options }, /was given out/);
  });

  it('a failed sync that nobody noticed', () =>
    expectFound(
      flushing,
      { defect: { ignoresSyncErrors: true }, faults: [failing('sync', 4)] },
      /holds|does not open|missing-log|verify|cannot be read/,
    ));
});
