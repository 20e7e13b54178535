import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LockFile } from '../../src/io/lock-file.ts';
import { bootProcesses, type Processes, systemProcesses } from '../../src/io/processes.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { explore } from '../../src/io/sim-disk/explore.ts';
import { failing } from '../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { DdiaError } from '../../src/shared/errors.ts';
import { codeOf, readText, settle, simDisk, tree } from './files.ts';

const LOCK = '/d/LOCK';

/** Processes of one machine, each a pid and a start time; those in the set are alive. */
function machine() {
  const alive = new Set<string>();
  const process = (pid: number, started = `t${pid}`): Processes => {
    alive.add(`${pid} ${started}`);
    return {
      self: { pid, started },
      isAlive: (other) => alive.has(`${other.pid} ${other.started}`),
    };
  };
  const kill = ({ self }: Processes) => alive.delete(`${self.pid} ${self.started}`);
  return { process, kill };
}

function acquire(disk: SimDisk, processes: Processes): LockFile {
  return LockFile.acquire(disk, LOCK, processes);
}

describe('a lock file', () => {
  it('names its process, keeps others out, and is gone once released', () => {
    const disk = simDisk();
    const { process } = machine();
    const [first, second] = [process(11), process(22)];
    const lock = acquire(disk, first);
    expect(tree(disk, '/d')).toEqual({ [LOCK]: '11 t11\n' });
    const refused = () => acquire(disk, second);
    expect(codeOf(refused)).toBe('locked');
    expect(refused).toThrow('/d is in use by process 11');
    expect(refused).toThrow(DdiaError);
    expect(tree(disk, '/d')).toEqual({ [LOCK]: '11 t11\n' });
    lock.release();
    lock.release();
    expect(tree(disk, '/d')).toEqual({});
    acquire(disk, second).release();
  });

  it('keeps the same process out as well', () => {
    const disk = simDisk();
    const self = machine().process(11);
    acquire(disk, self);
    expect(() => acquire(disk, self)).toThrow('process 11');
  });

  it('of a dead process is replaced, also where its id has gone to another', () => {
    const disk = simDisk();
    const { process, kill } = machine();
    const dead = process(11, 'monday');
    acquire(disk, dead);
    kill(dead);
    process(11, 'tuesday');
    const lock = acquire(disk, process(22));
    expect(readText(disk, LOCK)).toBe('22 t22\n');
    lock.release();
  });

  it('that was never completed is replaced', () => {
    for (const content of ['', '11', '11 t1', 'no process\n', '0 t\n', '\0'.repeat(600)]) {
      const disk = simDisk();
      settle(disk, LOCK, content);
      const { process } = machine();
      process(11, 't');
      acquire(disk, process(22));
      expect(readText(disk, LOCK)).toBe('22 t22\n');
    }
  });

  it('of which the start time is not known counts by its id alone', () => {
    const disk = simDisk();
    const { process } = machine();
    acquire(disk, process(11, ''));
    expect(readText(disk, LOCK)).toBe('11 \n');
    expect(() => acquire(disk, process(22))).toThrow('process 11');
  });

  it('is not removed by one who has lost it', () => {
    const disk = simDisk();
    const { process } = machine();
    const lock = acquire(disk, process(11));
    disk.remove(LOCK);
    acquire(disk, process(22));
    lock.release();
    expect(readText(disk, LOCK)).toBe('22 t22\n');
  });

  it('leaves nothing behind when it cannot be taken', () => {
    for (const fault of [failing('write', 1), failing('create', 1), failing('create', 2)]) {
      const disk = simDisk();
      disk.inject(fault);
      const self = machine().process(11);
      expect(codeOf(() => acquire(disk, self))).toBe('EIO');
      expect(tree(disk, '/d')).toEqual({});
      acquire(disk, self);
    }
  });

  it('is had by one at most, however two processes take turns at it', () => {
    // The second one runs as a whole before each I/O of the first, over a lock that is stale, half
    // made or absent.
    let meetings = 0;
    for (const left of ['99 dead\n', '', undefined]) {
      for (let turn = 1; turn <= 6; turn++) {
        const disk = simDisk();
        if (left !== undefined) settle(disk, LOCK, left);
        const { process } = machine();
        const had: LockFile[] = [];
        const attempt = (processes: Processes) => {
          const code = codeOf(() => had.push(acquire(disk, processes)));
          expect([undefined, 'locked']).toContain(code);
        };
        const before = disk.operations;
        disk.onOperation = (operation, when) => {
          if (when === 'after' || operation.index !== before + turn) return;
          disk.onOperation = undefined;
          meetings++;
          attempt(process(22));
        };
        const first = process(11);
        attempt(first);
        expect(had.length, `turn ${turn}`).toBeLessThanOrEqual(1);
        disk.onOperation = undefined;
        for (const lock of had) lock.release();
        acquire(disk, first).release();
        expect(tree(disk, '/d')).toEqual({});
      }
    }
    expect(meetings).toBe(5 + 5 + 4);
  });

  it('can be taken after any crash, and leaves no claims about', async () => {
    const use = (disk: SimDisk) => {
      const lock = LockFile.acquire(disk, LOCK, bootProcesses(disk.boot));
      const names = disk.list('/d');
      disk.syncDirectory('/d');
      lock.release();
      disk.syncDirectory('/d');
      return names;
    };
    const report = await explore({
      disk: { root: '/d' },
      workload: (disk) => void use(disk),
      check: (disk) => (use(disk).join() === 'LOCK' ? [] : ['more than the lock is there']),
    });
    expect(report).toMatchObject({ violations: [], complete: true });
    expect(report.recoveryStates).toBeGreaterThan(20);
  });
});

describe('processes of this machine', () => {
  const here = systemProcesses();

  it('know this one, and one that has ended', () => {
    expect(here.self.pid).toBe(process.pid);
    expect(here.isAlive(here.self)).toBe(true);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    expect(here.isAlive({ pid, started: '' })).toBe(false);
  });

  it.runIf(process.platform === 'linux')('tell a process from an earlier one of its id', () => {
    expect(here.self.started).toMatch(/^\d+-[0-9a-f-]{36}$/);
    expect(here.isAlive({ pid: process.pid, started: '1-another-boot' })).toBe(false);
    expect(here.isAlive({ pid: process.pid, started: '' })).toBe(true);
    // Process 1 may be another user's, and is there all the same.
    expect(here.isAlive({ pid: 1, started: '' })).toBe(true);
  });

  it('lock a real directory', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ddia-lock-'));
    try {
      const [disk, path] = [new RealDisk(), join(directory, 'LOCK')];
      const lock = LockFile.acquire(disk, path);
      expect(readFileSync(path, 'latin1')).toBe(`${process.pid} ${here.self.started}\n`);
      expect(() => LockFile.acquire(disk, path)).toThrow(`in use by process ${process.pid}`);
      lock.release();
      expect(disk.list(directory)).toEqual([]);
      const { pid } = spawnSync(process.execPath, ['-e', '']);
      writeFileSync(path, `${pid} \n`);
      LockFile.acquire(disk, path).release();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
