/** What repairs and `write` put on the disk, crashed at every single step. */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../src/io/disk.ts';
import { readFully } from '../../src/io/disk.ts';
import { replaceInPlace } from '../../src/io/in-place.ts';
import { NewDirectory } from '../../src/io/new-directory.ts';
import type { Profile } from '../../src/io/sim-disk/choices.ts';
import { explore } from '../../src/io/sim-disk/explore.ts';
import type { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../src/io/sim-disk/violation.ts';

const PROFILES: Profile[] = ['ordered', 'per-file', 'adversarial'];
const LIMITS = { maxStates: 4000, maxRecoveryStates: 500 };

function contentOf(disk: Disk, path: string): string | undefined {
  if (disk.stat(path)?.kind !== 'file') return undefined;
  const file = disk.open(path, 'read');
  const bytes = new Uint8Array(file.size());
  readFully(file, bytes, 0, bytes.length, 0);
  file.close();
  return Buffer.from(bytes).toString('latin1');
}

const text = (size: number, letter: string) => letter.repeat(size);

function make(disk: Disk, target: string, letter: string, replace = false): void {
  const directory = new NewDirectory(disk, target, replace);
  for (const name of ['a', 'b']) {
    const file = directory.create(name);
    file.write(Buffer.from(text(700, letter)));
    file.write(Buffer.from(text(900, letter)));
    file.finish();
  }
  directory.finish();
}

const whole = (disk: Disk, directory: string, letter: string) =>
  ['a', 'b'].every((name) => contentOf(disk, `${directory}/${name}`) === text(1600, letter));

describe.each(PROFILES)('a new directory (%s)', (profile) => {
  it('is there whole or not at all, and stays once finish has returned', async () => {
    const report = await explore<{ kind: 'done' }>({
      disk: { root: '/d' },
      workload: (disk, log) => {
        make(disk, '/d/out', 'n');
        log.append({ kind: 'done' });
      },
      check: (disk, { events }) => {
        if (!disk.stat('/d/out')) return events.length > 0 ? ['out is gone'] : [];
        return whole(disk, '/d/out', 'n') ? [] : ['out is there in part'];
      },
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });

  it('that replaces one leaves the old or the new somewhere whole', async () => {
    const report = await explore<{ kind: 'done' }>({
      disk: { root: '/d' },
      prepare: (disk) => make(disk, '/d/out', 'o'),
      workload: (disk, log) => {
        make(disk, '/d/out', 'n', true);
        log.append({ kind: 'done' });
      },
      check: (disk, { events }) => {
        if (whole(disk, '/d/out', 'n')) return [];
        if (events.length > 0) return ['the new one is gone'];
        const aside = disk.list('/d').map((name) => `/d/${name}`);
        return aside.some((one) => whole(disk, one, 'o')) ? [] : ['neither old nor new is whole'];
      },
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});

describe.each(PROFILES)('replacing in place (%s)', (profile) => {
  const prepare = (disk: SimDisk): void => {
    make(disk, '/d/log', 'o');
    make(disk, '/d/result', 'n');
  };

  it('leaves each file old or new, and a new one only behind its backup', async () => {
    const report = await explore<{ kind: 'done' }>({
      disk: { root: '/d' },
      prepare,
      workload: (disk, log) => {
        const touched = new Set(['a', 'b']);
        const replacement = { touched, removed: new Set<string>(), backup: true };
        replaceInPlace(disk, '/d/log', true, '/d/result', replacement);
        log.append({ kind: 'done' });
      },
      check: (disk, { events }) => {
        const found: string[] = [];
        for (const name of ['a', 'b']) {
          const content = contentOf(disk, `/d/log/${name}`);
          const isNew = content === text(1600, 'n');
          if (!isNew && content !== text(1600, 'o')) found.push(`${name} is neither old nor new`);
          if (events.length > 0 && !isNew) found.push(`${name} fell back`);
          const backup = contentOf(disk, `/d/log/${name}.bak`);
          if (isNew && backup !== text(1600, 'o')) found.push(`${name} is new without its backup`);
        }
        return found;
      },
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });

  it('takes files away before anything new is in place, behind their backups', async () => {
    const report = await explore<{ kind: 'done' }>({
      disk: { root: '/d' },
      prepare,
      workload: (disk, log) => {
        // `b` was derived from `a` as it was: it must not lie beside the new one.
        const replacement = {
          touched: new Set(['a', 'b']),
          removed: new Set(['b', 'c']),
          backup: true,
        };
        replaceInPlace(disk, '/d/log', true, '/d/result', replacement);
        log.append({ kind: 'done' });
      },
      check: (disk, { events }) => {
        const found: string[] = [];
        const a = contentOf(disk, '/d/log/a');
        const b = contentOf(disk, '/d/log/b');
        if (a === text(1600, 'n') && b === text(1600, 'o'))
          found.push('the old b beside the new a');
        if (b !== text(1600, 'o') && contentOf(disk, '/d/log/b.bak') !== text(1600, 'o')) {
          found.push('the old b is gone without its backup');
        }
        if (events.length > 0 && b !== text(1600, 'n')) found.push('b is not back');
        return found;
      },
      profile,
      limits: LIMITS,
    });
    expect(report.violations, formatReport(report)).toEqual([]);
  });
});
