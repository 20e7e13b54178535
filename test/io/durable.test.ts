import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../src/io/disk.ts';
import {
  DurableWriter,
  isTemporaryName,
  makeDurableDirectory,
  replaceFile,
} from '../../src/io/durable.ts';
import { explore } from '../../src/io/sim-disk/explore.ts';
import type { ExploreOptions } from '../../src/io/sim-disk/explore-types.ts';
import { failing } from '../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { bytes, codeOf, crash, pending, readText, settle, simDisk, tree } from './files.ts';

/** Removes what a crash left, as whoever owns a directory does when it opens it. */
function sweep(disk: Disk, directory: string): void {
  for (const name of disk.list(directory).filter(isTemporaryName)) {
    disk.remove(`${directory}/${name}`);
  }
  disk.syncDirectory(directory);
}

const OLD = 'old '.repeat(200);
const NEW = 'new '.repeat(700);

/**
 * After any crash the old content is there or the new one, and the new one once the call has
 * returned.
 */
function replacing(replace: (disk: Disk) => void): ExploreOptions {
  return {
    disk: { root: '/d' },
    prepare: (disk) => settle(disk, '/d/a', OLD),
    workload: (disk, log) => {
      replace(disk);
      log.append({ kind: 'acknowledged', value: 'new' });
    },
    check: (disk, { events }) => {
      sweep(disk, '/d');
      const { '/d/a': content, ...others } = tree(disk, '/d');
      const violations = Object.keys(others).map((name) => `${name} is left over`);
      if (content !== NEW && (content !== OLD || events.length > 0)) {
        violations.push(`content ${JSON.stringify(content?.slice(0, 20))}`);
      }
      return violations;
    },
  };
}

describe('replaceFile', () => {
  it('leaves the old content or the new one, whenever the machine crashes', async () => {
    for (const profile of ['ordered', 'per-file', 'adversarial'] as const) {
      const options = replacing((disk) => replaceFile(disk, '/d/a', bytes(NEW)));
      const report = await explore({ ...options, profile });
      expect(report).toMatchObject({ violations: [], complete: true, operations: 5 });
    }
  });

  it('creates a file that was not there, and leaves nothing pending', () => {
    const disk = simDisk();
    replaceFile(disk, '/d/a', bytes('data'));
    expect(pending(disk)).toEqual([]);
    expect(tree(crash(disk), '/d')).toEqual({ '/d/a': 'data' });
  });

  it('leaves the old file alone and nothing beside it when a step fails', () => {
    for (const call of ['create', 'write', 'sync', 'rename'] as const) {
      const disk = simDisk();
      settle(disk, '/d/a', 'old');
      disk.inject(failing(call, 1));
      expect(codeOf(() => replaceFile(disk, '/d/a', bytes('new')))).toBe('EIO');
      expect(tree(disk, '/d'), call).toEqual({ '/d/a': 'old' });
    }
  });

  it('throws when the name may not last, though the new file is there', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    disk.inject(failing('syncDirectory', 1));
    expect(codeOf(() => replaceFile(disk, '/d/a', bytes('new')))).toBe('EIO');
    expect(tree(disk, '/d')).toEqual({ '/d/a': 'new' });
  });

  it('throws the first of two errors', () => {
    const disk = simDisk();
    disk.inject(failing('write', 1, 'ENOSPC'));
    disk.inject(failing('remove', 1));
    expect(codeOf(() => replaceFile(disk, '/d/a', bytes('new')))).toBe('ENOSPC');
    expect(disk.list('/d').map(isTemporaryName)).toEqual([true]);
  });

  it('is not stopped by what a process with the same id left behind', () => {
    const disk = simDisk();
    for (let number = 0; number < 3; number++) {
      settle(disk, `/d/.a.tmp-${process.pid}-${number}`, 'left over');
    }
    replaceFile(disk, '/d/a', bytes('new'));
    expect(readText(disk, '/d/a')).toBe('new');
    expect(disk.list('/d')).toHaveLength(4);
  });

  it('names its temporary files so that they can be told from others', () => {
    expect(['.a.tmp-12-0', '.a.b.tmp-1-23'].every(isTemporaryName)).toBe(true);
    expect(['a.tmp-12-0', '.a.tmp-12', '.tmp', '.a.tmp-x-1'].some(isTemporaryName)).toBe(false);
  });
});

describe('DurableWriter', () => {
  it('leaves the old content or the new one, whenever the machine crashes', async () => {
    const options = replacing((disk) => {
      const writer = DurableWriter.create(disk, '/d/a', { overwrite: true });
      for (let at = 0; at < NEW.length; at += 1000) {
        writer.append(bytes(NEW), at, Math.min(NEW.length, at + 1000));
      }
      writer.finish();
    });
    expect(await explore(options)).toMatchObject({ violations: [], complete: true });
  });

  it('writes what it is given, whatever the sizes and however short the writes', () => {
    const length = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 200_000 }));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 12 }), fc.nat(), (lengths, seed) => {
        const disk = new SimDisk({ root: '/d', writeBytesMax: 1000 + (seed % 200_000) });
        const source = Buffer.alloc(200_100, 'The quick brown fox. ');
        const writer = DurableWriter.create(disk, '/d/a');
        const parts = lengths.map((size, at) => {
          writer.append(source, at, at + size);
          return source.toString('latin1', at, at + size);
        });
        const expected = parts.join('');
        expect(writer.size).toBe(expected.length);
        writer.finish();
        expect(readText(crash(disk), '/d/a') === expected).toBe(true);
      }),
      { numRuns: 40, seed: 23 },
    );
  });

  it('gathers small appends', () => {
    const disk = simDisk();
    const writer = DurableWriter.create(disk, '/d/a');
    for (let at = 0; at < 1000; at++) writer.append(bytes('0123456789'), 0, 10);
    expect(disk.operations).toBe(1);
    writer.finish();
    expect(disk.operations).toBe(5);
    expect(disk.stat('/d/a')?.size).toBe(10_000);
  });

  it('overwrites no directory, and says so before anything is written', () => {
    const disk = simDisk();
    disk.makeDirectory('/d/a');
    const before = disk.list('/d');
    const create = () => DurableWriter.create(disk, '/d/a', { overwrite: true });
    expect(create).toThrow(expect.objectContaining({ code: 'is-directory' }));
    expect(disk.list('/d')).toEqual(before);
  });

  it('overwrites only when asked to', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'old');
    expect(codeOf(() => DurableWriter.create(disk, '/d/a'))).toBe('exists');
    const writer = DurableWriter.create(disk, '/d/b');
    settle(disk, '/d/b', 'in the meantime');
    writer.append(bytes('new'), 0, 3);
    expect(codeOf(() => writer.finish())).toBe('exists');
    expect(tree(disk, '/d')).toEqual({ '/d/a': 'old', '/d/b': 'in the meantime' });
  });

  it('can be aborted, and is of no use afterwards', () => {
    const disk = simDisk();
    const writer = DurableWriter.create(disk, '/d/a');
    writer.append(bytes('data'), 0, 4);
    writer.abort();
    writer.abort();
    expect(tree(disk, '/d')).toEqual({});
    expect(() => writer.append(bytes('data'), 0, 4)).toThrow('aborted');
    const finished = DurableWriter.create(disk, '/d/a');
    finished.finish();
    finished.abort();
    expect(() => finished.finish()).toThrow('finished');
    expect(tree(disk, '/d')).toEqual({ '/d/a': '' });
  });

  it('removes what it wrote when the disk is full', () => {
    const disk = new SimDisk({ root: '/d', capacityBytes: 300_000 });
    const writer = DurableWriter.create(disk, '/d/a');
    const block = new Uint8Array(100_000);
    const fill = () => {
      for (let at = 0; at < 4; at++) writer.append(block, 0, block.length);
      writer.finish();
    };
    expect(codeOf(fill)).toBe('ENOSPC');
    expect(tree(disk, '/d')).toEqual({});
    expect(disk.usedBytes).toBe(0);
    expect(() => writer.finish()).toThrow('aborted');
  });
});

describe('makeDurableDirectory', () => {
  it('makes what is missing durable, from the top', () => {
    const disk = simDisk();
    makeDurableDirectory(disk, '/d/x/y/z');
    expect(pending(disk)).toEqual([]);
    expect(Object.keys(tree(crash(disk), '/d'))).toEqual(['/d/x', '/d/x/y', '/d/x/y/z']);
  });

  it('makes durable what a process that was killed has made', async () => {
    const report = await explore({
      disk: { root: '/d' },
      workload: (disk) => makeDurableDirectory(disk, '/d/x/y'),
      check: (disk, { log, events }) => {
        if (events.length > 0 && disk.stat('/d/x/y') === undefined) return ['gone'];
        makeDurableDirectory(disk, '/d/x/y');
        log.append({ kind: 'acknowledged', value: 'made' });
        return [];
      },
    });
    expect(report).toMatchObject({ violations: [], complete: true });
  });

  it('says so where a file has the name of the directory or of a parent', () => {
    const disk = simDisk();
    settle(disk, '/d/a', 'data');
    expect(codeOf(() => makeDurableDirectory(disk, '/d/a'))).toBe('EEXIST');
    expect(codeOf(() => makeDurableDirectory(disk, '/d/a/b'))).toBe('ENOTDIR');
  });
});
