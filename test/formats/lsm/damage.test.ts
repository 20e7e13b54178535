/** Directories that were damaged on purpose: what is told, and what is read all the same. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/shared/random.ts';
import { codes, content, databaseFiles, type Files, verify } from './databases.ts';

const rocksdb = databaseFiles('rocksdb');
const leveldb = databaseFiles('leveldb');

function without(files: Files, ...names: string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
}

describe('verify', () => {
  it('tells of a table that is gone', async () => {
    const { findings, verdict } = await verify(without(leveldb, '000007.ldb'));
    expect([codes(findings), verdict]).toEqual([['missing-file'], 'damaged']);
  });

  it('tells of tables that changed places', async () => {
    const swapped = { ...leveldb, '000007.ldb': leveldb['000011.ldb']! };
    const { findings } = await verify(swapped);
    expect(codes(findings)).toContain('size-mismatch');
    expect(codes(findings)).toContain('range-mismatch');
    // The newer table's entries lie below older ones now.
    expect(findings.find(({ code }) => code === 'stale-above')?.message).toMatch(/level 1/);
  });

  it('tells of leftovers as what they are', async () => {
    const { findings, verdict } = await verify({
      ...leveldb,
      '000099.ldb': leveldb['000007.ldb']!,
      '000003.log': new Uint8Array(0),
      'notes.txt': new Uint8Array(1),
    });
    expect(findings.map(({ code, severity, file }) => [code, severity, file])).toEqual([
      ['leftover-file', 'info', '000003.log'],
      ['leftover-file', 'warning', '000099.ldb'],
      ['leftover-file', 'info', 'notes.txt'],
    ]);
    expect(verdict).toBe('torn-tail');
  });

  it('tells of a log that is gone', async () => {
    const { findings } = await verify(without(leveldb, '000010.log'));
    expect(codes(findings)).toEqual(['missing-log']);
  });

  it('tells of a table that is cut', async () => {
    const cut = { ...rocksdb, '000012.sst': rocksdb['000012.sst']!.subarray(0, 2000) };
    expect(codes((await verify(cut)).findings)).toContain('size-mismatch');
  });
});

describe('without CURRENT or MANIFEST', () => {
  it('reads the newest MANIFEST', async () => {
    const { lines, findings } = await content(without(leveldb, 'CURRENT'));
    expect(codes(findings)).toEqual(['bad-current']);
    expect(lines).toEqual((await content(leveldb)).lines);
  });

  it('takes an odd CURRENT for none', async () => {
    const odd = { ...leveldb, CURRENT: Buffer.from('MANIFEST-9') };
    const { lines, findings } = await content(odd);
    expect(codes(findings)).toEqual(['bad-current']);
    expect(lines).toEqual((await content(leveldb)).lines);
  });

  it('reads all tables and logs of LevelDB by their sequence numbers', async () => {
    const { lines, findings } = await content(without(leveldb, 'CURRENT', 'MANIFEST-000002'));
    expect(codes(findings)).toEqual(['bad-current', 'guessed-tables']);
    expect(lines).toEqual((await content(leveldb)).lines);
  });

  it('reads those of a column family of RocksDB, by the properties of its tables', async () => {
    const left = without(rocksdb, 'CURRENT', 'MANIFEST-000005');
    for (const family of ['default', 'users']) {
      expect((await content(left, family)).lines).toEqual((await content(rocksdb, family)).lines);
    }
  });
});

describe('a flipped bit anywhere', () => {
  const cases = Object.entries({ rocksdb, leveldb }).flatMap(([name, files]) =>
    Object.keys(files)
      .filter((file) => !file.startsWith('OPTIONS'))
      .map((file) => [name, file, files] as const),
  );

  it.each(cases)(
    'of %s %s is told, or changes nothing',
    { timeout: 60_000 },
    async (name, file, files) => {
      const family = name === 'rocksdb' ? 'users' : 'default';
      const whole = await content(files, family);
      const random = new Random(file.length * 7919 + files[file]!.length);
      for (let round = 0; round < 15; round++) {
        const bytes = Uint8Array.from(files[file]!);
        const at = random.below(bytes.length);
        bytes[at]! ^= 1 << random.below(8);
        const hit = { ...files, [file]: bytes };
        const { lines, findings } = await content(hit, family);
        if (findings.length === 0) expect({ at, lines }).toEqual({ at, lines: whole.lines });
        const { clean } = await verify(hit);
        if (clean) expect({ at, lines }).toEqual({ at, lines: whole.lines });
        if (codes(findings).length > 0) expect({ at, clean }).toEqual({ at, clean: false });
      }
    },
  );
});
