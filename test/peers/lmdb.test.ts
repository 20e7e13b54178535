/** LMDB's own tools: what they load is scanned as they dump it, and damage is no surprise. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ddia, lines } from '../cli/run.ts';
import { describePeer, hexOf, needs, peer, RandomBytes, resultOf, workspace } from './peers.ts';

interface Kind {
  name: string;
  /** Lines of the header that mdb_load makes its flags of. */
  flags: string[];
  key(random: RandomBytes, i: number): string;
  value(random: RandomBytes): string;
}

const anyKey = (random: RandomBytes): string => `6b${random.hex(random.below(40))}`;
const littleEndian = (i: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(i * 7919);
  return bytes.toString('hex');
};

const kinds: Kind[] = [
  { name: 'plain', flags: [], key: anyKey, value: (random) => random.hex(random.below(200)) },
  {
    name: 'overflow',
    flags: [],
    key: anyKey,
    value: (random) => random.hex(random.below(20) === 0 ? 2000 + random.below(30_000) : 30),
  },
  {
    name: 'dupsort',
    flags: ['duplicates=1', 'dupsort=1'],
    // Few keys: some have so many values that these are a tree of their own.
    key: (random) => `6b${random.below(6)}${random.below(2)}`,
    value: (random) => random.hex(1 + random.below(60)),
  },
  {
    name: 'dupfixed',
    flags: ['duplicates=1', 'dupsort=1', 'dupfixed=1'],
    key: (random) => `6b${random.below(6)}${random.below(2)}`,
    value: (random) => random.hex(8),
  },
  {
    name: 'integerkey',
    flags: ['integerkey=1'],
    key: (_, i) => littleEndian(i),
    value: (random) => random.hex(20),
  },
  { name: 'reversekey', flags: ['reversekey=1'], key: anyKey, value: (random) => random.hex(20) },
];
const PAIRS = 1500;
const CASES = 40;
const CLEAN_OR_DAMAGED = [0, 1];

/** What mdb_load reads. */
function textOf({ flags, key, value }: Kind, random: RandomBytes): string {
  const head = ['VERSION=3', 'format=bytevalue', 'type=btree', 'mapsize=67108864', ...flags];
  const text = [...head, 'HEADER=END'];
  for (let i = 0; i < PAIRS; i++) text.push(` ${key(random, i)}`, ` ${value(random)}`);
  return `${text.join('\n')}\nDATA=END\n`;
}

/** Keys and values in turns, in hex. */
function dumped(file: string, ...more: string[]): string[] {
  const text = peer('mdb_dump', ['-n', ...more, file]).split('\n');
  return text.filter((line) => line.startsWith(' ')).map((line) => line.slice(1));
}

function scanned(file: string, tree: string): (string | undefined)[] {
  const ran = ddia(['btree', 'scan', '--json', '--tree', tree, file]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  const rows = lines<{ key: unknown; value: unknown }>(ran);
  return rows.flatMap(({ key, value }) => [hexOf(key), hexOf(value)]);
}

function expectSound(file: string): void {
  const { clean, findings } = resultOf(ddia(['btree', 'fsck', '--deep', '--json', file]));
  // --deep tells of the tree that the other meta page has, which is no fault.
  const faults = findings.filter(({ code }) => code !== 'other-meta');
  expect({ clean, faults }).toEqual({ clean: true, faults: [] });
}

describePeer('LMDB', () => {
  needs('mdb_load', ['-V'], 'lmdb-utils');
  needs('mdb_dump', ['-V'], 'lmdb-utils');
  const work = workspace();

  it.each(kinds)('$name: scanned as mdb_dump prints it, and clean', (kind) => {
    const file = work.path(`${kind.name}.mdb`);
    peer('mdb_load', ['-n', file], textOf(kind, new RandomBytes(3)));
    const pairs = dumped(file);
    expect(pairs.length).toBeGreaterThan(1000);
    expect(scanned(file, '@main')).toEqual(pairs);
    expectSound(file);
  });

  it('databases beside each other, loaded again and again, with pages that were freed', () => {
    const file = work.path('named.mdb');
    const random = new RandomBytes(5);
    for (let round = 0; round < 3; round++) {
      for (const kind of kinds) {
        peer('mdb_load', ['-n', '-s', kind.name, file], textOf(kind, random));
      }
    }
    for (const { name } of kinds) expect(scanned(file, name)).toEqual(dumped(file, '-s', name));
    expectSound(file);
  });

  describe('that is damaged', () => {
    it('ends with a verdict, and never as clean where mdb_dump gives up', () => {
      const random = new RandomBytes(7);
      const missed: string[] = [];
      for (let i = 0; i < CASES; i++) {
        const { name } = kinds[random.below(kinds.length)]!;
        const bytes = readFileSync(work.path(`${name}.mdb`));
        // Heads of pages, where it hurts.
        const page = random.below(bytes.length / 4096) * 4096;
        const at = page + random.below(64);
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
        const path = work.path('damaged.mdb');
        writeFileSync(path, bytes);
        const ours = ddia(['btree', 'fsck', '--json', path, '--dialect', 'lmdb']);
        expect(CLEAN_OR_DAMAGED, `${name} @ ${at}: ${ours.stderr}`).toContain(ours.status);
        const scan = ddia(['btree', 'scan', '--json', path, '--dialect', 'lmdb']);
        expect(CLEAN_OR_DAMAGED, `${name} @ ${at}: ${scan.stderr}`).toContain(scan.status);
        const theirs = spawnSync('mdb_dump', ['-n', path], { timeout: 20_000, stdio: 'ignore' });
        if (theirs.status !== 0 && ours.status === 0) missed.push(`${name} @ ${at}`);
      }
      expect(missed).toEqual([]);
    });
  });
});
