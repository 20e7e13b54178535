/** Tables against the programs that they come from: sst_dump of RocksDB, and LevelDB's own library. */
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ddia, lines, root } from '../cli/run.ts';
import { describePeer, needs, peer, pythonFor, told, workspace } from './peers.ts';

const fixtures = join(root, 'fixtures/sstable');
const TABLES = [
  'rocksdb/none-crc32c-f2.sst',
  'rocksdb/zstd-xxhash64-f5-partitioned.sst',
  'rocksdb/none-xxhash64-f4-partitioned.sst',
  'rocksdb/none-xxhash-f3.sst',
  'rocksdb-made/zstd-trained.sst',
  'rocksdb-made/lz4-dictionary.sst',
];

interface Entry {
  op: string;
  key: { hex: string };
  value?: { hex: string };
}

/** As sst_dump prints entries. */
function scanned(file: string): string[] {
  return peer('sst_dump', [`--file=${file}`, '--command=scan', '--output_hex'])
    .split('\n')
    .filter((line) => line.startsWith("'"));
}

function dumped(file: string): string[] {
  const ran = ddia([
    'sstable',
    'dump',
    file,
    '--json',
    '--key-format',
    'hex',
    '--value-format',
    'hex',
  ]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  return lines<Entry & { seq: number }>(ran)
    .filter(({ op }) => op !== 'delete-range')
    .map(({ op, key, value, seq }) => {
      const type = op === 'delete' ? 0 : 1;
      return `'${key.hex.toUpperCase()}' seq:${seq}, type:${type} => ${(value?.hex ?? '').toUpperCase()}`;
    });
}

describePeer('sst_dump', () => {
  needs('sst_dump', ['--version'], 'rocksdb-tools');
  const work = workspace();

  it.each(TABLES)('reads from %s what we read', (name) => {
    const file = join(fixtures, name);
    expect(dumped(file).map((line) => line.trim())).toEqual(
      scanned(file).map((line) => line.trim()),
    );
  });

  it.each(TABLES)('reads what is repaired of %s', (name) => {
    const hit = work.path(`hit-${name.replace('/', '-')}`);
    const bytes = readFileSync(join(fixtures, name));
    // A byte of the second block, and one of the meta blocks.
    bytes[1500]! ^= 0x20;
    bytes[bytes.length - 100]! ^= 0x20;
    writeFileSync(hit, bytes);
    const out = work.path(`out-${name.replace('/', '-')}`);
    const ran = ddia(['sstable', 'repair', hit, '--out', out]);
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const file = join(out, `hit-${name.replace('/', '-')}`);
    expect(told('sst_dump', [`--file=${file}`, '--command=verify']).stdout).toContain(
      'The file is ok',
    );
    const left = scanned(file);
    const all = scanned(join(fixtures, name));
    expect(left.length).toBeGreaterThan(all.length * 0.8);
    expect(left.length).toBeLessThan(all.length);
    expect(dumped(file).map((line) => line.trim())).toEqual(left.map((line) => line.trim()));
    expect(statSync(hit).size).toBe(bytes.length);
  });
});

const READ = `
import json, plyvel, sys
plyvel.repair_db(sys.argv[1])
db = plyvel.DB(sys.argv[1], bloom_filter_bits=10)
print(json.dumps([[k.hex(), v.hex()] for k, v in db]))
print(json.dumps([db.get(k) == v for k, v in db]))
`;

describePeer('LevelDB', () => {
  const python = pythonFor('import plyvel');
  needs(python, ['-c', 'import plyvel'], 'python3-plyvel');
  const work = workspace();

  it('reads what is repaired of its table, and finds every key through the filter', () => {
    const hit = work.path('000005.ldb');
    const bytes = readFileSync(join(fixtures, 'leveldb/000005.ldb'));
    bytes[3000]! ^= 4;
    writeFileSync(hit, bytes);
    const out = work.path('out');
    expect(ddia(['sstable', 'repair', hit, '--out', out]).status).toBe(0);
    const database = work.path('db');
    mkdirSync(database);
    copyFileSync(join(out, '000005.ldb'), join(database, '000005.ldb'));
    const [entries, found] = peer(python, ['-c', READ, database])
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
    const ours = lines<Entry>(
      ddia([
        'sstable',
        'dump',
        join(out, '000005.ldb'),
        '--json',
        '--key-format',
        'hex',
        '--value-format',
        'hex',
      ]),
    );
    const newest = new Map<string, Entry>();
    for (const entry of ours) if (!newest.has(entry.key.hex)) newest.set(entry.key.hex, entry);
    const live = [...newest.values()].filter(({ op }) => op === 'put');
    expect(entries).toEqual(live.map(({ key, value }) => [key.hex, value!.hex]));
    expect(live.length).toBeGreaterThan(300);
    expect(found!.every(Boolean)).toBe(true);
  });
});
