import { describe, expect, it } from 'vitest';
import { readFully, writeFully } from '../../src/io/disk.ts';
import { failing } from '../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { bytes, codeOf, crash, readText, settle, simDisk, writeText } from './files.ts';

describe('calls that fail', () => {
  it('fails the n-th call of a kind, once', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'data');
    const file = disk.open('/d/a', 'write');
    disk.inject(failing('read', 2));
    disk.inject(failing('write', 1, 'EROFS'));
    const read = () => file.read(new Uint8Array(4), 0, 4, 0);
    expect([read(), codeOf(read), read()]).toEqual([4, 'EIO', 4]);
    expect(codeOf(() => file.write(bytes('x'), 0, 1, 0))).toBe('EROFS');
    expect(readText(disk, '/d/a')).toBe('data');
    expect(file.write(bytes('x'), 0, 1, 0)).toBe(1);
  });

  it('can fail from there on, and on one file only', () => {
    const disk = simDisk();
    disk.inject({ ...failing('create', 2), path: '.log', times: Number.POSITIVE_INFINITY });
    const create = (name: string) => codeOf(() => disk.open(`/d/${name}`, 'create').close());
    expect(['1.log', 'a', '2.log', 'b', '3.log'].map(create)).toEqual([
      undefined,
      undefined,
      'EIO',
      undefined,
      'EIO',
    ]);
    disk.clearFaults();
    expect(create('4.log')).toBeUndefined();
  });

  it('drops what a failed sync was to persist, still shows it, and lets the next sync pass', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    writeText(disk, '/d/a', 'new');
    disk.inject(failing('sync', 1));
    const file = disk.open('/d/a', 'write');
    expect(codeOf(() => file.sync())).toBe('EIO');
    expect(readText(disk, '/d/a')).toBe('new');
    file.sync();
    expect(readText(SimDisk.from(disk.snapshot()), '/d/a')).toBe('new');
    expect(readText(crash(disk, 'all'), '/d/a')).toBe('old');
  });

  it('drops the names that a failed directory sync was to persist', () => {
    const disk = simDisk();
    writeText(disk, '/d/a', 'data', { sync: true });
    disk.inject(failing('syncDirectory', 1));
    expect(codeOf(() => disk.syncDirectory('/d'))).toBe('EIO');
    disk.syncDirectory('/d');
    expect(disk.list('/d')).toEqual(['a']);
    expect(crash(disk, 'all').list('/d')).toEqual([]);
  });

  it('writes short when told to, which writeFully goes through', () => {
    const disk = new SimDisk({ root: '/d', writeBytesMax: 3 });
    disk.inject({ on: 'write', nth: 2, effect: { kind: 'short', bytes: 1 } });
    const file = disk.open('/d/a', 'create');
    const lengths: number[] = [];
    disk.onOperation = ({ length }, when) => {
      if (when === 'before') lengths.push(length!);
    };
    writeFully(file, bytes('0123456789'), 0, 10, 0);
    expect(lengths).toEqual([10, 7, 6, 3]);
    expect(readText(disk, '/d/a')).toBe('0123456789');
  });

  it('refuses a fault that makes no sense', () => {
    const disk = simDisk();
    expect(() => disk.inject(failing('sync', 0))).toThrow('no such fault');
    expect(() => disk.inject({ on: 'sync', nth: 1, effect: { kind: 'lost' } })).toThrow('lost');
    const aside = { kind: 'misdirected', position: 100 } as const;
    expect(() => disk.inject({ on: 'write', nth: 1, effect: aside })).toThrow('whole sectors');
  });
});

describe('a full disk', () => {
  it('writes what fits, then says ENOSPC, and has space again after a removal', () => {
    const disk = new SimDisk({ root: '/d', capacityBytes: 10 });
    const file = disk.open('/d/a', 'create');
    expect(file.write(bytes('01234567'), 0, 8, 0)).toBe(8);
    expect(file.write(bytes('89ab'), 0, 4, 8)).toBe(2);
    expect(codeOf(() => file.write(bytes('a'), 0, 1, 10))).toBe('ENOSPC');
    expect(codeOf(() => file.truncate(11))).toBe('ENOSPC');
    // What is there already can be written again.
    expect(file.write(bytes('XY'), 0, 2, 0)).toBe(2);
    file.truncate(4);
    writeText(disk, '/d/b', '012345');
    expect(codeOf(() => writeText(disk, '/d/c', 'x'))).toBe('ENOSPC');
    disk.remove('/d/b');
    writeText(disk, '/d/c', 'x');
    expect(disk.usedBytes).toBe(5);
    disk.capacityBytes = undefined;
    writeText(disk, '/d/c', 'x'.repeat(1000));
  });

  it('counts what a rename replaces as free, once nobody has it open', () => {
    const disk = new SimDisk({ root: '/d', capacityBytes: 10 });
    writeText(disk, '/d/a', '01234');
    writeText(disk, '/d/b', '01234');
    const file = disk.open('/d/a', 'read');
    disk.rename('/d/b', '/d/a');
    expect(disk.usedBytes).toBe(10);
    file.close();
    expect(disk.usedBytes).toBe(5);
  });
});

describe('a medium that fails', () => {
  const read = (disk: SimDisk, position: number, length: number) => {
    const file = disk.open('/d/a', 'read');
    const target = Buffer.alloc(length);
    return target.toString('latin1', 0, readFully(file, target, 0, length, position));
  };

  it('flips a bit of what is durable', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'AAAA');
    disk.flipBit('/d/a', 2, 1);
    expect(readText(disk, '/d/a')).toBe('AACA');
    expect(readText(crash(disk), '/d/a')).toBe('AACA');
    expect(() => disk.flipBit('/d/a', 4, 0)).toThrow(RangeError);
  });

  it('has a sector that cannot be read until it is written whole', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'x'.repeat(1536));
    disk.makeUnreadable('/d/a', 600);
    expect(read(disk, 0, 512)).toBe('x'.repeat(512));
    expect(codeOf(() => read(disk, 0, 513))).toBe('EIO');
    expect(codeOf(() => read(disk, 1023, 1))).toBe('EIO');
    expect(read(disk, 1024, 512)).toBe('x'.repeat(512));
    const after = crash(disk);
    writeText(after, '/d/a', 'y'.repeat(511), { position: 512 });
    expect(codeOf(() => read(after, 512, 1))).toBe('EIO');
    writeText(after, '/d/a', 'y'.repeat(512), { position: 512 });
    expect(read(after, 512, 512)).toBe('y'.repeat(512));
  });

  it('loses a write that was synced without complaint', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    disk.inject({ on: 'write', nth: 1, effect: { kind: 'lost' } });
    writeText(disk, '/d/a', 'new', { sync: true });
    expect(readText(disk, '/d/a')).toBe('new');
    disk.dropCaches();
    expect(readText(disk, '/d/a')).toBe('old');
  });

  it('misdirects a write to other sectors', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'x'.repeat(1536));
    disk.inject({ on: 'write', nth: 1, effect: { kind: 'misdirected', position: 1024 } });
    writeText(disk, '/d/a', 'y'.repeat(512), { sync: true });
    expect(read(disk, 0, 512)).toBe('y'.repeat(512));
    const after = crash(disk);
    expect(readText(after, '/d/a')).toBe('x'.repeat(1024) + 'y'.repeat(512));
  });

  it('keeps in the cache what waits to be written back', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    disk.inject({ on: 'write', nth: 1, effect: { kind: 'lost' } });
    writeText(disk, '/d/a', 'new');
    disk.dropCaches();
    expect(readText(disk, '/d/a')).toBe('new');
  });
});
