import { describe, expect, it } from 'vitest';
import {
  type ChoiceLimits,
  crashChoices,
  type Profile,
  spread,
} from '../../src/io/sim-disk/choices.ts';
import {
  type CrashChoice,
  cleanRestart,
  fingerprint,
  pendingOperations,
  powerLoss,
} from '../../src/io/sim-disk/image.ts';
import type { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { settle, simDisk, tree, writeText } from './files.ts';

const LIMITS: ChoiceLimits = { exhaustiveOperations: 12, samples: 20, perKind: 8 };

function choices(disk: SimDisk, profile: Profile, limits = LIMITS, seed = 1): CrashChoice[] {
  return [...crashChoices(pendingOperations(disk.snapshot()), profile, seed, limits)];
}

/** `k` kept, `-` dropped, `t` torn; one character for each pending operation. */
function patterns(found: readonly CrashChoice[]): Set<string> {
  return new Set(
    found.map(({ fates }) =>
      fates.map((fate) => (fate === 'kept' ? 'k' : fate === 'dropped' ? '-' : 't')).join(''),
    ),
  );
}

function twoFiles(): SimDisk {
  const disk = simDisk();
  settle(disk, '/d/a', '');
  settle(disk, '/d/b', '');
  for (let round = 0; round < 3; round++) {
    writeText(disk, '/d/a', 'a'.repeat(1000), { position: round * 1000 });
    writeText(disk, '/d/b', 'b'.repeat(100), { position: round * 100 });
  }
  return disk;
}

describe('the crashes that are tried', () => {
  it('are prefixes, the next write torn, on an ordered disk', () => {
    const found = patterns(choices(twoFiles(), 'ordered'));
    for (const pattern of found) expect(pattern).toMatch(/^k*t?-*$/);
    for (let kept = 0; kept <= 6; kept++) expect(found).toContain('k'.repeat(kept).padEnd(6, '-'));
    expect(found).toContain('kkt---');
    // The writes to the other file are a sector each, and cannot be torn in order.
    expect(found).not.toContain('kkkt--');
  });

  it('are prefixes for each file where each has an order of its own', () => {
    const found = patterns(choices(twoFiles(), 'per-file'));
    const whole = [...found].filter((pattern) => !pattern.includes('t'));
    expect(whole).toHaveLength(16);
    for (const pattern of found) {
      for (const file of [0, 1]) {
        expect([0, 2, 4].map((at) => pattern[at + file]).join('')).toMatch(/^k*t?-*$/);
      }
    }
  });

  it('are all combinations for an adversary, and torn writes, and lengths without data', () => {
    const all = choices(twoFiles(), 'adversarial');
    const whole = [...patterns(all)].filter((pattern) => !pattern.includes('t'));
    expect(whole).toHaveLength(64);
    const lengthOnly = all.some(({ fates }) =>
      fates.some((fate) => typeof fate === 'object' && !fate.kept.includes(true)),
    );
    expect(lengthOnly).toBe(true);
    expect(new Set(all.map(({ fill }) => fill))).toEqual(new Set(['zeros', 'garbage']));
  });

  it('contain those of the milder profiles', () => {
    const disk = twoFiles();
    const states = (['ordered', 'per-file', 'adversarial'] as const).map((profile) => {
      const whole = choices(disk, profile).filter(({ fates }) =>
        fates.every((fate) => typeof fate === 'string'),
      );
      return new Set(whole.map((choice) => fingerprint(powerLoss(disk.snapshot(), choice))));
    });
    for (const state of states[0]!) expect(states[1]).toContain(state);
    for (const state of states[1]!) expect(states[2]).toContain(state);
  });

  it('are the same for the same seed, and bounded when there is much to lose', () => {
    const disk = simDisk();
    settle(disk, '/d/a', '');
    for (let at = 0; at < 300; at++) writeText(disk, '/d/a', 'x', { position: at * 600 });
    for (const profile of ['ordered', 'per-file', 'adversarial'] as const) {
      const found = choices(disk, profile);
      expect(found.length).toBeLessThan(300);
      expect(found).toEqual(choices(disk, profile));
    }
    expect(choices(disk, 'adversarial', LIMITS, 2)).not.toEqual(choices(disk, 'adversarial'));
    const edges = patterns(choices(disk, 'adversarial'));
    expect(edges).toContain('-'.repeat(300));
    expect(edges).toContain('k'.repeat(300));
    expect(edges).toContain('k'.repeat(299).padStart(300, '-'));
    expect(edges).toContain('k'.padStart(300, '-'));
  });

  it('are one where nothing is pending', () => {
    expect(choices(simDisk(), 'adversarial')).toHaveLength(1);
  });

  it('keep a move between directories in one piece where order is kept', () => {
    const disk = simDisk();
    disk.makeDirectory('/d/x');
    settle(disk, '/d/a', 'data');
    disk.rename('/d/a', '/d/x/a');
    expect(patterns(choices(disk, 'ordered'))).toEqual(new Set(['--', 'kk']));
    expect(patterns(choices(disk, 'adversarial'))).toEqual(new Set(['--', 'k-', '-k', 'kk']));
  });
});

describe('images', () => {
  it('have the same fingerprint for the same names and bytes', () => {
    const one = simDisk();
    settle(one, '/d/a', 'x'.repeat(5000));
    one.open('/d/a', 'write').truncate(100);
    const other = simDisk();
    settle(other, '/d/b', 'x'.repeat(100));
    other.rename('/d/b', '/d/a');
    const print = (disk: SimDisk) => fingerprint(cleanRestart(disk.snapshot()));
    expect(tree(one, '/d')).toEqual(tree(other, '/d'));
    expect(print(one)).toBe(print(other));
    writeText(other, '/d/a', 'y', { position: 50 });
    expect(print(one)).not.toBe(print(other));
  });

  it('spread over a list from its first to its last', () => {
    const list = Array.from({ length: 100 }, (_, at) => at);
    expect(spread(list, 4)).toEqual([0, 33, 66, 99]);
    expect(spread(list, 1)).toEqual([99]);
    expect(spread(list, 200)).toBe(list);
  });
});
