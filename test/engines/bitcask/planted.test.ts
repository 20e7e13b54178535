/**
 * Would the exploration notice? Each case plants one mistake that stores of this kind have really
 * made, and the same workload and the same invariants have to find it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
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

const ENGINE = '../../../src/engines/bitcask';
const MODULES = ['catalog', 'merge', 'merge-output', 'append-file', 'recover'];

afterEach(() => {
  for (const name of MODULES) vi.doUnmock(`${ENGINE}/${name}.ts`);
  vi.resetModules();
});

type Workload = (open: Opener, disk: Disk, log: EventLog) => Promise<void>;

interface Plan {
  defect?: Defect;
  options?: BitcaskOptions;
  /** An engine with a mistake in it. */
  careless?: Open;
  faults?: Fault[];
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
    limits: { maxStates: 700, maxRecoveryStates: 100, maxViolations: 1 },
  });
}

/** Workloads that were run without a mistake, and the options that they had. */
const sound = new Map<Workload, Set<string>>();

/** Without the mistake all is well; with it, what is found is what the mistake does. */
async function expectFound(workload: Workload, plan: Plan, words: RegExp): Promise<void> {
  const { options = {} } = plan;
  const known = sound.get(workload) ?? new Set();
  if (!known.has(JSON.stringify(options))) {
    expect((await run(workload, { options })).violations).toEqual([]);
    sound.set(workload, known.add(JSON.stringify(options)));
  }
  const report = await run(workload, plan);
  expect(report.violations.length).toBeGreaterThan(0);
  expect(report.violations[0]!.messages.join('\n')).toMatch(words);
}

/** The store with one module of it replaced. */
async function carelessStore(
  module: string,
  change: (real: Record<string, unknown>) => Record<string, unknown>,
): Promise<Open> {
  vi.resetModules();
  vi.doMock(`${ENGINE}/${module}.ts`, async (original) => {
    const real = await original<Record<string, unknown>>();
    return { ...real, ...change(real) };
  });
  const { BitcaskStore } = await import('../../../src/engines/bitcask/store.ts');
  return BitcaskStore.open.bind(BitcaskStore) as Open;
}

/** biome-ignore lint/suspicious/noExplicitAny: a class of any shape, to be extended */
type AnyClass = new (...args: any[]) => any;

const merging: Workload = async (open, disk, log) => {
  const store = await open(disk);
  await write(store, log, [['a', '1']], true);
  await write(store, log, [['b', '1']], true);
  await write(store, log, [['a', undefined]], true);
  await store.merge();
  await write(store, log, [['b', '2']], true);
  await store.merge();
  await store.close();
};

/** The first file holds what a deletion in the second one hides; only the second is merged. */
const hiding: Workload = async (open, disk, log) => {
  const store = await open(disk);
  await write(store, log, [['a', '1']], true);
  await write(store, log, [['keep', 'k'.repeat(200)]], true);
  await write(store, log, [['a', undefined]], true);
  await write(store, log, [['b', 'x'.repeat(200)]], true);
  await write(store, log, [['b', '1']], true);
  await write(store, log, [['c', 'y'.repeat(200)]], true);
  await store.idle();
  await store.merge('worth');
  await store.close();
  await (await open(disk)).close();
};

const unsynced: Workload = async (open, disk, log) => {
  const store = await open(disk);
  await write(store, log, [['a', '1']], false);
  await write(
    store,
    log,
    [
      ['b', '1'],
      ['c', '1'],
    ],
    true,
  );
  await store.idle();
  await write(store, log, [['b', '2']], false);
  const merge = store.merge('worth');
  await write(store, log, [['a', '2']], false);
  await merge;
  await store.close();
};

const isData = (path: string): boolean => path.includes('.bcd');

describe('the exploration finds', () => {
  it('files deleted before the manifest that no longer names them has its name', async () => {
    const careless = await carelessStore('catalog', ({ Catalog }) => {
      const { prototype } = Catalog as { prototype: AnyClass['prototype'] };
      const { commit } = prototype;
      prototype.commit = function (nextSeq: number, closed: boolean, without?: Set<number>) {
        for (const number of without ?? []) this.disk.remove(this.files.get(number).path);
        return commit.call(this, nextSeq, closed, without);
      };
      return {};
    });
    await expectFound(merging, { careless }, /does not open.*not there/);
  });

  it('a hint that is durable before the data it tells of', () =>
    expectFound(merging, { defect: { skipsSync: isData } }, /does not open|holds/));

  it('a deletion dropped while an older file lives', async () => {
    const careless = await carelessStore('merge-output', ({ MergeOutput }) => ({
      MergeOutput: class extends (MergeOutput as AnyClass) {
        copy(record: { deleted: boolean }, asDeletion: boolean) {
          return record.deleted ? 0 : super['copy'](record, asDeletion);
        }
      },
    }));
    const options = { fileBytes: 300, mergeDead: 0.4 };
    await expectFound(hiding, { careless, options }, /holds "a=1/);
  });

  it('a manifest whose directory is not synced', () =>
    expectFound(
      merging,
      { defect: { skipsDirectorySync: (_, created) => created.includes('MANIFEST') } },
      /does not open|holds/,
    ));

  it('a manifest that takes its name before it is synced', () =>
    expectFound(
      merging,
      { defect: { skipsSync: (path) => path.includes('MANIFEST') } },
      /does not open|holds/,
    ));

  it('a merge that forgets what a write replaces that is not durable yet', async () => {
    const careless = await carelessStore('merge', ({ Merger }) => ({
      Merger: class extends (Merger as AnyClass) {
        constructor(host: object) {
          super({ ...host, settled() {} });
        }
      },
    }));
    const options = { sync: 'none' as const, fileBytes: 200, mergeDead: 0.2 };
    await expectFound(unsynced, { careless, options }, /holds/);
  });

  it('a batch whose records do not say that they belong together', async () => {
    const careless = await carelessStore('append-file', ({ AppendFile }) => {
      const { prototype } = AppendFile as { prototype: { append(...args: unknown[]): number } };
      const { append } = prototype;
      prototype.append = function (...args) {
        return append.apply(this, args.with(5, false));
      };
      return {};
    });
    await expectFound(
      async (open, disk, log) => {
        const store = await open(disk);
        await write(store, log, [['a', '1']], true);
        await write(
          store,
          log,
          [
            ['a', 'x'.repeat(700)],
            ['b', 'y'.repeat(700)],
            ['c', '2'],
          ],
          true,
        );
        await store.close();
      },
      { careless },
      /holds/,
    );
  });

  it('a failed sync that nobody noticed', () =>
    expectFound(
      merging,
      { defect: { ignoresSyncErrors: true }, faults: [failing('sync', 4)] },
      /holds|does not open|verify/,
    ));

  it('recovery that goes on behind what only the cache has', async () => {
    const careless = await carelessStore('recover', (real) => ({
      async recoverFile(disk: Disk, file: { path: string; disk: Disk }, ...rest: unknown[]) {
        // Renames are what makes the rewritten file take the old one's place.
        const cutting: Disk = Object.create(disk, {
          rename: { value: (from: string) => disk.remove(from) },
        });
        const recoverFile = real['recoverFile'] as (...args: unknown[]) => Promise<void>;
        await recoverFile(cutting, file, ...rest);
      },
    }));
    await expectFound(
      async (open, disk, log) => {
        const first = await open(disk, { sync: 'none' });
        await write(first, log, [['a', '1']], false);
        await write(first, log, [['b', '1']], false);
        await first.merge('worth');
        await write(first, log, [['c', '1']], false);
        await first.close();
      },
      { careless },
      /does not open|holds|verify/,
    );
  });
});
