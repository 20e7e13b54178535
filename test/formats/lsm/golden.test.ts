/** Directories that LevelDB and RocksDB wrote, against what those programs read from them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { liveContent } from '../../../src/formats/lsm/live.ts';
import { statDatabase } from '../../../src/formats/lsm/stat.ts';
import { keyRange } from '../../../src/formats/sstable/range.ts';
import { fixtureJson, root } from '../../support/memory.ts';
import { content, context, databaseFiles, open, verify } from './databases.ts';

const rocksdb = databaseFiles('rocksdb');
const leveldb = databaseFiles('leveldb');

/** As `ldb scan --hex` prints. */
function scanned(family: string): string[] {
  const path = join(root, `fixtures/database/expected/scan-${family}.txt`);
  return [...readFileSync(path, 'utf8').matchAll(/0x(\w*) : 0x(\w*)/g)].map(
    ([, key, value]) => `${key!.toLowerCase()} ${value!.toLowerCase()}`,
  );
}

describe('RocksDB', () => {
  it.each(['default', 'users'])('of column family %s reads what ldb reads', async (family) => {
    const { lines, findings } = await content(rocksdb, family);
    expect(lines).toEqual(scanned(family));
    expect(findings).toEqual([]);
  });

  it.each(['default', 'users'])('reads %s backwards', async (family) => {
    const { lines } = await content(rocksdb, family, { reverse: true });
    expect(lines).toEqual(scanned(family).reverse());
  });

  it('reads ranges, and a part of them', async () => {
    const from = Buffer.from('k2');
    const to = Buffer.from('k4');
    const within = scanned('users').filter((line) => line >= '6b32' && line < '6b34');
    expect(within.length).toBeGreaterThan(10);
    expect((await content(rocksdb, 'users', { range: { from, to } })).lines).toEqual(within);
    const some = { range: { from, to }, skip: 2, limit: 3 };
    expect((await content(rocksdb, 'users', some)).lines).toEqual(within.slice(2, 5));
    expect((await content(rocksdb, 'users', { ...some, reverse: true })).lines).toEqual(
      within.reverse().slice(2, 5),
    );
  });

  it('is clean', async () => {
    expect(await verify(rocksdb)).toMatchObject({ clean: true, findings: [] });
    expect(await verify(rocksdb, true)).toMatchObject({ clean: true, findings: [] });
  });

  it('refuses to hold more of the logs than it may', async () => {
    const database = await open(rocksdb);
    const family = database.version.families.get(1)!;
    const small = { ...context, options: { 'max-log-bytes': 200 } };
    const read = (key?: string) => {
      const range = key === undefined ? {} : keyRange(Buffer.from(key));
      return liveContent(
        database,
        family,
        { range },
        small,
        () => {},
        () => {},
      );
    };
    await expect(read()).rejects.toMatchObject({ code: 'log-too-large' });
    expect(await read('k1')).toMatchObject({ keys: 1 });
  });
});

describe('LevelDB', () => {
  it('reads what LevelDB reads', async () => {
    const expected = fixtureJson<[string, string, number][]>('database/expected/leveldb-live.json');
    const { lines, findings } = await content(leveldb);
    const told = lines.map((line) => {
      const [key, value] = line.split(' ');
      const bytes = Buffer.from(value!, 'hex');
      return [key, createHash('sha256').update(bytes).digest('hex'), bytes.length];
    });
    expect(told).toEqual(expected);
    expect(findings).toEqual([]);
    const backwards = await content(leveldb, 'default', { reverse: true });
    expect(backwards.lines).toEqual(lines.reverse());
  });

  it('is clean, and tells of its levels', async () => {
    expect(await verify(leveldb)).toMatchObject({ clean: true, findings: [] });
    const stat = await statDatabase(await open(leveldb), context);
    expect(stat).toMatchObject({ dialect: 'leveldb', lastSequence: 3229, edits: 6 });
    expect(stat['levels']).toMatchObject([
      { level: 0, tables: 2 },
      { level: 1, tables: 1 },
      { level: 2, tables: 1 },
    ]);
  });
});
