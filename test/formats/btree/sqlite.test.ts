import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { btree } from '../../../src/formats/btree/index.ts';
import { parseCreate } from '../../../src/formats/btree/sqlite/create.ts';
import { sqlite } from '../../../src/formats/btree/sqlite/index.ts';
import { RecordHeader } from '../../../src/formats/btree/sqlite/record.ts';
import { identify } from '../../../src/formats/detect.ts';
import { fixtureFiles, root } from '../../support/memory.ts';
import { alone, codes, contextOf, layoutFaults, scan, sha256, verify } from './support.ts';

const directory = join(root, 'fixtures/btree/sqlite');
const files = fixtureFiles('btree/sqlite');
const bytesOf = (name: string): Uint8Array => new Uint8Array(files[name]!);
const textOf = (name: string) => readFileSync(join(directory, name), 'utf8');
const beside = (name: string): Record<string, Uint8Array> =>
  Object.fromEntries(
    [`${name}-wal`, `${name}-journal`].flatMap((other) =>
      files[other] ? [[other, files[other]]] : [],
    ),
  );
const input = (name: string, bytes = bytesOf(name), others = beside(name)) =>
  alone(sqlite, name, bytes, others);

/** Of all findings, those that are no damage too. */
const told = async (given: ReturnType<typeof input>): Promise<string[]> =>
  (await verify(given, { deep: true })).findings.map(({ code }) => code);

const databases = Object.keys(files).filter((name) => name.endsWith('.db'));
const healthy = databases.filter(
  (name) => /^(?:hot|journal)\.db$/.test(name) || textOf(`${name}.integrity_check.txt`) === 'ok\n',
);
const damaged: Record<string, string[]> = {
  'computed-affinity.db': ['value-type'],
  'computed-check.db': ['check-failed'],
  'computed-expression.db': ['index-mismatch'],
  'computed-extra.db': ['index-mismatch'],
  'computed-json.db': ['index-mismatch'],
  'computed-keyed.db': ['index-mismatch'],
  'computed-missing.db': ['index-mismatch'],
  'computed-stored.db': ['index-mismatch'],
  'computed-virtual.db': ['index-mismatch'],
  'freelist-count.db': ['free-count'],
  'freelist-cycle.db': ['free-cycle'],
  'freelist-in-tree.db': ['free-in-tree', 'page-leaked'],
  'rowid-order.db': ['key-order'],
};

describe('golden files', () => {
  it('are the healthy ones and the damaged ones', () => {
    expect([...healthy, ...Object.keys(damaged)].sort()).toEqual(databases.sort());
  });

  it.each(healthy)('%s is clean, with its indexes too', async (name) => {
    const result = await verify(input(name), { deep: true });
    expect(result.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(result.clean).toBe(true);
  });

  it.each(Object.entries(damaged))('%s has what integrity_check complains of', async (name, of) => {
    expect(await codes(input(name), { deep: true })).toEqual(of);
  });

  it.each(databases)('%s is recognised, and every byte has its field', async (name) => {
    const { set } = input(name);
    const found = await identify([btree], set);
    expect([found.dialect.id, found.detection.confidence]).toEqual(['sqlite', 'certain']);
    expect(await layoutFaults(input(name))).toEqual([]);
  });

  it('clean.db has the rows that sqlite3 dumps', async () => {
    const sql = textOf('clean.dump.sql');
    const { rows, damage } = await scan(input('clean.db'));
    expect(damage).toEqual([]);
    const inserts = [...sql.matchAll(/^INSERT INTO (\w+) VALUES\((.*)\);$/gm)];
    expect(rows).toHaveLength(inserts.length);
    const shown = rows.map(({ tree, value }) => {
      const literals = (value as unknown[]).map((one) => {
        // sqlite3 prints a text up to its first zero byte.
        if (typeof one === 'string') return JSON.stringify(one.split('\0')[0]);
        if (typeof one !== 'object' || one === null) return JSON.stringify(one);
        return `X'${(one as { hex: string }).hex}'`;
      });
      return `${tree}(${literals.join()})`;
    });
    const theirs = inserts.map(([, tree, values]) => {
      const literals = [...values!.matchAll(/X'[0-9a-f]*'|'((?:[^']|'')*)'|[^,]+/gi)].map((one) => {
        if (one[1] !== undefined) return JSON.stringify(one[1].replaceAll("''", "'"));
        return one[0] === 'NULL' ? 'null' : one[0].replace(/^x'/, "X'");
      });
      return `${tree}(${literals.join()})`;
    });
    expect(shown.sort()).toEqual(theirs.sort());
  });

  it('hot.db is read with its log, which is said', async () => {
    const { rows } = await scan(input('hot.db'));
    const expected = textOf('hot.expected.tsv').trimEnd().split('\n');
    expect(rows.map(({ value }) => (value as unknown[]).join('\t'))).toEqual(expected);
    const { findings } = await verify(input('hot.db'));
    expect(findings.map(({ code }) => code)).toEqual(['log-applied']);
    const without = await scan(alone(sqlite, 'hot.db', bytesOf('hot.db')));
    expect(without.rows).not.toEqual(rows);
  });

  it('journal.db is read as it was before the transaction that was cut off', async () => {
    const expected = textOf('journal.expected.tsv').trimEnd().split('\n');
    const rowsOf = async (given: ReturnType<typeof input>) =>
      (await scan(given)).rows.map(({ value }) => (value as unknown[]).join('\t'));
    expect(await rowsOf(input('journal.db'))).toEqual(expected);
    const { findings } = await verify(input('journal.db'), { deep: true });
    expect(findings.map(({ code }) => code)).toEqual(['journal-applied']);
    expect(findings[0]!.message).toContain('16 pages');

    // A file that has grown since is cut to what it was.
    const grown = Buffer.concat([bytesOf('journal.db'), Buffer.alloc(3 * 512, 7)]);
    expect(await told(input('journal.db', grown))).toEqual(['journal-applied']);

    // Without it, or when it was ended by clearing its header, the transaction shows half done.
    const journal = files['journal.db-journal']!;
    const ended = Uint8Array.from(journal).fill(0, 0, 28);
    for (const others of [{}, { 'journal.db-journal': ended }]) {
      expect(await rowsOf(input('journal.db', bytesOf('journal.db'), others))).not.toEqual(
        expected,
      );
    }
  });

  it('of a journal only the records up to the first broken one count', async () => {
    const journal = files['journal.db-journal']!;
    const applied = async (bytes: Uint8Array): Promise<number | undefined> => {
      const others = { 'journal.db-journal': bytes };
      const { findings } = await verify(input('journal.db', bytesOf('journal.db'), others));
      const told = findings.find(({ code }) => code === 'journal-applied');
      return told && Number(/: (\d+) pages/.exec(told.message)![1]);
    };
    // Some records with what they follow on, and where they lie: some behind a further header.
    for (const [count, at] of [
      [0, 512],
      [1, 1032],
      [3, 3072],
      [7, 7168],
    ] as const) {
      expect(await applied(journal.subarray(0, at + 100))).toBe(count);
      const broken = Uint8Array.from(journal);
      broken[at + 4 + 312]! ^= 1; // one of the bytes that the checksum is over
      expect(await applied(broken)).toBe(count);
    }
    for (let length = 0; length < 28; length++)
      expect(await applied(journal.subarray(0, length))).toBeUndefined();
  });

  it('a journal that is part of a larger transaction counts while that has not ended', async () => {
    const name = Buffer.from('/data/all-mj12345678');
    const tail = Buffer.alloc(4 + name.length + 16);
    name.copy(tail, 4);
    tail.writeUInt32BE(name.length, 4 + name.length);
    tail.writeUInt32BE(
      name.reduce((sum, byte) => sum + byte, 0),
      8 + name.length,
    );
    Buffer.from('d9d505f920a163d7', 'hex').copy(tail, 12 + name.length);
    const part = { 'journal.db-journal': Buffer.concat([files['journal.db-journal']!, tail]) };
    const bytes = bytesOf('journal.db');
    const under = { ...part, 'all-mj12345678': Buffer.from('journal.db-journal') };
    expect(await told(input('journal.db', bytes, under))).toEqual(['journal-applied']);
    expect(await told(input('journal.db', bytes, part))).not.toContain('journal-applied');
  });

  it('features.db has the rows that sqlite3 shows: keys twice, computed columns, late ones', async () => {
    const expected = textOf('features.expected.txt').trimEnd().split('\n');
    const { rows, damage } = await scan(input('features.db'));
    const shown = rows.flatMap(({ tree, value }) =>
      tree.startsWith('box') ? [] : [JSON.stringify([tree, ...(value as unknown[])])],
    );
    expect(damage).toEqual([]);
    expect(shown.sort()).toEqual(expected.map((line) => JSON.stringify(JSON.parse(line))).sort());
  });

  it('clean.db has the heights and pages that dbstat counts', async () => {
    const stat = await btree.stat(input('clean.db'), contextOf());
    const trees = stat['trees'] as {
      name: string;
      interior: number;
      leaves: number;
      overflow: number;
    }[];
    const lines = textOf('clean.dbstat.txt').trimEnd().split('\n').sort();
    const ours = trees.map(({ name, interior, leaves, overflow }) => {
      const pages = interior + leaves + overflow;
      return `${name}|${pages}|${pages}`;
    });
    expect(ours.sort()).toEqual(lines);
  });
});

describe('rows', () => {
  it('are found by rowid, by ranges of rowids, by keys', async () => {
    const keysOf = async (tree: string, from: string, to: string) => {
      const range = { tree, from: Buffer.from(from), to: Buffer.from(to) };
      return (await scan(input('clean.db'), range)).rows.map(({ key }) => key);
    };
    expect(await keysOf('t', '10', '15')).toEqual([10, 11, 13, 14]);
    expect(await keysOf('t', '13', '13\0')).toEqual([13]);
    expect(await keysOf('t', '12', '12\0')).toEqual([]);
    const { rows } = await scan(input('clean.db'), { tree: 'w', limit: 1 });
    const [key] = rows[0]!.key as string[];
    expect((await keysOf('w', key!, `${key}\0`)).length).toBe(1);
  });
});

const clean = bytesOf('clean.db');
const set = (at: number, ...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(clean);
  bytes.set(values, at);
  return bytes;
};
/** Of page 5, a leaf of table t. */
const leaf = 4 * 4096;

describe('damage', () => {
  const cases: [string, Uint8Array, string][] = [
    ['another page type', set(leaf, 10), 'page-type'],
    ['no page type', set(leaf, 7), 'page-type'],
    ['a cell count beyond the page', set(leaf + 3, 0xff), 'key-count'],
    ['a cell count that nothing proves', set(leaf + 3, 0xff, 0xff, 0, 0, 1), 'page-overflow'],
    ['a cell pointer into the header', set(leaf + 8, 0, 2), 'page-overflow'],
    [
      'two pointers to one cell',
      set(leaf + 8, clean[leaf + 10]!, clean[leaf + 11]!),
      'cell-overlap',
    ],
    ['fragments that are none', set(leaf + 7, 9), 'free-space'],
    ['a child that is no page', set(4096 + 8, 0, 0, 9, 9), 'child-range'],
    ['a child twice', set(4096 + 8, 0, 0, 0, 5), 'page-shared'],
    ['the root as a child', set(4096 + 8, 0, 0, 0, 2), 'page-shared'],
    ['a page count too high', set(28, 0, 0, 1, 0), 'file-short'],
    ['a text encoding of 9', set(59, 9), 'meta-bad'],
    ['a cut file', clean.slice(0, 20 * 4096), 'file-short'],
  ];
  it.each(cases)('%s is found', async (_, bytes, code) => {
    expect(await codes(input('clean.db', bytes))).toContain(code);
  });

  it('says page, parent, expected and actual', async () => {
    const { findings } = await verify(input('clean.db', set(leaf, 10)));
    expect(findings[0]).toMatchObject({
      code: 'page-type',
      page: 5,
      parent: 2,
      expected: 13,
      actual: 10,
    });
  });

  it('of an index shows with --deep alone', async () => {
    // A letter of a name in the table, of which the index keeps what it was.
    const at = Buffer.from(clean).indexOf('name07919', leaf);
    const bytes = set(at + 8, 'z'.charCodeAt(0));
    expect(await codes(input('clean.db', bytes))).toEqual([]);
    const { findings } = await verify(input('clean.db', bytes), { deep: true });
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['index-mismatch']));
    const words = findings.map(({ message }) => message).join('\n');
    expect(words).toContain('row 1 of t is missing from index ti');
    expect(words).toContain('index ti has an entry without such a row');
  });

  it('of the count of cells is told, and costs no row', async () => {
    for (const name of ['clean.db', 'small-pages.db', 'autovacuum.db']) {
      const whole = await scan(input(name));
      const bytes = bytesOf(name);
      const view = new DataView(bytes.buffer);
      const pageSize = view.getUint16(16);
      // Pages of trees, but not the schema's, until there were some 60 hits.
      const pages = Array.from({ length: bytes.length / pageSize - 1 }, (_, i) => i + 1);
      const types: number[] = [];
      for (const page of pages) {
        const at = page * pageSize + 3;
        const type = bytes[at - 3]!;
        const count = view.getUint16(at);
        const content = view.getUint16(at + 2);
        // Overflow pages, and pages of the free list, which are not read.
        if (![2, 5, 10, 13].includes(type) || count === 0 || content < 2 * count) continue;
        if (types.length >= 60) break;
        for (const other of [0, 1, count - 1, count + 1, count + 9, 0xffff]) {
          if (other === count) continue;
          const hit = new Uint8Array(bytes);
          new DataView(hit.buffer).setUint16(at, other);
          const { rows, damage } = await scan(input(name, hit));
          if (damage.length === 0) continue; // a page that no tree has
          expect(damage).toMatchObject([{ code: 'key-count', expected: count, actual: other }]);
          expect(rows).toEqual(whole.rows);
          expect(await codes(input(name, hit))).toContain('key-count');
          types.push(type);
        }
      }
      expect(types.length).toBeGreaterThan(40);
      expect(new Set(types).size).toBeGreaterThan(2);
    }
  });

  it('of the type of a page is told, and costs no row', async () => {
    for (const name of ['clean.db', 'small-pages.db', 'autovacuum.db']) {
      const whole = await scan(input(name));
      const pageSize = Buffer.from(bytesOf(name)).readUInt16BE(16);
      const pages = bytesOf(name).length / pageSize;
      let hit = 0;
      for (let page = 1; page < pages; page++) {
        for (const value of [77, 0, 13, 5, 10, 2]) {
          const bytes = bytesOf(name);
          const at = page * pageSize;
          if (![2, 5, 10, 13].includes(bytes[at]!) || bytes[at] === value) continue;
          bytes[at] = value;
          const given = input(name, bytes);
          const { findings } = await verify(given);
          const found = findings.find(({ code, offset }) => code === 'page-type' && offset === at);
          if (!found) continue; // it is no page of a tree: a free one, or one of overflow
          hit++;
          expect((await scan(given)).rows).toEqual(whole.rows);
        }
      }
      expect(hit).toBeGreaterThan(100);
    }
  });

  it('of any byte yields findings and rows, never an exception', async () => {
    const small = bytesOf('small-pages.db');
    const change = fc.record({
      at: fc.nat(small.length - 1),
      length: fc.constantFrom(1, 2, 4, 100, 512),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = small.slice();
        for (const { at, length, value } of changes) bytes.fill(value, at, at + length);
        const one = input('small-pages.db', bytes);
        await verify(one, { deep: true });
        await scan(one);
        expect(await layoutFaults(one)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('salvage', () => {
  const salvage = async (name: string, bytes = bytesOf(name)) => {
    const texts: string[] = [];
    const before = sha256(bytes);
    const report = await btree.salvage!(input(name, bytes), contextOf(), {
      to: 'sql',
      text: (text) => texts.push(text),
    });
    expect(sha256(bytes)).toBe(before);
    return { report, sql: texts.join('') };
  };

  it('writes schema and rows as SQL', async () => {
    const { report, sql } = await salvage('clean.db');
    expect(report).toMatchObject({ orphans: 0, counts: {} });
    expect(sql).toContain('CREATE TABLE t(id integer primary key, name text, body blob);\n');
    expect(sql).toContain(`INSERT INTO "t"("id","name","body") VALUES(1,'name07919'`);
    expect(sql.match(/^INSERT/gm)).toHaveLength(report.rows);
  });

  it('writes what AUTOINCREMENT and virtual tables need after their rows', async () => {
    const { sql } = await salvage('features.db');
    const lines = sql.split('\n');
    const at = (text: string) => lines.findIndex((line) => line.startsWith(text));
    // Inserting into auto makes a row of sqlite_sequence, which must give way to the true one.
    expect(at('INSERT INTO "auto"')).toBeGreaterThan(0);
    expect(at('DELETE FROM sqlite_sequence')).toBeGreaterThan(at('INSERT INTO "auto"'));
    expect(at('INSERT INTO "sqlite_sequence"')).toBe(at('DELETE FROM sqlite_sequence') + 1);
    // CREATE VIRTUAL TABLE would make the shadow tables a second time.
    expect(at('CREATE TABLE "box_node"')).toBeGreaterThan(0);
    expect(at('CREATE VIRTUAL')).toBe(-1);
    const schema = lines[at('PRAGMA writable_schema=ON;') + 1];
    expect(schema).toContain("'box','box',0,'CREATE VIRTUAL TABLE box USING rtree(id, x0, x1)'");
  });

  it('puts rows of pages that nobody leads to into lost_and_found', async () => {
    // The root of t is lost: its leaves are orphans.
    const bytes = set(4096, ...new Array<number>(4096).fill(0));
    const { report, sql } = await salvage('clean.db', bytes);
    const whole = await salvage('clean.db');
    expect(report.orphans).toBeGreaterThan(250);
    expect(report.rows + report.orphans).toBeGreaterThanOrEqual(whole.report.rows - 22);
    expect(sql).toContain('CREATE TABLE "lost_and_found"(pgno, nfield, id, c0, c1, c2);');
    // What the table refuses goes there with each of its columns once.
    expect(sql).toContain(",2,NULL,'big',9999 WHERE changes()=0;");
  });
});

describe('CREATE statements', () => {
  it('give columns, keys and constraints', () => {
    const table = parseCreate(`create table [a b](
      "x y" INTEGER primary key autoincrement, b varchar(10, 2) default 'it''s' not null collate nocase,
      c default (1 + 2), d as (b || 'x') virtual, e real generated always as (c) stored,
      unique(b, c), check(c > 0), foreign key(c) references t2(q) on delete cascade -- and so on
    ) strict`);
    expect(table).toMatchObject({
      kind: 'table',
      name: 'a b',
      strict: true,
      withoutRowid: false,
      rowidColumn: 0,
      columns: [
        { name: 'x y', type: 'INTEGER' },
        { name: 'b', notNull: true, collation: 'NOCASE', default: "it's" },
        { name: 'c', default: undefined },
        { name: 'd', generated: 'VIRTUAL' },
        { name: 'e', generated: 'STORED' },
      ],
      uniques: [[{ name: 'b' }, { name: 'c' }]],
    });
    expect(parseCreate('CREATE UNIQUE INDEX i ON t(a COLLATE x DESC, lower(b)) WHERE c')).toEqual({
      kind: 'index',
      name: 'i',
      table: 't',
      unique: true,
      partial: true,
      columns: [
        { name: 'a', quoted: false, collation: 'custom', descending: true },
        { name: undefined, quoted: false, collation: undefined, descending: false },
      ],
    });
  });

  it.each([
    'CREATE TABLE t(a',
    'CREATE TABEL t(a)',
    'CREATE TABLE t(a) WITHOUT',
    'CREATE TABLE t(a # b)',
  ])('%s is malformed', (sql) => {
    expect(() => parseCreate(sql)).toThrow();
  });
});

describe('a record', () => {
  it('of lengths that do not add up is a fault', () => {
    const parse = (...bytes: number[]) => {
      const header = new RecordHeader();
      const ok = header.parse(new Uint8Array([...bytes, 0, 0, 0]), 0, bytes.length, bytes.length);
      return ok ? header.columns : header.fault;
    };
    expect(parse(3, 1, 15, 7, 65)).toBe(2);
    expect(parse(3, 1, 15, 7)).toBe('header and values have 5 bytes, the record 4');
    expect(parse(2, 10)).toBe('serial type 10 is reserved, or of no possible length');
    expect(parse(9, 1, 7)).toBe('the header has 9 bytes, the record 3');
  });
});
