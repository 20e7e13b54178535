import { describe, expect, it } from 'vitest';
import type { Profile } from '../../src/io/sim-disk/choices.ts';
import { explore } from '../../src/io/sim-disk/explore.ts';
import type { ExploreOptions } from '../../src/io/sim-disk/explore-types.ts';
import { reproduce } from '../../src/io/sim-disk/reproduce.ts';
import { formatReport } from '../../src/io/sim-disk/violation.ts';
import { readText, tree, writeText } from './files.ts';
import { logOptions, registerOptions, valuesOf } from './toy-explorations.ts';
import { type Bug, ToyLog } from './toy-stores.ts';

const PROFILES: readonly Profile[] = ['ordered', 'per-file', 'adversarial'];

describe('exploring a store without bugs', () => {
  for (const profile of PROFILES) {
    it(`finds nothing, ${profile}`, async () => {
      for (const options of [registerOptions(), logOptions()]) {
        const report = await explore({ ...options, profile });
        expect(formatReport(report)).toContain(' 0 violations');
        expect(report.complete).toBe(true);
        expect(report.operations).toBeGreaterThan(9);
        expect(report.points).toBeGreaterThanOrEqual(report.operations + 1);
        expect(report.states).toBeGreaterThan(15);
        expect(report.recoveryStates).toBeGreaterThan(0);
      }
    });
  }

  it('is not told of a failed sync as a bug where the store stops', async () => {
    for (let nth = 1; nth <= 4; nth++) {
      expect((await explore(logOptions(undefined, nth))).violations).toEqual([]);
    }
  });
});

describe('exploring a store with a bug', () => {
  const planted: readonly [Bug, Profile, (bug: Bug) => ExploreOptions][] = [
    ['rename without sync', 'ordered', registerOptions],
    ['no directory sync', 'ordered', registerOptions],
    ['in place', 'ordered', registerOptions],
    ['recovery rewrites in place', 'ordered', registerOptions],
    ['sync before the write', 'ordered', logOptions],
    ['sync errors ignored', 'ordered', (bug) => logOptions(bug, 2)],
    ['no checksum', 'ordered', logOptions],
    ['torn tail kept', 'ordered', logOptions],
    ['recovered but not synced', 'ordered', logOptions],
    ['tail moved aside by each recovery', 'ordered', logOptions],
  ];
  for (const [bug, mildest, options] of planted) {
    it(`finds it: ${bug}`, async () => {
      for (const profile of PROFILES) {
        const report = await explore({ ...options(bug), profile });
        const milder = PROFILES.indexOf(profile) < PROFILES.indexOf(mildest);
        expect(report.violations.length > 0, profile).toBe(!milder);
      }
    });
  }

  it('says which crash of the recovery does it', async () => {
    const report = await explore({
      ...registerOptions('recovery rewrites in place'),
      profile: 'ordered',
      limits: { maxViolations: 1 },
    });
    expect(report.violations[0]?.description).toMatchInlineSnapshot(`
      "found "", not undefined
      crash at point 4, after 4 rename /d/new to /d/value, with zeros in unwritten sectors
        kept    link in /d: new
        kept    rename in /d: new to value
      second crash, in recovery, at point 1, after 1 truncate /d/value to 0, with zeros in unwritten sectors
        kept    truncate /d/value to 0
      profile ordered, seed 1"
    `);
  });

  it('describes a violation with no more lost than it takes', async () => {
    const options: ExploreOptions = {
      disk: { root: '/d' },
      workload: (disk) => {
        for (const name of ['a', 'b', 'c', 'd']) disk.open(`/d/${name}`, 'create').close();
      },
      check: (disk) => {
        const names = disk.list('/d').join('');
        return names.includes('d') && !/[bc]/.test(names) ? ['d without b and c'] : [];
      },
      limits: { maxViolations: 1 },
    };
    const { violations } = await explore(options);
    expect(violations[0]?.description).toMatchInlineSnapshot(`
      "d without b and c
      crash at point 4, after 4 create /d/d, with zeros in unwritten sectors
        kept    link in /d: a
        dropped link in /d: b
        dropped link in /d: c
        kept    link in /d: d
      profile adversarial, seed 1"
    `);
    const { disk } = await reproduce(options, violations[0]!);
    expect(tree(disk, '/d')).toEqual({ '/d/a': '', '/d/d': '' });
  });

  it('reproduces a crash in recovery with the events up to it', async () => {
    const options = { ...logOptions('recovered but not synced'), profile: 'ordered' as const };
    const { violations } = await explore(options);
    const violation = violations.find(({ during }) => during !== undefined)!;
    const { disk, events } = await reproduce(options, violation);
    const promised = valuesOf(events, 'acknowledged');
    expect(new ToyLog(disk).records.length).toBeLessThan(promised.length);
    expect(violation.at.crash).toBe('process killed');
  });
});

describe('an exploration', () => {
  it('is the same every time', async () => {
    const options = { ...logOptions('no checksum'), seed: 42 };
    expect(await explore(options)).toEqual(await explore(options));
  });

  it('gives the check what had happened by the crash, and nothing later', async () => {
    const seen = new Map<string, number>();
    await explore<number>({
      disk: { root: '/d' },
      prepare: (disk) => writeText(disk, '/d/count', '0', { sync: true }),
      workload: (disk, log) => {
        disk.syncDirectory('/d');
        for (let count = 1; count <= 3; count++) {
          writeText(disk, '/d/count', `${count}`, { sync: true });
          log.append(count);
        }
      },
      check: (disk, { events }) => {
        const found = disk.stat('/d/count') === undefined ? 'none' : readText(disk, '/d/count');
        seen.set(`${found} ${events.join()}`, (seen.get(`${found} ${events.join()}`) ?? 0) + 1);
        return undefined;
      },
    });
    const expected = ['none ', '0 ', '1 ', '1 1', '2 1', '2 1,2', '3 1,2', '3 1,2,3'];
    expect([...seen.keys()].sort()).toEqual(expected.sort());
  });

  it('stays within its limits, and says so', async () => {
    const report = await explore({
      ...logOptions(),
      limits: { maxStates: 40, maxStatesPerPoint: 4, maxRecoveryStates: 10 },
    });
    expect(report.complete).toBe(false);
    expect(report.states).toBeLessThanOrEqual(40);
    expect(report.recoveryStates).toBeLessThanOrEqual(report.points + 10);
    expect(report.violations).toEqual([]);
  });

  it('tries every combination of twelve operations, and samples those of more', async () => {
    const states = async (files: number) => {
      const found = new Set<string>();
      const report = await explore({
        disk: { root: '/d' },
        workload: (disk) => {
          for (let number = 0; number < files; number++) disk.open(`/d/${number}`, 'create');
        },
        check: (disk) => void found.add(disk.list('/d').join()),
      });
      return { complete: report.complete, count: found.size };
    };
    expect(await states(12)).toEqual({ complete: true, count: 2 ** 12 });
    const more = await states(14);
    expect(more.complete).toBe(false);
    expect(more.count).toBeGreaterThan(2 ** 12);
    expect(more.count).toBeLessThan(2 ** 13);
  });

  it('reports what a check throws, and rejects with what a workload throws', async () => {
    const options = registerOptions();
    const failed = new Error('no such store');
    const thrower = () => {
      throw failed;
    };
    const { violations } = await explore({ ...options, check: thrower });
    expect(violations[0]?.messages[0]).toContain('the check threw Error: no such store');
    await expect(explore({ ...options, workload: thrower })).rejects.toBe(failed);
  });

  it('can leave out the death of the process and the second recovery', async () => {
    const killed = { ...logOptions('recovered but not synced'), processKill: false };
    const { violations } = await explore({ ...killed, profile: 'ordered' });
    expect(violations.filter(({ at }) => at.crash === 'process killed')).toEqual([]);
    const moved = { ...logOptions('tail moved aside by each recovery'), idempotence: false };
    expect((await explore(moved)).violations).toEqual([]);
  });
});
