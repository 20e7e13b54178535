import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Check } from '../../../src/formats/btree/check.ts';
import { RowBatch } from '../../../src/formats/btree/sqlite/deep/batch.ts';
import {
  type ImageEntry,
  ImageWriter,
  TABLE_PAGE,
} from '../../../src/formats/btree/sqlite/deep/image.ts';
import { SqliteFile } from '../../../src/formats/btree/sqlite/file.ts';
import type { SqliteRecord } from '../../../src/formats/btree/sqlite/record-reader.ts';
import { SqliteWalk } from '../../../src/formats/btree/sqlite/walk.ts';
import { MemorySource } from '../../../src/formats/bytes/memory-source.ts';
import { deep, engine, input, made, messages, recordOf, tableOf } from './sqlite-support.ts';
import { verify } from './support.ts';

describe('definitions', () => {
  const table = tableOf('CREATE TABLE t(a, b UNIQUE)');
  const own: ImageEntry = { type: 'index', name: 'sqlite_autoindex_t_1', table: 't', sql: null };
  const view = (sql: string): ImageEntry => ({ type: 'view', name: 'v', table: 'v', sql });
  const trigger = (of: string, sql: string): ImageEntry => {
    return { type: 'trigger', name: 'r', table: of, sql };
  };
  const goodView = view('CREATE VIEW v AS SELECT mine(a) FROM t');
  const goodTrigger = trigger('t', 'CREATE TRIGGER r DELETE ON t BEGIN SELECT 1; END');
  const onView = trigger('v', 'CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT 1; END');

  it.each([[[]], [[goodView, goodTrigger]], [[goodView, onView]]])(
    'as they are %#',
    async (more) => {
      expect(await messages(made([table, own, ...more]))).toEqual([]);
    },
  );

  const cases: [string, ImageEntry[], string][] = [
    ['a view that is none', [table, own, view('CREATE VIEW v AS SELEKT 1')], 'near "SELEKT"'],
    ['a trigger of no table', [table, own, { ...goodTrigger, table: 'u' }], 'no such table'],
    ['a constraint without its index', [table], '"t": constraint 1 has no index'],
    ['a table of another name', [{ ...table, name: 'u' }, own], 'its statement "t" of "t"'],
  ];
  it.each(cases)('%s is found', async (_, entries, why) => {
    const { findings } = await verify(input(made(entries)), deep);
    const bad = findings.filter(({ code }) => code === 'schema-bad');
    expect(bad.map(({ message }) => message).join('\n')).toContain(why);
  });

  it('are found among many', async () => {
    const tables = Array.from({ length: 100 }, (_, i) => {
      const sql = `CREATE TABLE t${i}(a${i === 70 ? ' b c, ,' : ''})`;
      return { type: 'table' as const, name: `t${i}`, table: `t${i}`, sql };
    });
    const words = (await messages(made(tables))).join('\n');
    expect(words).toContain('malformed database schema (t70)');
    expect(words.match(/malformed database schema/g)).toHaveLength(1);
  });
});

describe('values that SQLite would not have written', () => {
  const float = (value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return recordOf([7], bytes);
  };
  const long = (value: bigint) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, value);
    return recordOf([6], bytes);
  };
  const text = (value: string) => recordOf([13 + 2 * value.length], Buffer.from(value));
  const short = recordOf([9], new Uint8Array(0));
  const cases: [string, SqliteRecord, string][] = [
    ['a NUMERIC', text('x5'), ''],
    ['a NUMERIC', text(' 5e1 '), 'expected a number, actual its text'],
    ['a TEXT', text('5'), ''],
    ['a TEXT', recordOf([9], new Uint8Array(0)), 'expected no number, actual a number'],
    ['a REAL', long(2n ** 60n), ''],
    ['a REAL', long(2n ** 60n + 1n), 'expected a float, actual 1152921504606846977'],
    ['a NOT NULL', float(1.5), ''],
    ['a NOT NULL', float(Number.NaN), 'expected not NULL, actual NaN'],
    ['x, a NOT NULL', short, 'expected a value of its own, actual none'],
    ['x, a NOT NULL DEFAULT 1', short, ''],
    ['a BLOB', text('5'), ''],
  ];
  it.each(cases)('%s %#', async (column, row, expected) => {
    const bytes = made([tableOf(`CREATE TABLE t(${column})`)], [row]);
    const found = await messages(bytes);
    expect(found).toEqual(expected === '' ? [] : [expect.stringContaining(expected)]);
    const theirs = (await engine()).use(bytes, (one) => one.run('PRAGMA integrity_check'));
    // Of an integer that is no float it complains where it is a key.
    if (!column.includes('REAL')) expect(theirs[0]![0] === 'ok').toBe(expected === '');
  });

  it('of computed columns are told in the words of SQLite', async () => {
    const rows = [recordOf([0], new Uint8Array(0)), recordOf([9], new Uint8Array(0))];
    const virtual = 'CREATE TABLE t(a, b INT AS (a) VIRTUAL NOT NULL)';
    const { findings } = await verify(input(made([tableOf(virtual)], rows)), deep);
    expect(findings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'value-type page 2: row 1 of t: NULL value in t.b',
    ]);
    const stored = 'CREATE TABLE t(b INT AS (1) STORED NOT NULL, id INTEGER PRIMARY KEY)';
    expect(await messages(made([tableOf(stored)], rows))).toEqual([
      expect.stringContaining('t.b of rowid 1 (cell 0) is not what the table asks for'),
    ]);
  });

  it('of many rows are counted behind the first hundred', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => {
      return recordOf([i % 3 === 0 ? 8 : 9], new Uint8Array(0));
    });
    const sql = 'CREATE TABLE t(a CHECK(a < 1))';
    const { findings } = await verify(input(made([tableOf(sql)], rows)), deep);
    expect(findings.every(({ code }) => code === 'check-failed')).toBe(true);
    expect(findings[0]!.message).toContain('row 2 of t: CHECK constraint failed in t');
    expect(findings.at(-1)!.message).toMatch(/ \d+ rows of t more are not what the table asks for/);
    const more = Number(/(\d+) rows/.exec(findings.at(-1)!.message)![1]);
    expect(findings.length - 1 + more).toBe(200);
  });

  it('of STRICT tables are defaults too', async () => {
    const sql = (value: string) => `CREATE TABLE t(a, b INT DEFAULT ${value}) STRICT`;
    const row = recordOf([], new Uint8Array(0));
    expect(await messages(made([tableOf(sql('7').replace('(a', '(a INT'))], [row]))).toEqual([]);
    const found = await messages(made([tableOf(sql("'x'").replace('(a', '(a INT'))], [row]));
    expect(found).toEqual([expect.stringContaining('a value of its own')]);
  });
});

describe('texts of UTF-16', () => {
  it('are in the order of the UTF-8 that SQLite makes of them, surrogates alone too', async () => {
    const { use } = await engine();
    const units = fc.oneof(
      fc.constantFrom(0x41, 0x61, 0x20, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff),
      fc.nat(0xffff),
    );
    const texts = fc.array(fc.array(units, { maxLength: 5 }), { minLength: 2, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.constantFrom('NOCASE', 'RTRIM', 'BINARY'),
        fc.constantFrom(2, 3),
        async (values, collation, encoding) => {
          const rows = values.map((value) => {
            const bytes = Buffer.alloc(2 * value.length);
            value.forEach((unit, i) => {
              bytes[encoding === 3 ? 'writeUInt16BE' : 'writeUInt16LE'](unit, 2 * i);
            });
            return recordOf([13 + bytes.length * 2], bytes);
          });
          const sql = `CREATE INDEX i ON t(a COLLATE ${collation})`;
          const index: ImageEntry = { type: 'index', name: 'i', table: 't', sql };
          const image = made([tableOf('CREATE TABLE t(a)'), index], rows, encoding);
          const whole = use(image, (database) => {
            database.run('REINDEX');
            return database.bytes();
          });
          expect(await messages(whole)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('an image', () => {
  const rowids = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 300n));
  const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 16_000, max: 140_000 }));
  const table = { type: 'table' as const, name: 't', table: 't' };

  it('holds the rows that were put in, and SQLite reads them', async () => {
    const { use } = await engine();
    const rows = fc.uniqueArray(fc.tuple(rowids, lengths), {
      selector: ([rowid]) => rowid,
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(rows, fc.boolean(), (wanted, rowid) => {
        const sql = rowid ? 'CREATE TABLE t(a)' : 'CREATE TABLE t(a, PRIMARY KEY(a)) WITHOUT ROWID';
        const writer = new ImageWriter([{ ...table, sql }], rowid, 1, 4);
        const batch = new RowBatch();
        const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
        const put: string[] = [];
        for (const [key, length] of sorted) {
          const record = recordOf([12 + 2 * length], new Uint8Array(length).fill(7));
          if (!batch.fits(record.length, writer.localMax, rowid)) break;
          batch.add(record, key, 1, writer.localMax);
          put.push(`${rowid ? key : ''} ${record.length}`);
        }
        const image = writer.image(batch, 0, batch.count);
        const file = new SqliteFile(new MemorySource('x', image), 65_536, 1e9);
        const found: string[] = [];
        const tree = file.trees.find(({ root }) => root === TABLE_PAGE)!;
        const walk = new SqliteWalk(file, tree, new Check(file, file.pageCount, () => {}), {
          thorough: false,
          onRecord: ({ length }, cell) => {
            found.push(`${rowid ? file.rowid(cell) : ''} ${length}`);
            return false;
          },
        });
        for (const _ of walk.run()) expect(_).toBeGreaterThanOrEqual(0);
        expect(found).toEqual(put);
        const count = use(image, (database) => database.run('SELECT count(*) FROM t NOT INDEXED'));
        expect(count).toEqual([[batch.count]]);
      }),
      { numRuns: 40 },
    );
  });

  it('is refused for definitions that are too long', () => {
    const sql = `CREATE TABLE t(a, CHECK(${'a '.repeat(40_000)}))`;
    expect(() => new ImageWriter([{ ...table, sql }], true, 1, 4)).toThrow('too long');
  });

  it('a text in a column of numbers is a fault where SQLite says so', async () => {
    const { use } = await engine();
    // Not one with a zero byte in it: of that, versions of SQLite think differently.
    const characters = [...' +-.0159eExX\ta', '\u00a0', '\u0130'];
    const texts = fc.array(
      fc.array(fc.constantFrom(...characters), { maxLength: 7 }).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 60 },
    );
    const sql = 'CREATE TABLE t(a NUMERIC)';
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom(1, 2, 3), async (values, encoding) => {
        const writer = new ImageWriter([{ ...table, sql }], true, encoding, 4);
        const batch = new RowBatch();
        values.forEach((value, i) => {
          const text = Buffer.from(value, encoding === 1 ? 'utf8' : 'utf16le');
          if (encoding === 3) text.swap16();
          batch.add(recordOf([13 + 2 * text.length], text), i, 1, writer.localMax);
        });
        const image = writer.image(batch, 0, batch.count).slice();
        const theirs = use(image, (one) => one.run('PRAGMA quick_check(1000)'));
        const ours = (await verify(input(image), deep)).findings.map(({ code }) => code);
        const faults = theirs.filter(([what]) => what === 'TEXT value in t.a').length;
        expect(ours).toEqual(Array.from({ length: faults }, () => 'value-type'));
      }),
      { numRuns: 60 },
    );
  });
});
