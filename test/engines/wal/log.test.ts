import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WriteAheadLog } from '../../../src/engines/wal/log.ts';
import type { WalOptions } from '../../../src/engines/wal/options.ts';
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import type { Disk, DiskFile, OpenMode } from '../../../src/io/disk.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { DefectiveDisk } from './defective-disk.ts';
import { type Event, openLog, put, ROOT, violations, write } from './invariants.ts';

const directories: string[] = [];
afterEach(() => {
  for (const one of directories.splice(0)) rmSync(one, { recursive: true, force: true });
});

/** A log on a simulated disk. */
async function simulated(options: WalOptions = {}) {
  const disk = new SimDisk({ root: ROOT });
  const open = (more: WalOptions = {}) => openLog(0, { ...options, ...more })(disk);
  return { disk, open, log: await open() };
}

async function keysOf(log: WriteAheadLog, after = 0): Promise<string[]> {
  const keys: string[] = [];
  await log.replay(after, (r) => keys.push(String(bytesValue(r.bytes, r.keyStart, r.keyEnd))));
  return keys;
}

/** Counts syncs of data. */
class CountingDisk extends DefectiveDisk {
  syncs = 0;

  constructor(disk: Disk) {
    super(disk, {});
  }

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    const count = () => this.syncs++;
    return new Proxy(file, {
      get(target, name) {
        if (name === 'dataSync' || name === 'sync') count();
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

describe('numbers', () => {
  it('begin at 1, continue over batches, checkpoints, rotation and reopening', async () => {
    const { open, log } = await simulated({ segmentBytes: 200 });
    expect(log.currentSeq).toBe(0);
    expect(await log.append(put('a'))).toBe(1);
    expect(await log.batch([put('b'), put('c')])).toBe(2);
    expect(await log.checkpoint()).toBe(4);
    for (let seq = 5; seq < 12; seq++) expect(await log.append(put(`k${seq}`))).toBe(seq);
    expect(log.status.segment).toBeGreaterThan(1);
    await log.close();
    const again = await open();
    expect(again.currentSeq).toBe(11);
    expect(again.recovered).toEqual([]);
    expect(await again.append(put('z'))).toBe(12);
    expect(await keysOf(again, 10)).toEqual(['k11', 'z']);
    await again.close();
  });
});

describe('syncing', () => {
  async function counted(options: WalOptions) {
    const disk = new CountingDisk(new SimDisk({ root: ROOT }));
    const log = await openLog(0, options)(disk);
    await log.append(put('first')); // makes the segment
    disk.syncs = 0;
    return { disk, log };
  }

  it('is shared by appends that are under way together', async () => {
    const { disk, log } = await counted({});
    await Promise.all(Array.from({ length: 16 }, (_, i) => log.append(put(`k${i}`))));
    expect(disk.syncs).toBe(1);
  });

  it('happens once in batchEvery operations, and any sync begins the count anew', async () => {
    const { disk, log } = await counted({ sync: 'batch', batchEvery: 5 });
    for (let i = 0; i < 3; i++) await log.append(put('a'));
    expect(disk.syncs).toBe(0);
    await log.append(put('a'));
    expect(disk.syncs).toBe(1); // with the first one, five
    await log.append(put('a'));
    await log.checkpoint();
    expect(disk.syncs).toBe(2);
    for (let i = 0; i < 4; i++) await log.append(put('a'));
    expect(disk.syncs).toBe(2);
    await log.append(put('a'));
    expect(disk.syncs).toBe(3);
  });

  it('is left to the system in mode none, but for batches and checkpoints', async () => {
    const { disk, log } = await counted({ sync: 'none' });
    for (let i = 0; i < 50; i++) await log.append(put('a'));
    expect(disk.syncs).toBe(0);
    await log.batch([put('a'), put('b')]);
    expect(disk.syncs).toBe(1);
    expect(log.status.syncedSeq).toBe(log.currentSeq);
  });
});

describe('refusals', () => {
  it('name the option and what is allowed', async () => {
    const disk = new SimDisk({ root: ROOT });
    const open = (options: object) => WriteAheadLog.open(disk, ROOT, options as WalOptions);
    await expect(open({ sync: 'always' })).rejects.toThrow('sync must be one of sync, batch, none');
    await expect(open({ batchEvery: 0 })).rejects.toThrow(
      'batchEvery must be an integer of at least 1',
    );
    await expect(open({ segmentbytes: 1 })).rejects.toThrow('unknown option segmentbytes');
    await expect(open({ create: false })).resolves.toBeDefined();
    await expect(WriteAheadLog.open(disk, `${ROOT}/none`, { create: false })).rejects.toMatchObject(
      { code: 'not-found' },
    );
  });

  it('keep a second writer out', async () => {
    const { open, log } = await simulated();
    await expect(open()).rejects.toMatchObject({ code: 'locked' });
    await log.close();
    await (await open()).close();
  });

  it('meet what the layout cannot hold, with nothing written and no number spent', async () => {
    const { log } = await simulated();
    const odd = { op: 'merge', key: Buffer.from('k'), value: Buffer.from('') };
    await expect(log.append(odd)).rejects.toMatchObject({ code: 'unsupported-op' });
    await expect(log.batch([odd])).rejects.toMatchObject({ code: 'bad-batch' });
    await expect(log.batch([])).rejects.toMatchObject({ code: 'empty-batch' });
    expect(await log.append(put('a'))).toBe(1);
  });

  it('come from a closed log', async () => {
    const { log } = await simulated();
    await log.close();
    await log.close();
    await expect(log.append(put('a'))).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('a failed sync', () => {
  it('fails all that wait for it and all that come after, until the log is opened again', async () => {
    const disk = new SimDisk({ root: ROOT });
    const log = await openLog(0, {})(disk);
    await log.append(put('a'));
    disk.inject(failing('sync', 1));
    const both = await Promise.allSettled([log.append(put('b')), log.append(put('c'))]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(log.append(put('d'))).rejects.toMatchObject({ code: 'poisoned' });
    await expect(log.close()).rejects.toMatchObject({ code: 'poisoned' });
    const again = await openLog(0, {})(disk);
    expect((await keysOf(again))[0]).toBe('a');
    expect(await again.append(put('e'))).toBeGreaterThan(3);
    await again.close();
  });
});

describe('a medium that fails', () => {
  async function closedLog() {
    const { disk, open, log } = await simulated();
    for (let i = 0; i < 9; i++) await log.append(put(`k${i}`));
    await log.close();
    return { disk, open };
  }

  it('is corruption where synced records stand behind it, and no torn tail', async () => {
    const { disk, open } = await closedLog();
    disk.flipBit(`${ROOT}/000001.wal2`, 200, 3);
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
    // The refusal leaves the log as it is, and the lock free.
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('is corruption in the last record too, where the log was closed behind it', async () => {
    const { disk, open } = await closedLog();
    disk.flipBit(`${ROOT}/000001.wal2`, 96 + 9 * 33 - 4, 3);
    await expect(open()).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('is an error of the disk where a sector cannot be read', async () => {
    const { disk, open } = await closedLog();
    disk.makeUnreadable(`${ROOT}/000001.wal2`, 0);
    await expect(open()).rejects.toMatchObject({ code: 'EIO' });
  });

  it('is seen where a write went to another place', async () => {
    const disk = new SimDisk({ root: ROOT });
    const log = await openLog(0, {})(disk);
    for (let i = 0; i < 5; i++) await log.append(put(`k${i}`));
    const effect = { kind: 'misdirected' as const, position: 8192 };
    disk.inject({ on: 'write', nth: 1, path: '000001.wal2', effect });
    await log.append(put('lost', 'x'.repeat(3000)));
    for (let i = 0; i < 3; i++) await log.append(put(`later${i}`));
    await log.close();
    disk.dropCaches();
    await expect(openLog(0, {})(disk)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('is seen where that was the last write, and nothing but the closing mark follows', async () => {
    const { disk, open, log } = await simulated();
    await log.append(put('first'));
    const effect = { kind: 'misdirected' as const, position: 8192 };
    disk.inject({ on: 'write', nth: 1, path: '000001.wal2', effect });
    await log.append(put('lost', 'x'.repeat(3000)));
    await log.close();
    disk.dropCaches();
    await expect(open()).rejects.toThrow('the mark behind it proves it synced');
    disk.remove(`${ROOT}/MANIFEST.wal2`);
    await expect(open()).rejects.toThrow('the mark behind it proves it synced');
  });
});

describe('a log that was closed', () => {
  it('ends where its manifest says, and no sooner', async () => {
    const { disk, open, log } = await simulated();
    await log.append(put('first'));
    const end = 96 + log.status.bytesWritten;
    await log.append(put('last'));
    await log.close();
    const file = disk.open(`${ROOT}/000001.wal2`, 'write');
    file.truncate(end);
    file.close();
    await expect(open()).rejects.toThrow(/the log ends at seq 1, seq 2 was durable/);
  });
});

describe('a log that was not closed', () => {
  it('goes on before a last record of which only the end is on the disk', async () => {
    const { disk, log } = await simulated();
    await log.append(put('first'));
    const before = log.status.bytesWritten;
    await log.append(put('torn', 'x'.repeat(40_000)));
    const torn = disk.open(`${ROOT}/000001.wal2`, 'write');
    const sector = new Uint8Array(512);
    torn.write(sector, 0, sector.length, 96 + before + 1024);
    torn.close();
    // Twice: what the first opening made of it has to be whole.
    for (const boot of [1, 2]) {
      const again = await openLog(boot, {})(disk);
      expect(await keysOf(again)).toEqual(['first']);
      await again.close();
    }
  });

  it('was damaged, where bytes are put in between and no record is missing', async () => {
    // Nothing was synced, so that nothing but the numbers tells it from a torn tail.
    const { disk, log } = await simulated({ sync: 'none' });
    for (let i = 0; i < 9; i++) await log.append(put(`k${i}`));
    const [at, length, end] = [96 + 33, 33, 96 + 9 * 33];
    const file = disk.open(`${ROOT}/000001.wal2`, 'write');
    const bytes = Buffer.alloc(end - at);
    expect(file.read(bytes, 0, bytes.length, at)).toBe(bytes.length);
    file.write(bytes, 0, bytes.length, at + length);
    file.close();
    await expect(openLog(1, {})(disk)).rejects.toThrow(/seq 3 follows behind it/);
  });

  it('was damaged, where its header is and something stands behind that', async () => {
    const { disk, open, log } = await simulated();
    await log.append(put('first'));
    await log.close();
    const file = disk.open(`${ROOT}/000001.wal2`, 'write');
    file.write(new Uint8Array(96), 0, 96, 0);
    file.close();
    await expect(open()).rejects.toThrow('its header is damaged');
  });
});

describe('a segment that a crash left begun and not written', () => {
  it.each([[[]], [['a', 'b']]])('ends neither a replay nor a check (behind %s)', async (before) => {
    const issued: Event[] = [];
    const events = { append: (event: Event) => issued.push(event) };
    let disk = new SimDisk({ root: ROOT });
    let log = await openLog(0, {})(disk);
    for (const key of before) await write(log, events, [key], true);
    await log.close();
    // Each behind the one before, which is not written either: numbers go on at its own end.
    for (let crashes = 0; crashes < 3; crashes++) {
      log = await openLog(disk.boot, { sync: 'none' })(disk);
      log.rotate();
      await log.append(put('lost'));
      disk = disk.crash({ fates: [], fill: 'zeros', seed: 1 });
    }
    log = await openLog(disk.boot, {})(disk);
    for (const key of ['c', 'd']) await write(log, events, [key], true);
    expect(await keysOf(log)).toEqual([...before, 'c', 'd']);
    await log.close();
    expect(await violations(disk, issued, openLog(disk.boot, {}))).toEqual([]);
  });
});

describe('truncation', () => {
  it('drops whole segments up to a number, never past the end', async () => {
    const { disk, open, log } = await simulated({ segmentBytes: 200 });
    for (let i = 1; i <= 12; i++) await log.append(put(`k${i}`));
    expect(() => log.truncate(13)).toThrow('ends at seq 12');
    const before = await keysOf(log);
    expect(log.truncate(5)).toBeGreaterThan(0);
    const left = await keysOf(log);
    expect(before.slice(-left.length)).toEqual(left);
    expect(left).toContain('k6');
    await log.close();
    expect(disk.list(ROOT)).not.toContain('000001.wal2');
    const again = await open();
    expect(await again.append(put('next'))).toBe(13);
    await again.close();
  });
});

describe('opening', () => {
  it('reads the last segment alone', async () => {
    const disk = new CountingReads(new SimDisk({ root: ROOT }));
    const open = openLog(0, { segmentBytes: 2000, sync: 'none' });
    let log = await open(disk);
    for (let i = 0; i < 200; i++) await log.append(put(`k${i}`));
    await log.close();
    disk.bytes = 0;
    log = await open(disk);
    await log.close();
    const some = disk.bytes;
    log = await open(disk);
    for (let i = 0; i < 2000; i++) await log.append(put(`l${i}`));
    await log.close();
    disk.bytes = 0;
    await (await open(disk)).close();
    expect(disk.bytes).toBeLessThan(some + 3000);
  });
});

/** Counts bytes that are read. */
class CountingReads extends DefectiveDisk {
  bytes = 0;

  constructor(disk: Disk) {
    super(disk, {});
  }

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    const add = (bytes: number) => {
      this.bytes += bytes;
    };
    return new Proxy(file, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        if (name !== 'read') return value.bind(target);
        return (...args: Parameters<DiskFile['read']>) => {
          const got = target.read(...args);
          add(got);
          return got;
        };
      },
    });
  }
}

describe('the real disk', () => {
  it('does as the simulated one does, with and without space allocated ahead', async () => {
    for (const preallocateBytes of [0, 1 << 20]) {
      const directory = mkdtempSync(join(tmpdir(), 'ddia-log-'));
      directories.push(directory);
      const open = () =>
        WriteAheadLog.open(new RealDisk(), directory, { segmentBytes: 3000, preallocateBytes });
      let log = await open();
      for (let i = 0; i < 40; i++) await log.append(put(`k${i}`));
      await log.batch([put('x'), put('y')]);
      await log.close();
      log = await open();
      log.truncate(20);
      const seq = await log.append(put('after'));
      expect(seq).toBe(43);
      expect((await keysOf(log, 40)).slice(-3)).toEqual(['x', 'y', 'after']);
      await log.close();
      expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });
});
