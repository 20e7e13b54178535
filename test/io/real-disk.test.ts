import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DurableWriter, makeDurableDirectory, replaceFile } from '../../src/io/durable.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { bytes, codeOf, readText, writeText } from './files.ts';

describe('the real disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'ddia-disk-'));
  const disk = new RealDisk();
  afterAll(() => rmSync(root, { recursive: true }));

  it('lists by code unit, not by locale', () => {
    const directory = join(root, 'names');
    disk.makeDirectory(directory);
    for (const name of ['b', 'B', 'ä', 'a', '10', '9', '_'])
      writeText(disk, join(directory, name), '');
    expect(disk.list(directory)).toEqual(['10', '9', 'B', '_', 'a', 'b', 'ä']);
  });

  it('says what is there, and undefined where nothing is', () => {
    const path = join(root, 'stat');
    writeText(disk, path, 'data');
    expect(disk.stat(path)).toEqual({ kind: 'file', size: 4 });
    expect(disk.stat(root)?.kind).toBe('directory');
    expect(disk.stat(join(root, 'none'))).toBeUndefined();
    expect(disk.stat(join(path, 'none'))).toBeUndefined();
    symlinkSync(join(root, 'loop'), join(root, 'loop'));
    expect(codeOf(() => disk.stat(join(root, 'loop')))).toBe('ELOOP');
    if (process.platform !== 'win32') expect(disk.stat('/dev/null')?.kind).toBe('other');
  });

  it('does not let a closed file be used, whoever has its number by then', () => {
    const path = join(root, 'closed');
    const file = disk.open(path, 'create');
    file.close();
    const other = disk.open(path, 'write');
    expect(codeOf(() => file.write(bytes('x'), 0, 1, 0))).toBe('EBADF');
    expect(codeOf(() => file.close())).toBe('EBADF');
    expect(other.write(bytes('y'), 0, 1, 0)).toBe(1);
    other.close();
    expect(readText(disk, path)).toBe('y');
  });

  it('names the file in errors of which the system tells only the number', async () => {
    const path = join(root, 'named');
    writeText(disk, path, 'data');
    const file = disk.open(path, 'read');
    // Opened for reading: the system refuses to write, and knows nothing of its path.
    expect(() => file.write(bytes('x'), 0, 1, 0)).toThrow(/^EBADF: .*, write '.*named'$/);
    await expect(file.writeBeside!(bytes('x'), 1, 0)).rejects.toThrow(/, write '.*named'$/);
    expect(() => file.truncate(1)).toThrow(/, ftruncate '.*named'$/);
    file.close();
  });

  it('takes no negative size for 0', () => {
    const file = disk.open(join(root, 'negative'), 'create');
    expect(codeOf(() => file.truncate(-1))).toBe('EINVAL');
    file.close();
  });

  it('syncs directories, and says where there is none', () => {
    disk.syncDirectory(root);
    writeText(disk, join(root, 'file'), '');
    expect(codeOf(() => disk.syncDirectory(join(root, 'none')))).toBe('ENOENT');
    if (process.platform === 'linux') {
      expect(codeOf(() => disk.syncDirectory(join(root, 'file')))).toBe('ENOTDIR');
    }
  });

  it('carries the durable writers', () => {
    const directory = join(root, 'x', 'y');
    makeDurableDirectory(disk, directory);
    makeDurableDirectory(disk, directory);
    replaceFile(disk, join(directory, 'a'), bytes('one'));
    replaceFile(disk, join(directory, 'a'), bytes('two'));
    const writer = DurableWriter.create(disk, join(directory, 'b'));
    writer.append(Buffer.alloc(300_000, 'x'), 0, 300_000);
    writer.finish();
    expect(disk.list(directory)).toEqual(['a', 'b']);
    expect(readText(disk, join(directory, 'a'))).toBe('two');
    expect(disk.stat(join(directory, 'b'))?.size).toBe(300_000);
    expect(codeOf(() => DurableWriter.create(disk, join(directory, 'b')))).toBe('exists');
  });
});
