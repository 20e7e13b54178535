import { describe, expect, it } from 'vitest';
import type { DiskOperation } from '../../src/io/sim-disk/machine.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { bytes, codeOf, crash, readText, settle, simDisk, tree, writeText } from './files.ts';

describe('a running disk', () => {
  it('keeps an unlinked file for those who have it open', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'data');
    const file = disk.open('/d/a', 'write');
    disk.remove('/d/a');
    disk.syncDirectory('/d');
    settle(disk, '/d/a', 'other');
    file.write(bytes('more'), 0, 4, 4);
    const target = new Uint8Array(8);
    expect(file.read(target, 0, 8, 0)).toBe(8);
    expect(Buffer.from(target).toString()).toBe('datamore');
    expect(disk.usedBytes).toBe(13);
    file.close();
    expect(disk.usedBytes).toBe(5);
    expect(readText(disk, '/d/a')).toBe('other');
  });

  it('forgets removed files, and none that has a name or is open', () => {
    const disk = simDisk();
    settle(disk, '/d/kept', 'kept');
    settle(disk, '/d/open', 'open');
    const file = disk.open('/d/open', 'read');
    disk.remove('/d/open');
    for (let number = 0; number < 600; number++) {
      settle(disk, `/d/${number}`, 'x');
      disk.remove(`/d/${number}`);
    }
    disk.syncDirectory('/d');
    expect(disk.snapshot().nodes.size).toBe(3);
    expect(disk.usedBytes).toBe(8);
    disk.dropCaches();
    expect(disk.usedBytes).toBe(8);
    expect(file.read(new Uint8Array(9), 0, 9, 0)).toBe(4);
    file.close();
    expect(disk.usedBytes).toBe(4);
    expect(tree(crash(disk), '/d')).toEqual({ '/d/kept': 'kept' });
  });

  it('goes on from a snapshot as if the process alone had died', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    writeText(disk, '/d/a', 'new');
    const image = disk.snapshot();
    writeText(disk, '/d/a', 'XXX', { sync: true });
    const fork = SimDisk.from(image);
    expect(readText(fork, '/d/a')).toBe('new');
    expect(readText(crash(fork), '/d/a')).toBe('old');
    expect(readText(SimDisk.from(image), '/d/a')).toBe('new');
    expect(readText(disk, '/d/a')).toBe('XXX');
  });

  it('makes one snapshot of one state', () => {
    const disk = simDisk();
    const first = disk.snapshot();
    disk.stat('/d');
    expect(disk.snapshot()).toBe(first);
    writeText(disk, '/d/a', 'x');
    expect(disk.snapshot()).not.toBe(first);
  });

  it('tells the hook of every I/O, before and after', () => {
    const seen: string[] = [];
    const disk = simDisk();
    disk.onOperation = ({ index, call }: DiskOperation, when) => {
      if (when === 'before') expect(disk.operations).toBe(index);
      seen.push(`${when} ${call}`);
    };
    disk.makeDirectory('/d/x');
    settle(disk, '/d/a', 'data');
    disk.rename('/d/a', '/d/b');
    const file = disk.open('/d/b', 'write');
    file.truncate(1);
    file.dataSync();
    file.read(new Uint8Array(1), 0, 1, 0);
    disk.remove('/d/b');
    disk.removeDirectory('/d/x');
    const calls = [
      'makeDirectory',
      ...['create', 'write', 'sync', 'syncDirectory', 'rename'],
      ...['truncate', 'sync', 'remove', 'removeDirectory'],
    ];
    expect(seen).toEqual(calls.flatMap((call) => [`before ${call}`, `after ${call}`]));
    expect(disk.operations).toBe(calls.length);
  });

  it('does nothing more once its power is off', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    const file = disk.open('/d/a', 'write');
    disk.onOperation = (operation) => {
      if (operation.call === 'sync') disk.powerOff();
    };
    file.write(bytes('new'), 0, 3, 0);
    expect(codeOf(() => file.sync())).toBe('POWEROFF');
    expect(codeOf(() => file.size())).toBe('POWEROFF');
    expect(codeOf(() => disk.list('/d'))).toBe('POWEROFF');
    const next = crash(disk);
    expect(readText(next, '/d/a')).toBe('old');
    expect([disk.boot, next.boot]).toEqual([0, 1]);
  });
});
