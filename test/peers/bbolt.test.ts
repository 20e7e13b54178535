/** bbolt itself: what it writes is scanned as it reads it, and what it finds fault with, so do we. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { Random } from '../../src/shared/random.ts';
import { ddia, lines } from '../cli/run.ts';
import { describePeer, hexOf, needs, peer, resultOf, script, workspace } from './peers.ts';

/** Where Debian's packages of Go sources lie. */
const DEBIAN_GOPATH = '/usr/share/gocode';
const CASES = 40;
const CLEAN_OR_DAMAGED = [0, 1];

describePeer('bbolt', () => {
  needs('go', ['version'], 'golang-go');
  needs('ls', [`${DEBIAN_GOPATH}/src/go.etcd.io/bbolt`], 'golang-github-coreos-bbolt-dev');
  const work = workspace();
  const tool = () => work.path('bbolt');
  const file = () => work.path('made.db');

  beforeAll(() => {
    const directory = work.path('go');
    mkdirSync(directory);
    copyFileSync(script('bbolt.go'), work.path('go', 'main.go'));
    const { status, stderr } = spawnSync('go', ['build', '-o', tool(), '.'], {
      cwd: directory,
      encoding: 'utf8',
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH: DEBIAN_GOPATH,
        GOCACHE: work.path('go-cache'),
      },
    });
    if (status !== 0) throw new Error(`go build: ${stderr}`);
    peer(tool(), ['make', file()]);
  });

  it('reads back what ours scans, bucket by bucket', () => {
    const theirs = peer(tool(), ['dump', file()]).split('\n').slice(0, -1).sort();
    const ran = ddia(['btree', 'scan', '--json', file()]);
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    const rows = lines<{ tree: string; key: unknown; value: unknown }>(ran);
    const ours = rows.map(({ tree, key, value }) => `${tree}\t${hexOf(key)}\t${hexOf(value)}`);
    expect(theirs.length).toBeGreaterThan(1000);
    expect(new Set(rows.map(({ tree }) => tree))).toEqual(
      new Set(['alpha', 'alpha/zz-inner', 'beta', 'beta/zz-inner']),
    );
    expect(ours.sort()).toEqual(theirs);
  });

  it('is clean to both', () => {
    const { clean, findings } = resultOf(ddia(['btree', 'fsck', '--json', file()]));
    expect({ clean, findings }).toEqual({ clean: true, findings: [] });
    expect(peer(tool(), ['check', file()])).toBe('');
  });

  it('never complains of damage where fsck does not', () => {
    const random = new Random(13);
    const missed: string[] = [];
    const path = work.path('damaged.db');
    for (let i = 0; i < CASES; i++) {
      const bytes = readFileSync(file());
      // Heads of pages, where it hurts.
      const at = random.below(bytes.length / 4096) * 4096 + random.below(64);
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
      writeFileSync(path, bytes);
      const ours = ddia(['btree', 'fsck', '--json', '--dialect', 'bbolt', path]);
      expect(CLEAN_OR_DAMAGED, `@ ${at}: ${ours.stderr}`).toContain(ours.status);
      const theirs = spawnSync(tool(), ['check', path], { encoding: 'utf8', timeout: 20_000 });
      const complains = theirs.status !== 0 || theirs.stdout !== '';
      if (complains && ours.status === 0) missed.push(`@ ${at}: ${theirs.stdout}${theirs.stderr}`);
    }
    expect(missed).toEqual([]);
  });
});
