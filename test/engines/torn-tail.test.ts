import { describe, expect, it } from 'vitest';
import { saveTail } from '../../src/engines/torn-tail.ts';
import { failing } from '../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { crc32c } from '../../src/shared/crc32.ts';
import { fillRandom } from '../../src/shared/random.ts';

function diskWith(bytes: Uint8Array): SimDisk {
  const disk = new SimDisk({ root: '/d' });
  const file = disk.open('/d/file', 'create');
  file.write(bytes, 0, bytes.length, 0);
  file.close();
  return disk;
}

function kept(disk: SimDisk): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const name of disk.stat('/d/torn') ? disk.list('/d/torn') : []) {
    const file = disk.open(`/d/torn/${name}`, 'read');
    const bytes = Buffer.alloc(file.size());
    file.read(bytes, 0, bytes.length, 0);
    file.close();
    found[name] = bytes;
  }
  return found;
}

describe('a torn tail', () => {
  // Sizes around the pieces in which it is read, zeros within it and behind it.
  it.each([
    [0, 1, 0],
    [7, 500, 100],
    [100, 256 * 1024, 0],
    [3, 256 * 1024 - 1, 3],
    [3, 700_000, 300_000],
  ])('is kept from %i on, %i bytes and %i zeros', (from, length, zeros) => {
    const bytes = new Uint8Array(from + length + zeros);
    fillRandom(9, 0, bytes, 0, from + length);
    bytes.fill(0, from + Math.floor(length / 3), from + Math.floor(length / 2));
    bytes[from + length - 1] = 1;
    const disk = diskWith(bytes);
    const tail = Buffer.from(bytes.subarray(from, from + length));
    const name = `file.${from}.${crc32c.of(tail).toString(16).padStart(8, '0')}`;
    const said = `${length} bytes behind offset ${from} of file are kept in torn/${name}`;
    expect(saveTail(disk, '/d', 'file', from, bytes.length)).toBe(said);
    const found = kept(disk);
    expect(Object.keys(found)).toEqual([name]);
    expect(found[name]?.equals(tail)).toBe(true);
    const { operations } = disk;
    expect(saveTail(disk, '/d', 'file', from, bytes.length)).toBe(said);
    // Nothing is written again; that the directory has its name is made sure of.
    expect(disk.operations - operations).toBe(1);
  });

  it('of nothing or of zeros is not kept', () => {
    const disk = diskWith(new Uint8Array(600_000));
    expect(saveTail(disk, '/d', 'file', 10, 600_000)).toBeUndefined();
    expect(saveTail(disk, '/d', 'file', 600_000, 600_000)).toBeUndefined();
    expect(kept(disk)).toEqual({});
  });

  it('that cannot be kept is told of, and leaves no half of it', () => {
    const disk = diskWith(new Uint8Array(300_000).fill(1));
    disk.inject(failing('write', 2));
    expect(() => saveTail(disk, '/d', 'file', 0, 300_000)).toThrow(/EIO/);
    expect(kept(disk)).toEqual({});
  });
});
