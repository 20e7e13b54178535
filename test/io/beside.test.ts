import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Disk, DiskFile } from '../../src/io/disk.ts';
import { FileSource } from '../../src/io/file-source.ts';
import { NewDirectory } from '../../src/io/new-directory.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'ddia-beside-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const MIB = 1024 * 1024;
const pattern = Buffer.alloc(14 * MIB, 'some bytes that repeat at no power of two, ');

async function writeAll(disk: Disk, target: string, waits: boolean): Promise<void> {
  const directory = new NewDirectory(disk, target);
  try {
    const file = directory.createBeside('a');
    for (let at = 0; at < pattern.length; at += 100_000) {
      file.write(pattern, at, Math.min(pattern.length, at + 100_000));
      if (waits) await file.ready();
    }
    file.patch(5, Buffer.from('PATCHED'));
    await file.finishBeside();
    directory.finish();
  } finally {
    directory.abandon();
  }
}

describe('a file that is written in the background', () => {
  it.each([true, false])('holds what was written in order (waiting: %s)', async (waits) => {
    await writeAll(new RealDisk(), join(base, 'out'), waits);
    const expected = Buffer.from(pattern);
    expected.write('PATCHED', 5);
    expect(readFileSync(join(base, 'out/a')).equals(expected)).toBe(true);
  });

  it('is written at once on a disk that has no background', async () => {
    const disk = new SimDisk({ root: '/x' });
    const directory = new NewDirectory(disk, '/x/out');
    const file = directory.createBeside('a');
    file.write(Buffer.from('abc'));
    file.patch(1, Buffer.from('B'));
    await file.finishBeside();
    directory.finish();
    expect(disk.stat('/x/out/a')?.size).toBe(3);
  });

  it('tells of a write that failed when it is finished, and is not there', async () => {
    class FullDisk extends RealDisk {
      override open(...args: Parameters<RealDisk['open']>): DiskFile {
        const file = super.open(...args);
        file.writeBeside = async () => {
          throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        };
        return file;
      }
    }
    const written = writeAll(new FullDisk(), join(base, 'out'), true);
    await expect(written).rejects.toThrow(/space/);
    expect(readdirSync(base)).toEqual([]);
  });
});

describe('a file that is closed while it is written', () => {
  it('is closed behind the last write', async () => {
    const disk = new RealDisk();
    const file = disk.open(join(base, 'a'), 'create');
    const written = file.writeBeside!(pattern, pattern.length, 0);
    const synced = file.syncBeside!();
    file.close();
    expect(() => file.size()).toThrow(/EBADF/);
    await expect(file.syncBeside!()).rejects.toThrow(/EBADF/);
    await written;
    await synced;
    expect(readFileSync(join(base, 'a')).equals(pattern)).toBe(true);
  });

  it('and so is one that is read', async () => {
    const disk = new RealDisk();
    const file = disk.open(join(base, 'a'), 'create');
    file.write(pattern, 0, pattern.length, 0);
    file.close();
    const source = new FileSource(join(base, 'a'), 'a');
    const target = new Uint8Array(pattern.length + 10);
    const reading = source.readBeside(target, 0, target.length, 0);
    source.close();
    expect(await reading).toBe(pattern.length);
    expect(Buffer.compare(target.subarray(0, pattern.length), pattern)).toBe(0);
    await expect(source.readBeside(target, 0, 1, 0)).rejects.toThrow();
  });
});
