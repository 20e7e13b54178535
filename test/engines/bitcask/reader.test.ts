/** Readers without the lock, beside a writer. */
import { describe, expect, it } from 'vitest';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { b, codeOf, content, openOn, ROOT, simDisk, turn } from './stores.ts';

const read = (disk: SimDisk): Promise<BitcaskReader> => BitcaskReader.open(disk, ROOT);

/** A disk on which as many files are open as `handles` says. */
function watched(): { disk: SimDisk; handles: () => number } {
  const disk = simDisk();
  let handles = 0;
  const { open } = disk;
  disk.open = (path, mode) => {
    const file = open.call(disk, path, mode);
    const { close } = file;
    handles++;
    file.close = () => {
      handles--;
      close.call(file);
    };
    return file;
  };
  return { disk, handles: () => handles };
}

describe('a reader', () => {
  it('shows what it showed while it looks again', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { sync: 'none', fileBytes: 2000 });
    for (let i = 0; i < 200; i++) await store.put(b(`k${i}`), b('v'.repeat(50)));
    await store.idle();
    const reader = await read(disk);
    await store.delete(b('k1'));
    await store.merge();
    const refreshed = reader.refresh();
    const sizes: number[] = [];
    let done = false;
    void refreshed.then(() => {
      done = true;
    });
    while (!done) {
      expect(reader.get(b('k0'))?.length).toBe(50);
      sizes.push(reader.size);
      await (sizes.length % 20 === 0 ? turn() : Promise.resolve());
    }
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes[0]).toBe(200);
    expect(reader.size).toBe(199);
    expect(sizes).toEqual(sizes.toSorted((x, y) => y - x));
    expect(reader.get(b('k1'))).toBeNull();
    expect(reader.size).toBe(199);
    reader.close();
    await store.close();
  });

  it('shows it on when looking again fails', async () => {
    const disk = simDisk();
    const store = await openOn(disk);
    await store.put(b('k'), b('1'));
    const reader = await read(disk);
    await store.merge();
    disk.inject({ ...failing('read', 1), times: 3 });
    expect(await codeOf(() => reader.refresh())).toBe('EIO');
    disk.clearFaults();
    expect(content(reader)).toEqual([['k', '1']]);
    await reader.refresh();
    expect(content(reader)).toEqual([['k', '1']]);
    reader.close();
    await store.close();
  });

  it('looks again once at a time', async () => {
    const disk = simDisk();
    const store = await openOn(disk);
    await store.put(b('k'), b('1'));
    const reader = await read(disk);
    for (let i = 0; i < 10; i++) await store.put(b(`k${i}`), b('1'));
    await store.delete(b('k0'));
    await Promise.all([reader.refresh(), reader.refresh(), reader.refresh()]);
    const [file] = reader.stat().files;
    expect(file).toMatchObject({ records: 12, liveRecords: 10 });
    expect(reader.size).toBe(10);
    reader.close();
    await store.close();
  });

  it('sees batches whole, and what a write under way has not finished not at all', async () => {
    const disk = simDisk();
    const store = await openOn(disk, { sync: 'none' });
    await store.put(b('k'), b('1'));
    const reader = await read(disk);
    await store.batch([
      { key: b('a'), value: b('1') },
      { key: b('b'), value: b('1') },
    ]);
    const path = `${ROOT}/000001.bcd`;
    const size = disk.stat(path)!.size;
    const file = disk.open(path, 'write');
    const whole = new Uint8Array(size);
    file.read(whole, 0, size, 0);
    for (const bytes of [1, 30, 46, 47, 91, 92]) {
      file.truncate(size - bytes);
      await reader.refresh();
      expect(content(reader), `${bytes} bytes less`).toEqual([['k', '1']]);
      file.write(whole, size - bytes, bytes, size - bytes);
    }
    await reader.refresh();
    expect(content(reader).map(([key]) => key)).toEqual(['a', 'b', 'k']);
    file.close();
    reader.close();
    await store.close();
  });

  it('keeps no file open that it does not need', async () => {
    const { disk, handles } = watched();
    const store = await openOn(disk, { fileBytes: 300 });
    for (let i = 0; i < 40; i++) await store.put(b(`k${i}`), b('v'.repeat(50)));
    const reader = await read(disk);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 10; i++) await store.put(b(`k${i}`), b('w'.repeat(50)));
      await store.merge();
      await store.idle();
      await reader.refresh();
      const most = store.stat().files.length + reader.stat().files.length;
      expect(handles()).toBeLessThanOrEqual(most);
    }
    const snapshot = reader.scan();
    reader.close();
    reader.close();
    expect([...snapshot].length).toBe(40);
    await store.close();
    expect(handles()).toBe(0);
    expect(await codeOf(() => reader.get(b('k1')))).toBe('closed');
    expect(await codeOf(() => reader.scan())).toBe('closed');
    expect(await codeOf(() => reader.refresh())).toBe('closed');
    expect(handles()).toBe(0);
  });

  it('leaves nothing open when it cannot open the store, nor does a writer', async () => {
    const { disk, handles } = watched();
    const store = await openOn(disk, { fileBytes: 300 });
    for (let i = 0; i < 40; i++) await store.put(b(`k${i}`), b('v'.repeat(50)));
    await store.close();
    expect(handles()).toBe(0);
    const file = disk.open(`${ROOT}/000003.bcd`, 'write');
    file.truncate(100);
    file.close();
    expect(await codeOf(() => read(disk))).toBe('corrupt');
    expect(await codeOf(() => openOn(disk))).toBe('corrupt');
    expect(handles()).toBe(0);
  });

  it('closed while it looks again lets go all the same', async () => {
    const { disk, handles } = watched();
    const store = await openOn(disk, { fileBytes: 300 });
    for (let i = 0; i < 40; i++) await store.put(b(`k${i}`), b('v'.repeat(50)));
    const reader = await read(disk);
    await store.merge();
    const refreshed = reader.refresh();
    reader.close();
    await codeOf(() => refreshed);
    await store.close();
    expect(handles()).toBe(0);
  });

  it('goes with the store through a crash of its writer', async () => {
    const disk = simDisk();
    const killed = await openOn(disk, { sync: 'none' });
    await killed.put(b('k'), b('1'));
    const reader = await read(disk);
    await killed.put(b('k'), b('2'));
    const processes = { self: { pid: 77, started: '' }, isAlive: () => false };
    const store = await openOn(disk, { processes });
    await store.put(b('l'), b('3'));
    expect(content(reader)).toEqual([['k', '1']]);
    await reader.refresh();
    expect(content(reader)).toEqual([
      ['k', '2'],
      ['l', '3'],
    ]);
    await store.put(b('l'), b('4'));
    await turn();
    await reader.refresh();
    expect(reader.get(b('l'))).toEqual(b('4'));
    reader.close();
    await store.close();
  });
});
