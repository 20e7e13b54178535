/**
 * Random traces of calls, without crashes, on the real disk and on the simulated one: the same
 * answers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Disk, DiskFile, OpenMode } from '../../src/io/disk.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { cleanRestart } from '../../src/io/sim-disk/image.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { tree } from './files.ts';

type Step =
  | { do: 'open'; path: string; mode: OpenMode }
  | { do: 'close' | 'size'; file: number }
  | { do: 'sync' | 'dataSync'; file: number }
  | { do: 'write' | 'read'; file: number; length: number; position: number }
  | { do: 'truncate'; file: number; size: number }
  | { do: 'makeDirectory' | 'remove' | 'removeDirectory'; path: string }
  | { do: 'list' | 'stat' | 'syncDirectory'; path: string }
  | { do: 'rename'; path: string; to: string };

/**
 * Few names, so that calls meet: files where directories were, and directories where files were.
 */
const path = fc.constantFrom('', '/a', '/b', '/x', '/x/a', '/x/b', '/x/y', '/x/y/a', '/z');
const file = fc.nat({ max: 5 });
const position = fc.oneof(
  fc.nat({ max: 1500 }),
  fc.constantFrom(0, 511, 512, 513, 4095, 4096, 9000),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      path,
      mode: fc.constantFrom<OpenMode>('create', 'create', 'read', 'write', 'write'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'size'), file }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('sync' as const, 'dataSync'), file }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'read'),
      file,
      length: fc.oneof(fc.nat({ max: 1000 }), fc.constantFrom(0, 512, 4096, 5000)),
      position,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('truncate' as const), file, size: position }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('makeDirectory' as const, 'remove', 'removeDirectory'),
      path,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('list' as const, 'stat', 'syncDirectory'), path }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('rename' as const), path, to: path }) },
);

/** What the calls of a trace answered, errors by their code. */
function play(disk: Disk, root: string, steps: readonly Step[]): unknown[] {
  const files: DiskFile[] = [];
  const open = new Set<DiskFile>();
  const answers = steps.map((step, at) => {
    try {
      return answer(disk, root, files, open, step, at);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? error;
    }
  });
  answers.push(tree(disk, root === '' ? '/' : root));
  for (const file of open) file.close();
  return answers.map((value) => JSON.stringify(value)?.replaceAll(root, ''));
}

function answer(
  disk: Disk,
  root: string,
  files: DiskFile[],
  open: Set<DiskFile>,
  step: Step,
  at: number,
): unknown {
  if (step.do === 'open') {
    const opened = disk.open(root + step.path, step.mode);
    open.add(opened);
    files.unshift(opened);
    return opened.size();
  }
  if ('path' in step) return answerPath(disk, root, step);
  const file = files[step.file];
  if (file === undefined) return 'no file';
  if (step.do === 'read') {
    const target = Buffer.alloc(step.length + 2);
    return [file.read(target, 1, step.length, step.position), target.toString('latin1')];
  }
  if (step.do === 'write') {
    const bytes = Buffer.alloc(step.length + 2, String.fromCharCode(65 + (at % 26)));
    return file.write(bytes, 1, step.length, step.position);
  }
  if (step.do === 'truncate') return file.truncate(step.size);
  if (step.do === 'close') open.delete(file);
  return file[step.do]();
}

function answerPath(disk: Disk, root: string, step: Extract<Step, { path: string }>): unknown {
  const path = root + step.path;
  if (step.do === 'rename') return disk.rename(path, root + step.to);
  if (step.do === 'stat') {
    const stat = disk.stat(path);
    return stat?.kind === 'directory' ? 'directory' : stat;
  }
  if (step.do === 'open') return undefined;
  // The root itself belongs to the test.
  if (step.do === 'removeDirectory' && step.path === '') return undefined;
  return disk[step.do](path);
}

describe('the real disk and the simulated one', () => {
  // The codes are Linux's: other systems name some errors otherwise.
  it.runIf(process.platform === 'linux')('answer the same to the same calls', () => {
    const base = mkdtempSync(join(tmpdir(), 'ddia-traces-'));
    let number = 0;
    try {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
          const root = join(base, `${number++}`);
          const real = new RealDisk();
          real.makeDirectory(root);
          const simulated = new SimDisk({ root });
          expect(play(simulated, root, steps)).toEqual(play(real, root, steps));
        }),
        { numRuns: 400, seed: 20 },
      );
    } finally {
      rmSync(base, { recursive: true });
    }
  });
});

describe('a simulated disk after a trace', () => {
  const simulate = (steps: readonly Step[]) => {
    const disk = new SimDisk({ root: '/d' });
    play(disk, '/d', steps);
    return disk;
  };
  const syncAll = (disk: SimDisk, directory: string): void => {
    disk.syncDirectory(directory);
    for (const name of disk.list(directory)) {
      const path = `${directory}/${name}`;
      if (disk.stat(path)?.kind === 'directory') syncAll(disk, path);
      else disk.open(path, 'read').sync();
    }
  };

  it('loses nothing in a crash once everything was synced', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const disk = simulate(steps);
        const before = tree(disk, '/d');
        const used = disk.usedBytes;
        syncAll(disk, '/d');
        const after = disk.crash({ fates: [], fill: 'garbage', seed: 1 });
        expect(tree(after, '/d')).toEqual(before);
        expect([disk.usedBytes, after.usedBytes]).toEqual([used, used]);
      }),
      { numRuns: 300, seed: 21 },
    );
  });

  it('is the same after a crash that keeps everything, and after the death of the process', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const disk = simulate(steps);
        const before = tree(disk, '/d');
        expect(tree(SimDisk.from(disk.snapshot()), '/d')).toEqual(before);
        expect(tree(SimDisk.from(cleanRestart(disk.snapshot())), '/d')).toEqual(before);
      }),
      { numRuns: 300, seed: 22 },
    );
  });
});
