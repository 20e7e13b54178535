/**
 * Would the exploration notice? Each case plants one mistake that stores of this kind have really
 * made, and the same workload and the same invariants have to find it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { V1Options } from '../../../src/engines/btree-v1/options.ts';
import type { Disk, DiskFile } from '../../../src/io/disk.ts';
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

const ENGINE = '../../../src/engines/btree-v1';
const MODULES = ['pager', 'redo-log', 'frame', 'recover', 'store'];

afterEach(() => {
  for (const name of MODULES) vi.doUnmock(`${ENGINE}/${name}.ts`);
  vi.resetModules();
});

interface Plan {
  defect?: Defect;
  options?: V1Options;
  /** An engine with a mistake in it. */
  careless?: Open;
  faults?: Fault[];
}

/** Leaves that are split and merged, pages that are freed and used again. */
async function workload(open: Opener, disk: Disk, log: EventLog): Promise<void> {
  const store = await open(disk);
  const put = (keys: string, value: string) =>
    write(
      store,
      log,
      [...keys].map((key) => [key, value.repeat(110)]),
    );
  for (const keys of ['abcde', 'fgh', 'ij']) await put(keys, '1');
  for (const key of ['c', 'a']) await write(store, log, [[key, `${key}2`]]);
  await write(
    store,
    log,
    [...'defg'].map((key) => [key, undefined]),
  );
  await put('klmn', '3');
  await write(store, log, [['b', '4']]);
  await write(
    store,
    log,
    [...'hij'].map((key) => [key, undefined]),
  );
  store.close();
}

async function run(plan: Plan): Promise<ExploreReport> {
  const openerFor = (boot: number): Opener => {
    const options = { logBytes: 6000, ...plan.options };
    const open = opener(boot, options, plan.careless);
    return (disk, more) => open(new DefectiveDisk(disk, plan.defect ?? {}), more);
  };
  return explore<Event>({
    disk: { root: ROOT, ...(plan.faults && { faults: plan.faults }) },
    workload: (disk, log) => workload(openerFor(disk.boot), disk, log),
    check: (disk, { events }) => violations(disk, events, openerFor(disk.boot)),
    limits: { maxStates: 500, maxRecoveryStates: 60, maxViolations: 1 },
  });
}

/** With the mistake, what is found is what the mistake does. */
async function expectFound(plan: Plan, words: RegExp): Promise<void> {
  const report = await run(plan);
  expect(report.violations.length).toBeGreaterThan(0);
  expect(report.violations[0]!.messages.join('\n')).toMatch(words);
}

/** The store with one module of it replaced. */
async function carelessStore(
  module: string,
  change: (real: Record<string, unknown>) => Record<string, unknown> | undefined,
): Promise<Open> {
  vi.resetModules();
  vi.doMock(`${ENGINE}/${module}.ts`, async (original) => {
    const real = await original<Record<string, unknown>>();
    return { ...real, ...change(real) };
  });
  const { V1Store } = await import('../../../src/engines/btree-v1/store.ts');
  return V1Store.open.bind(V1Store) as Open;
}

/** biome-ignore lint/suspicious/noExplicitAny: a class of any shape, to be extended */
type AnyClass = new (...args: any[]) => any;
/** Changes a method for all objects of the class, as long as the module is mocked. */
function patch(
  real: Record<string, unknown>,
  name: string,
  method: string,
  change: (old: (...args: unknown[]) => unknown) => (this: never, ...args: never[]) => unknown,
): undefined {
  const { prototype } = real[name] as AnyClass;
  prototype[method] = change(prototype[method]);
}

const isLog = (path: string) => path.endsWith('btree.wal');
const isTree = (path: string) => path.endsWith('btree.db');

describe('the exploration finds', () => {
  it('nothing without a mistake', async () => {
    expect((await run({})).violations).toEqual([]);
  });

  it('metadata that is not in the log', async () => {
    const careless = await carelessStore('redo-log', (real) =>
      patch(real, 'RedoLog', 'add', (add) => {
        return function (this: never, page: number, image: Uint8Array) {
          if (page !== 0) add.call(this, page, image);
        } as never;
      }),
    );
    await expectFound({ careless }, /does not open|fsck|holds|says/);
  });

  it('operations without a beginning that says so', async () => {
    let entries = 0;
    const careless = await carelessStore('redo-log', (real) =>
      patch(real, 'RedoLog', 'add', (add) => {
        return function (this: { isEmpty: boolean }, page: number, image: Uint8Array) {
          // The metadata in front is left out, that behind stays.
          if (this.isEmpty) entries = 0;
          if (page === 0 && entries++ % 2 === 0) return;
          add.call(this, page, image);
        } as never;
      }),
    );
    await expectFound({ careless }, /does not open|fsck|holds|says/);
  });

  it('a page that is handed out while it is still on the free list', async () => {
    const careless = await carelessStore('pager', (real) =>
      patch(real, 'Pager', 'allocate', (allocate) => {
        return function (this: { meta: { freeHead: number } }, ...args: never[]) {
          const { freeHead } = this.meta;
          const frame = allocate.apply(this, args);
          this.meta.freeHead = freeHead;
          return frame;
        } as never;
      }),
    );
    // The second time it is noticed that the page is not free, and nothing is written.
    await expect(run({ careless })).rejects.toThrow('it is on the free list and not free');
  });

  it('a page that is freed twice', async () => {
    const careless = await carelessStore('pager', (real) => {
      // The last time only: when the page is handed out twice, that is noticed without a crash.
      let reused = false;
      patch(real, 'Pager', 'allocate', (allocate) => {
        return function (this: { meta: { freeHead: number } }, ...args: never[]) {
          reused ||= this.meta.freeHead !== 0xffff_ffff;
          return allocate.apply(this, args);
        } as never;
      });
      return patch(real, 'Pager', 'free', (free) => {
        return function (...args) {
          if (reused) free.apply(this, args);
          return free.apply(this, args);
        };
      });
    });
    await expectFound({ careless }, /fsck: free-cycle|holds|does not open/);
  });

  it('a page that is never freed', async () => {
    const careless = await carelessStore('pager', (real) =>
      patch(real, 'Pager', 'free', () => () => {}),
    );
    await expectFound({ careless }, /page-leaked/);
  });

  it('a leaf that leads to one that was merged into it', async () => {
    const careless = await carelessStore('frame', (real) => {
      const { prototype } = real['Frame'] as AnyClass;
      const link = Object.getOwnPropertyDescriptor(prototype, 'link')!;
      Object.defineProperty(prototype, 'link', {
        ...link,
        set(this: { leaf: boolean; count: number }, page: number) {
          if (!this.leaf || this.count === 0) link.set!.call(this, page);
        },
      });
      return undefined;
    });
    await expectFound({ careless }, /sibling-broken/);
  });

  it('a page in the file used again before the log has what frees it', async () => {
    const careless = await carelessStore('pager', (real) =>
      patch(real, 'Pager', 'touch', (touch) => {
        return function (
          this: { file: DiskFile; pageSize: number },
          frame: { page: number; bytes: Uint8Array },
        ) {
          touch.call(this, frame);
          const { file, pageSize } = this;
          file.write(frame.bytes, 0, pageSize, frame.page * pageSize);
        } as never;
      }),
    );
    await expectFound({ careless }, /does not open|fsck|holds|says/);
  });

  it('a log that is emptied before the file is synced', () =>
    expectFound(
      { defect: { skipsSync: (path, data) => isTree(path) && !data } },
      /does not open|fsck|holds/,
    ));

  it('a log that is not synced before the file is written', () =>
    expectFound(
      { defect: { skipsSync: (path, data) => isLog(path) && data } },
      /does not open|fsck|holds/,
    ));

  it('a log whose name is not synced', () =>
    expectFound({ defect: { skipsDirectorySync: (_, created) => isLog(created) } }, /holds/));

  it('a failed sync that nobody noticed', () =>
    expectFound(
      { defect: { ignoresSyncErrors: true }, faults: [failing('sync', 5)] },
      /holds|does not open|fsck/,
    ));

  it('torn pages that recovery leaves as they are', async () => {
    const careless = await carelessStore('recover', () => ({
      async applyLog(disk: Disk) {
        // Whatever is in it: the file has a length that fits.
        const path = `${ROOT}/btree.wal`;
        if (disk.stat(path)) disk.remove(path);
      },
    }));
    // Two sectors a page, so that it can tear.
    await expectFound({ careless, options: { pageSize: 1024 } }, /does not open|fsck|holds|says/);
  });

  it('a batch of which each write is committed by itself', async () => {
    const careless = await carelessStore('store', (real) =>
      patch(real, 'V1Store', 'batch', (batch) => {
        return async function (this: never, operations: unknown[]) {
          for (const one of operations) await batch.call(this, [one]);
          return operations.length;
        } as never;
      }),
    );
    await expectFound({ careless }, /holds/);
  });
});
