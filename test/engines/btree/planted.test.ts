/**
 * Would the exploration notice? Each case plants one mistake that stores of this kind have really
 * made, and the same workload and the same invariants have to find it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BtreeOptions } from '../../../src/engines/btree/options.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import type { ExploreReport } from '../../../src/io/sim-disk/explore-types.ts';
import { type Fault, failing } from '../../../src/io/sim-disk/faults.ts';
import { type Defect, DefectiveDisk } from '../wal/defective-disk.ts';
import {
  type Event,
  type EventLog,
  fsck,
  type Open,
  type Opener,
  opener,
  ROOT,
  violations,
  write,
} from './invariants.ts';

const ENGINE = '../../../src/engines/btree';
const MODULES = ['pager', 'free-space', 'frame', 'store'];

afterEach(() => {
  for (const name of MODULES) vi.doUnmock(`${ENGINE}/${name}.ts`);
  vi.resetModules();
});

interface Plan {
  defect?: Defect;
  options?: BtreeOptions;
  /** An engine with a mistake in it. */
  careless?: Open;
  faults?: Fault[];
}

/** Enough keys for three leaves; overwritten, deleted, one too long for a leaf. */
async function workload(open: Opener, disk: Disk, log: EventLog): Promise<void> {
  const store = open(disk);
  const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await write(
    store,
    log,
    all.map((key) => [key, '1'.repeat(90)]),
  );
  for (const key of ['c', 'a', 'c']) await write(store, log, [[key, `${key}2`]]);
  await write(store, log, [['x', 'x'.repeat(700)]]);
  await write(store, log, [['x', '3']]);
  await write(
    store,
    log,
    ['d', 'e', 'f'].map((key) => [key, undefined]),
  );
  await write(store, log, [['b', '4']]);
  store.close();
}

async function run(plan: Plan): Promise<ExploreReport> {
  const openerFor = (boot: number): Opener => {
    const open = opener(boot, plan.options, plan.careless);
    return (disk, more) => open(new DefectiveDisk(disk, plan.defect ?? {}), more);
  };
  return explore<Event>({
    disk: { root: ROOT, ...(plan.faults && { faults: plan.faults }) },
    workload: (disk, log) => workload(openerFor(disk.boot), disk, log),
    check: (disk, { events }) => violations(disk, events, openerFor(disk.boot)),
    limits: { maxStates: 400, maxRecoveryStates: 60, maxViolations: 1 },
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
  const { BtreeStore } = await import('../../../src/engines/btree/store.ts');
  return BtreeStore.open.bind(BtreeStore) as Open;
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

describe('the exploration finds', () => {
  it('nothing without a mistake', async () => {
    expect((await run({})).violations).toEqual([]);
  });

  it('a freed page used again before the transaction is there that frees it', async () => {
    const careless = await carelessStore('free-space', (real) =>
      patch(real, 'FreeSpace', 'free', () => {
        return function (this: { giveBack(page: number): void }, page: number) {
          this.giveBack(page);
        } as never;
      }),
    );
    await expectFound({ careless }, /does not open|fsck/);
  });

  it('a page that is freed twice', async () => {
    const careless = await carelessStore('free-space', (real) =>
      patch(real, 'FreeSpace', 'free', (free) => {
        return function (...args) {
          free.apply(this, args);
          return free.apply(this, args);
        };
      }),
    );
    // That is noticed at once, and nothing is written.
    await expect(run({ careless })).rejects.toThrow('is given up, and free already');
  });

  it('a page that is never freed', async () => {
    const careless = await carelessStore('free-space', (real) =>
      patch(real, 'FreeSpace', 'free', () => () => {}),
    );
    await expectFound({ careless }, /fsck: page-leaked/);
  });

  it('a meta page written before the pages are synced', async () => {
    let syncs = 0;
    const skipsSync = (path: string, data: boolean) =>
      path.endsWith('tree.bt2') && data && syncs++ % 2 === 1;
    await expectFound({ defect: { skipsSync } }, /does not open|fsck|holds/);
  });

  it('a file that is not synced at all', () =>
    expectFound(
      { defect: { skipsSync: (path, data) => path.endsWith('tree.bt2') && data } },
      /does not open|fsck|holds/,
    ));

  it('one meta page written over and over', async () => {
    const careless = await carelessStore('pager', (real) =>
      patch(real, 'Pager', 'writeMeta', (old) => {
        return function (this: never, meta: { page: number; txn: number }) {
          // The other page is never written, its number notwithstanding.
          return old.call(this, { ...meta, page: 0 });
        } as never;
      }),
    );
    await expectFound({ careless }, /does not open|fsck: meta-bad|holds/);
  });

  it('a parent that keeps the page that was copied', async () => {
    const careless = await carelessStore('frame', (real) =>
      patch(real, 'Frame', 'setChild', (setChild) => {
        return function (this: never, i: number, page: number, crc: number) {
          if (i === 0 || crc !== 0) setChild.call(this, i, page, crc);
        } as never;
      }),
    );
    // The old page is copied, and so given up, once more: no crash is needed.
    await expect(run({ careless })).rejects.toThrow('is given up, and free already');
  });

  it('a failed sync that nobody noticed', () =>
    expectFound(
      { defect: { ignoresSyncErrors: true }, faults: [failing('sync', 5)] },
      /holds|does not open|fsck/,
    ));

  it('a torn page that recovery leaves in the free list', async () => {
    const careless = await carelessStore('pager', (real) =>
      patch(real, 'Pager', 'isWhole', () => () => true),
    );
    // Two sectors a page, so that it can tear.
    await expectFound({ careless, options: { pageSize: 1024 } }, /fsck: page-checksum/);
  });

  it('a batch of which each write is committed by itself', async () => {
    const careless = await carelessStore('store', (real) =>
      patch(real, 'BtreeStore', 'batch', () => {
        return async function (
          this: { batch(one: unknown[]): Promise<number> },
          operations: { key: Uint8Array; value?: Uint8Array }[],
        ) {
          const store = this as unknown as {
            put(key: Uint8Array, value: Uint8Array): Promise<boolean>;
            delete(key: Uint8Array): Promise<boolean>;
          };
          for (const { key, value } of operations) {
            await (value ? store.put(key, value) : store.delete(key));
          }
          return operations.length;
        } as never;
      }),
    );
    await expectFound({ careless }, /holds/);
  });
});

describe('before recovery', () => {
  /** What a rollback by one transaction would give, should the live meta page be lost as well. */
  const otherMeta = (open: Opener) =>
    explore<Event>({
      disk: { root: ROOT },
      workload: (disk, log) => workload(open, disk, log),
      check: async (disk) => {
        if (!disk.stat(`${ROOT}/tree.bt2`)) return [];
        return (await fsck(disk)).filter((one) => /other meta page.*findings/.test(one));
      },
      limits: { maxStates: 250, maxRecoveryStates: 0, maxViolations: 1 },
      idempotence: false,
    });

  it('a freed page used again while the other meta page needs it is found', async () => {
    expect((await otherMeta(opener(0))).violations).toEqual([]);
    const careless = await carelessStore('free-space', (real) =>
      patch(real, 'FreeSpace', 'release', (release) => {
        return function () {
          return release.call(this, Number.MAX_SAFE_INTEGER);
        };
      }),
    );
    const { violations: found } = await otherMeta(opener(0, {}, careless));
    expect(found[0]?.messages.join('\n')).toMatch(/has \d+ findings/);
  });
});
