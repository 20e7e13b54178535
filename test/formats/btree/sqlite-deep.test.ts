import { describe, expect, it } from 'vitest';
import { Check } from '../../../src/formats/btree/check.ts';
import { parseCreate } from '../../../src/formats/btree/sqlite/create.ts';
import { RowBatch } from '../../../src/formats/btree/sqlite/deep/batch.ts';
import { checkDeep } from '../../../src/formats/btree/sqlite/deep/deep.ts';
import { ImageWriter } from '../../../src/formats/btree/sqlite/deep/image.ts';
import { SqliteFile } from '../../../src/formats/btree/sqlite/file.ts';
import { MemorySource } from '../../../src/formats/bytes/memory-source.ts';
import type { SqlEngine } from '../../../src/shared/sql-engine.ts';
import { fixtureFiles } from '../../support/memory.ts';
import { deep, engine, input, messages, recordOf } from './sqlite-support.ts';
import { codes, verify } from './support.ts';

const files = fixtureFiles('btree/sqlite');
const bytesOf = (name: string): Uint8Array => new Uint8Array(files[name]!);
/** computed.db with another statement in place of one of the same bytes. */
function restated(from: string, to: string): Uint8Array {
  const bytes = bytesOf('computed.db');
  const at = Buffer.from(bytes).indexOf(from);
  expect(at).toBeGreaterThan(0);
  expect(to.length).toBeLessThanOrEqual(from.length);
  bytes.set(Buffer.from(to.padEnd(from.length)), at);
  return bytes;
}

const JSON_INDEX = "CREATE INDEX p_json ON p(data ->> '$.n') WHERE json_valid(data)";
const LOUD_INDEX = 'CREATE INDEX p_loud ON p(loud, name COLLATE NOCASE DESC)';
const CHECK = 'CHECK (price >= 0)';

describe('what takes an expression to see', () => {
  const cases: [string, string[]][] = [
    ['computed-missing.db', ['row 100 of p is missing from index p_cheap']],
    ['computed-extra.db', ['index p_cheap has an entry without such a row']],
    [
      'computed-expression.db',
      ['row 50 of p is missing from index p_lower', 'p_lower has an entry without such a row'],
    ],
    ['computed-virtual.db', ['row 50 of p is missing from index p_loud']],
    ['computed-stored.db', ['row 50 of p is missing from index p_cents']],
    ['computed-keyed.db', ['a row of w is missing from index w_twice']],
    ['computed-json.db', ['row 57 of p has no entry in index p_json: malformed JSON']],
    ['computed-check.db', ['row 33 of p: CHECK constraint failed in p']],
    ['computed-affinity.db', ['a.y of rowid 2 (cell 1) is not what the table asks for']],
  ];
  it.each(cases)('%s: row and index are named', async (name, expected) => {
    const words = (await messages(bytesOf(name))).join('\n');
    for (const what of expected) expect(words).toContain(what);
  });

  it('shows with --deep alone', async () => {
    for (const [name] of cases) expect(await codes(input(bytesOf(name)))).toEqual([]);
  });

  it('of a file that an older version wrote may be texts of floats', async () => {
    const diagnosis = async (bytes: Uint8Array) =>
      (await verify(input(bytes), deep)).findings[0]!.diagnosis;
    const old = bytesOf('computed-virtual.db');
    expect(await diagnosis(old)).toContain('SQLite 3.40.1 wrote last');
    new DataView(old.buffer).setUint32(96, 3_053_000);
    expect(await diagnosis(old)).toBeUndefined();
    // Of a column that has texts alone.
    expect(await diagnosis(bytesOf('computed-expression.db'))).toBeUndefined();
  });

  describe('texts of floats that an older version made', () => {
    const told = async (bytes: Uint8Array) => (await verify(input(bytes), deep)).findings;

    it('are no damage', async () => {
      const findings = await told(bytesOf('computed-floats.db'));
      expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
        ['index-stale', 'info'],
        ['index-stale', 'info'],
      ]);
      expect(findings[0]!.message).toContain('m_text has texts of floats as SQLite 3.40.1 makes');
    });

    it('are some where a newer version wrote last', async () => {
      const bytes = bytesOf('computed-floats.db');
      new DataView(bytes.buffer).setUint32(96, 3_053_000);
      expect(new Set((await told(bytes)).map(({ code }) => code))).toContain('index-mismatch');
    });

    it('hide no other difference, and no other is named for them', async () => {
      for (const [from, to] of [
        ['third: 2.66666666666667', 'third: 2.76666666666667'],
        ['third: 2.66666666666667', 'thirf: 2.66666666666667'],
      ]) {
        const bytes = bytesOf('computed-floats.db');
        const at = Buffer.from(bytes).indexOf(from!);
        expect(at).toBeGreaterThan(0);
        bytes.set(Buffer.from(to!), at);
        const findings = await told(bytes);
        const of = findings.filter(({ code }) => code === 'index-mismatch');
        expect(of.map(({ message }) => message.replace(/^page \d+: /, ''))).toEqual([
          'index m_third does not hold what table m does; expected 80 entries, actual as many, others',
          'row 8 of m is missing from index m_third',
          'index m_third has an entry without such a row',
        ]);
      }
    });
  });

  it('is found in the other encodings and page sizes by the same rows', async () => {
    const rows = new RowBatch();
    for (const encoding of [1, 2, 3]) {
      const text = Buffer.from('Äb', encoding === 1 ? 'utf8' : 'utf16le');
      if (encoding === 3) text.swap16();
      rows.clear();
      rows.add(recordOf([13 + 2 * text.length], text), 5, 1, 1000);
      const entries = [
        { type: 'table' as const, name: 't', table: 't', sql: 'CREATE TABLE t(a)' },
        { type: 'index' as const, name: 'i', table: 't', sql: 'CREATE INDEX i ON t(upper(a))' },
      ];
      const image = new ImageWriter(entries, true, encoding, 4).image(rows, 0, 1).slice();
      expect(await messages(image)).toEqual([
        expect.stringContaining('expected 1 entries, actual 0'),
        expect.stringContaining('row 5 of t is missing from index i'),
      ]);
      const whole = (await engine()).use(image, (database) => {
        database.run('REINDEX');
        return database.bytes();
      });
      expect(await messages(whole)).toEqual([]);
    }
  });
});

describe('what cannot be evaluated', () => {
  it('is said by name where the library is missing', async () => {
    const file = new SqliteFile(new MemorySource('x.db', bytesOf('computed.db')), 1024, 1e6);
    const found: string[] = [];
    const check = new Check(file, file.pageCount, ({ code, severity, message }) => {
      expect([code, severity]).toEqual(['not-evaluated', 'info']);
      found.push(message);
    });
    for (const _ of checkDeep(file, check, undefined)) expect(_).toBeGreaterThanOrEqual(0);
    expect(found.shift()).toContain("not read by SQLite's own parser: it takes the package sql.js");
    const names = ['p_lower', 'p_loud', 'p_cheap', 'p_json', 'w_twice', 'p', 'w'];
    expect(found.map((one) => / (\w+) were not evaluated/.exec(one)?.[1])).toEqual(names);
    for (const one of found) expect(one).toContain('they take the package sql.js');
  });

  const named: [string, string, string, string][] = [
    ['a function of the application', 'lower(name)', 'fower(name)', 'unknown function: fower()'],
    ['a collation of it', 'name COLLATE NOCASE', 'name COLLATE MYCASE', 'MYCASE'],
    ['a CHECK with such a function', CHECK, 'CHECK (mine(price))', 'unknown function: mine()'],
    ['a huge text', LOUD_INDEX, "CREATE INDEX p_loud ON p(printf('%999999999d', id), 1)", 'memory'],
    ['a huge blob', LOUD_INDEX, 'CREATE INDEX p_loud ON p(hex(zeroblob(9e8)), 1)', 'memory'],
    ['a CHECK of one', CHECK, 'CHECK(zeroblob(3e9))', 'too big'],
  ];
  it.each(named)('%s is said, and is no damage', async (_, from, to, why) => {
    const padded = from === CHECK ? restated(`\n  ${CHECK}`, to) : restated(from, to);
    const { findings, clean } = await verify(input(padded), deep);
    expect(findings.map(({ code, severity }) => `${code} ${severity}`)).toContain(
      'not-evaluated info',
    );
    expect(findings.map(({ message }) => message).join('\n')).toContain(why);
    expect(clean).toBe(true);
  });

  it('in the time that there is ends the evaluation, and not the check', async () => {
    const slow: SqlEngine = {
      ended: true,
      use() {
        throw new Error('SQLite was stopped after 10 s');
      },
    };
    const file = new SqliteFile(new MemorySource('x.db', bytesOf('computed.db')), 1024, 1e6);
    const found = new Set<string>();
    const check = new Check(file, file.pageCount, ({ code }) => found.add(code));
    for (const _ of checkDeep(file, check, slow)) expect(_).toBeGreaterThanOrEqual(0);
    expect([...found]).toEqual(['not-evaluated']);
  });
});

describe('a schema that SQLite does not read', () => {
  const cases: [string, string, string][] = [
    [JSON_INDEX, 'CREATE INDEX p_json ON p((SELECT 1))', 'subqueries prohibited'],
    [JSON_INDEX, 'CREATE INDEX p_json ON p(random())', 'non-deterministic'],
    ['lower(name)', 'lower(nam) ', 'no such column: nam'],
    ['lower(name)', 'lower(name(', 'p_lower'],
    ['CREATE INDEX p_cents', 'CREATE INDEX p_dents', 'its statement "p_dents"'],
    ['cents INT AS (CAST(round', 'cents INT AS (CAST)round', 'malformed'],
  ];
  it.each(cases)('%s: %s', async (from, to, why) => {
    const { findings } = await verify(input(restated(from, to)), deep);
    const bad = findings.filter(({ code }) => code === 'schema-bad');
    expect(bad.map(({ message }) => message).join('\n')).toContain(why);
  });
});

describe('columns of an index', () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ['a', 'a', undefined],
    ['("a")', 'a', undefined],
    ['((a) COLLATE NOCASE)', 'a', 'NOCASE'],
    ['(a COLLATE RTRIM) COLLATE NOCASE', 'a', 'NOCASE'],
    ['a COLLATE mine', 'a', 'custom'],
    ['lower(a) COLLATE NOCASE', undefined, 'NOCASE'],
    ['(a || b COLLATE NOCASE)', undefined, 'custom'],
    ['(a COLLATE NOCASE = b)', undefined, undefined],
    ['(a) + (b)', undefined, undefined],
    ['NULL', undefined, undefined],
    ['(1)', undefined, undefined],
  ];
  it.each(cases)('%s', (text, name, collation) => {
    const created = parseCreate(`CREATE INDEX i ON t(${text} DESC)`);
    expect(created).toMatchObject({ columns: [{ name, collation, descending: true }] });
  });
});
