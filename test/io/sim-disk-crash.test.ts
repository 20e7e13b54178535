import { describe, expect, it } from 'vitest';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { bytes, crash, pending, readText, settle, simDisk, tree, writeText } from './files.ts';

describe('what a crash leaves of files', () => {
  it('loses a file whose data was synced and whose name was not', () => {
    const disk = simDisk();
    writeText(disk, '/d/a', 'data', { sync: true });
    expect(pending(disk)).toEqual(['link in /d: a']);
    expect(tree(crash(disk), '/d')).toEqual({});
  });

  it('leaves an empty file whose name was synced and whose data was not', () => {
    const disk = simDisk();
    writeText(disk, '/d/a', 'data');
    disk.syncDirectory('/d');
    expect(tree(crash(disk), '/d')).toEqual({ '/d/a': '' });
  });

  it('keeps what was synced, length included, by sync and by dataSync', () => {
    for (const call of ['sync', 'dataSync'] as const) {
      const disk = simDisk();
      const file = disk.open('/d/a', 'create');
      file.write(bytes('data'), 0, 4, 1000);
      file.truncate(1002);
      file[call]();
      disk.syncDirectory('/d');
      const after = crash(disk);
      expect(after.stat('/d/a')).toEqual({ kind: 'file', size: 1002 });
      expect(readText(after, '/d/a')).toBe(`${'\0'.repeat(1000)}da`);
    }
  });

  it('undoes an unsynced truncation', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old data');
    const file = disk.open('/d/a', 'write');
    file.truncate(0);
    expect(file.size()).toBe(0);
    expect(readText(crash(disk), '/d/a')).toBe('old data');
  });

  it('can keep a write and lose the truncation before it', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'x'.repeat(1500));
    const file = disk.open('/d/a', 'write');
    file.truncate(0);
    file.write(bytes('new'), 0, 3, 0);
    // A sector is written back as the cache has it: after the truncation, zeros follow.
    const expected = `new${'\0'.repeat(509)}${'x'.repeat(988)}`;
    expect(readText(crash(disk, [1]), '/d/a')).toBe(expected);
  });

  it('keeps with a write what its sectors held of earlier ones', () => {
    const disk = simDisk();
    settle(disk, '/d/a', '');
    const file = disk.open('/d/a', 'write');
    file.write(bytes('first '), 0, 6, 0);
    file.write(bytes('second'), 0, 6, 6);
    expect(readText(crash(disk, [1]), '/d/a')).toBe('first second');
  });

  it('tears a write at sectors', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'o'.repeat(1536));
    const file = disk.open('/d/a', 'write');
    file.write(bytes('n'.repeat(1300)), 0, 1300, 100);
    const torn = { kept: [true, false, true], reach: 1400 };
    expect(readText(crash(disk, { 0: torn }), '/d/a')).toBe(
      'o'.repeat(100) + 'n'.repeat(412) + 'o'.repeat(512) + 'n'.repeat(376) + 'o'.repeat(136),
    );
  });

  it('shows zeros or garbage, the same every time, where a file grew without its data', () => {
    const grown = (fill: 'zeros' | 'garbage') => {
      const disk = simDisk();
      settle(disk, '/d/a', 'head');
      writeText(disk, '/d/a', 'x'.repeat(1000), { position: 4 });
      const torn = { kept: [true, false], reach: 1004 };
      return readText(crash(disk, { 0: torn }, fill), '/d/a');
    };
    const head = `head${'x'.repeat(508)}`;
    expect(grown('zeros')).toBe(head + '\0'.repeat(492));
    expect(grown('garbage').slice(0, 512)).toBe(head);
    expect(grown('garbage').slice(512)).not.toMatch(/^[x\0]*$/);
    expect(grown('garbage')).toHaveLength(1004);
    expect(grown('garbage')).toBe(grown('garbage'));
  });

  it('never shows garbage in a hole that nobody wrote', () => {
    const disk = simDisk();
    settle(disk, '/d/a', '');
    writeText(disk, '/d/a', 'end', { position: 1024 });
    const after = crash(disk, { 0: { kept: [false], reach: 1027 } }, 'garbage');
    expect(readText(after, '/d/a').slice(0, 1024)).toBe('\0'.repeat(1024));
  });

  it('never shows garbage in what a truncation cut and extended again', () => {
    const disk = simDisk();
    settle(disk, '/d/a', '');
    writeText(disk, '/d/a', 'x'.repeat(1000));
    const file = disk.open('/d/a', 'write');
    file.truncate(0);
    file.truncate(1000);
    expect(readText(crash(disk, [1, 2], 'garbage'), '/d/a')).toBe('\0'.repeat(1000));
  });
});

describe('what a crash leaves of names', () => {
  it('takes back a name only from the file that it was to be taken from', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    disk.remove('/d/a');
    writeText(disk, '/d/a', 'new', { sync: true });
    disk.remove('/d/a');
    expect(pending(disk).slice(0, 3)).toEqual([
      'unlink in /d: a',
      'link in /d: a',
      'unlink in /d: a',
    ]);
    expect(tree(crash(SimDisk.from(disk.snapshot()), [2]), '/d')).toEqual({ '/d/a': 'old' });
    expect(tree(crash(SimDisk.from(disk.snapshot()), [1]), '/d')).toEqual({ '/d/a': 'new' });
    expect(tree(crash(disk, [0]), '/d')).toEqual({});
  });

  it('does either whole or not at all with a rename over another file', () => {
    const run = () => {
      const disk = simDisk();
      settle(disk, '/d/a', 'old');
      settle(disk, '/d/b', 'new');
      disk.rename('/d/b', '/d/a');
      expect(tree(disk, '/d')).toEqual({ '/d/a': 'new' });
      return disk;
    };
    expect(tree(crash(run(), 'none'), '/d')).toEqual({ '/d/a': 'old', '/d/b': 'new' });
    expect(tree(crash(run(), 'all'), '/d')).toEqual({ '/d/a': 'new' });
  });

  it('can make a rename durable before the data of the file', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    writeText(disk, '/d/b', 'new');
    disk.rename('/d/b', '/d/a');
    disk.syncDirectory('/d');
    expect(tree(crash(disk), '/d')).toEqual({ '/d/a': '' });
  });

  it('brings back a removed file until its directory is synced', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'data');
    disk.remove('/d/a');
    expect(disk.stat('/d/a')).toBeUndefined();
    expect(tree(SimDisk.from(disk.snapshot()), '/d')).toEqual({});
    const synced = SimDisk.from(disk.snapshot());
    synced.syncDirectory('/d');
    expect(tree(crash(synced), '/d')).toEqual({});
    expect(tree(crash(disk), '/d')).toEqual({ '/d/a': 'data' });
  });

  it('makes a move between directories durable by half when one of them is synced', () => {
    const moved = (synced: readonly string[]) => {
      const disk = simDisk();
      for (const name of ['/d/x', '/d/y']) disk.makeDirectory(name);
      disk.syncDirectory('/d');
      settle(disk, '/d/x/a', 'data');
      disk.rename('/d/x/a', '/d/y/a');
      for (const name of synced) disk.syncDirectory(name);
      return Object.keys(tree(crash(disk), '/d')).filter((path) => path.endsWith('/a'));
    };
    expect(moved([])).toEqual(['/d/x/a']);
    expect(moved(['/d/x'])).toEqual([]);
    expect(moved(['/d/y'])).toEqual(['/d/x/a', '/d/y/a']);
    expect(moved(['/d/x', '/d/y'])).toEqual(['/d/y/a']);
  });

  it('leaves a half-moved directory in one place', () => {
    const disk = simDisk();
    for (const name of ['/d/x', '/d/y']) disk.makeDirectory(name);
    disk.syncDirectory('/d');
    settle(disk, '/d/x/a', 'data');
    disk.rename('/d/x', '/d/y/x');
    disk.syncDirectory('/d/y');
    expect(tree(crash(disk), '/d')).toEqual({
      '/d/x': undefined,
      '/d/x/a': 'data',
      '/d/y': undefined,
    });
  });

  it('loses a new directory with all in it until its parent is synced', () => {
    const disk = simDisk();
    disk.makeDirectory('/d/x/y');
    settle(disk, '/d/x/y/a', 'data');
    expect(tree(crash(SimDisk.from(disk.snapshot())), '/d')).toEqual({});
    disk.syncDirectory('/d');
    expect(tree(crash(SimDisk.from(disk.snapshot())), '/d')).toEqual({ '/d/x': undefined });
    disk.syncDirectory('/d/x');
    expect(tree(crash(disk), '/d')['/d/x/y/a']).toBe('data');
  });
});
