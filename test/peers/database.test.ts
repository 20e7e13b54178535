/** Whole directories against the programs that wrote them: ldb of RocksDB, and LevelDB's library. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ddia, hashOf, lines } from '../cli/run.ts';
import { ldb } from './ldb.ts';
import { describePeer, needs, peer, pythonFor, RandomBytes, script, workspace } from './peers.ts';

interface Row {
  key: { hex: string };
  value: { hex: string };
}

/** `key value` in hex. Reads without a change to the directory, whatever the flags. */
function scanned(path: string, ...flags: string[]): string[] {
  const before = hashOf(path);
  const formats = ['--key-format', 'hex', '--value-format', 'hex', '--json'];
  const ran = ddia(['lsm', 'scan', path, ...formats, ...flags]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(hashOf(path)).toBe(before);
  return lines<Row>(ran).map(({ key, value }) => `${key.hex} ${value.hex}`);
}

interface Finding {
  code: string;
  severity: string;
  file: string;
  message: string;
}

function expectWhole(path: string): void {
  const ran = ddia(['lsm', 'verify', path, '--json']);
  const { results } = JSON.parse(ran.stdout) as { results: { findings: Finding[] }[] };
  // LevelDB can be closed before it has removed the inputs of a compaction.
  const told = results[0]!.findings.filter(
    ({ severity, code }) => severity !== 'info' && code !== 'leftover-file',
  );
  expect(told.map(({ code, file, message }) => `${code} ${file}: ${message}`)).toEqual([]);
  expect([0, 4]).toContain(ran.status);
}

describePeer('RocksDB', () => {
  const python = pythonFor('import ctypes');
  needs('ldb', ['--version'], 'rocksdb-tools');
  const work = workspace();
  const FAMILIES = ['default', 'users'];

  function asLdbScans(path: string, family: string): string[] {
    const text = ldb('scan', `--db=${path}`, `--column_family=${family}`, '--hex');
    return [...text.matchAll(/^0x(\w*) : 0x(\w*)$/gm)].map(
      ([, key, value]) => `${key!.toLowerCase()} ${value!.toLowerCase()}`,
    );
  }

  it('is read as ldb reads it: tables, a log, deletions, range deletions', () => {
    const path = work.path('rocksdb');
    const random = new RandomBytes(11);
    const key = (): string => Buffer.from(`k${random.below(400)}`).toString('hex');
    const batches = Array.from({ length: 300 }, () =>
      Array.from({ length: 1 + random.below(6) }, () => {
        const family = random.below(2);
        const kind = random.below(10);
        if (kind === 0) return ['delete', family, key()];
        if (kind === 1 && random.below(4) === 0) {
          return ['delete-range', family, ...[key(), key()].sort()];
        }
        return ['put', family, key(), random.hex(1 + random.below(60))];
      }),
    );
    peer(
      python,
      [script('rocksdb.py'), path],
      batches.map((one) => JSON.stringify(one)).join('\n'),
    );
    const logged = FAMILIES.map((family) => scanned(path, '--column-family', family));
    // What is opened again flushes its log; what comes then stays in the next one.
    const users = [`--db=${path}`, '--column_family=users'];
    ldb('put', ...users, 'k1', 'late');
    expect(readdirSync(path).some((name) => name.endsWith('.sst'))).toBe(true);
    ldb('deleterange', ...users, 'k3', 'k35');
    ldb('delete', `--db=${path}`, 'k2');
    ldb('put', `--db=${path}`, 'zz', 'late');
    for (const [index, family] of FAMILIES.entries()) {
      const ours = scanned(path, '--column-family', family);
      expect(ours).not.toEqual(logged[index]);
      expect(ours.length).toBeGreaterThan(30);
      const backwards = scanned(path, '--column-family', family, '--reverse');
      expect(backwards.reverse()).toEqual(ours);
    }
    expectWhole(path);
    const ours = FAMILIES.map((family) => scanned(path, '--column-family', family));
    expect(ours).toEqual(FAMILIES.map((family) => asLdbScans(path, family)));
    for (const family of FAMILIES) ldb('compact', `--db=${path}`, `--column_family=${family}`);
    expect(FAMILIES.map((family) => scanned(path, '--column-family', family))).toEqual(ours);
    expectWhole(path);
  });
});

describePeer('LevelDB', () => {
  const python = pythonFor('import plyvel');
  needs(python, ['-c', 'import plyvel'], 'python3-plyvel');
  const work = workspace();

  it('is read as LevelDB reads it: tables in levels, and a log', () => {
    const path = work.path('leveldb');
    const random = new RandomBytes(12);
    const batches = Array.from({ length: 800 }, () =>
      Array.from({ length: 1 + random.below(5) }, () =>
        random.below(5) === 0
          ? ['delete', random.key()]
          : ['put', random.key(), random.hex(random.below(200))],
      ),
    );
    const input = batches.map((one) => JSON.stringify(one)).join('\n');
    peer(python, [script('leveldb.py'), 'write', path, '65536'], input);
    const names = readdirSync(path);
    expect(names.some((name) => name.endsWith('.ldb'))).toBe(true);
    const ours = scanned(path);
    expectWhole(path);
    const theirs = peer(python, [script('leveldb.py'), 'read', path])
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as string[]).join(' '));
    expect(ours).toEqual(theirs);
    expect(scanned(path)).toEqual(ours);
  });
});
