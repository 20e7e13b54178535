/** What a salvage keeps of damaged SQLite databases, and that its SQL builds a database of it. */
import { describe, expect, it } from 'vitest';
import { btree } from '../../../src/formats/btree/index.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { engine, input, made, recordOf, tableOf } from './sqlite-support.ts';
import { contextOf, salvageRows, scan, verify } from './support.ts';

const PAGE = 512;

async function databaseOf(sql: string, encoding = 'UTF-8'): Promise<Buffer> {
  const pragmas = `PRAGMA page_size=${PAGE}; PRAGMA encoding='${encoding}';`;
  return (await engine()).use(new Uint8Array(0), (database) => {
    database.run(`${pragmas}${sql}`);
    return Buffer.from(database.bytes());
  });
}

async function sqlOf(bytes: Uint8Array): Promise<string> {
  const texts: string[] = [];
  const text = (one: string) => texts.push(one);
  await btree.salvage!(input(bytes), contextOf(), { to: 'sql', text });
  return texts.join('');
}

/** What a query gives of the database that the SQL builds, statement by statement as sqlite3 does. */
async function rebuilt(bytes: Uint8Array, query: string): Promise<unknown[][]> {
  const lines = (await sqlOf(bytes)).split('\n');
  return (await engine()).use(new Uint8Array(0), (database) => {
    let statement = '';
    for (const line of lines) {
      statement += `${line}\n`;
      if (!/;( -- read in part)?$/.test(line)) continue;
      const trigger = /^\s*CREATE\s+TRIGGER/i.test(statement);
      if (trigger && !/END;\s*$/i.test(statement)) continue;
      try {
        database.run(statement);
      } catch {}
      statement = '';
    }
    expect(statement.trim()).toBe('');
    return database.run(query);
  });
}

const damaged = (bytes: Buffer, from: string, to: string): Buffer => {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  const copy = Buffer.from(bytes);
  copy.write(to, at, 'latin1');
  return copy;
};

const COUNT = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)';

it('a file without a byte is a database without a table', async () => {
  const none = input(new Uint8Array(0));
  expect((await verify(none, { deep: true })).findings).toEqual([]);
  expect(await scan(none, { tree: 'sqlite_schema' })).toEqual({ rows: [], damage: [] });
  expect((await salvageRows(none)).report).toMatchObject({ rows: 0, counts: {} });
  expect(await rebuilt(new Uint8Array(0), 'SELECT * FROM sqlite_schema')).toEqual([]);
});

describe('texts that are none of the encoding', () => {
  const odd = [0xff, 0x80, 0xfe, 0x41];

  it('keep their bytes', async () => {
    const bytes = made([tableOf('CREATE TABLE t(a)')], [recordOf([21], new Uint8Array(odd))]);
    const { rows } = await scan(input(bytes));
    expect(rows).toEqual([{ tree: 't', key: 1, value: [{ hex: 'ff80fe41' }] }]);
    const query = 'SELECT typeof(a), hex(a) FROM t';
    expect(await rebuilt(bytes, query)).toEqual([['text', 'FF80FE41']]);
  });

  it.each(['UTF-8', 'UTF-16le', 'UTF-16be'])('so does a zero in a text of %s', async (encoding) => {
    const table = "CREATE TABLE t(a); INSERT INTO t VALUES('x' || char(0) || 'ÿ')";
    const query = 'SELECT typeof(a), hex(a) FROM t';
    const bytes = await databaseOf(table, encoding);
    const own = (await engine()).use(bytes, (database) => database.run(query));
    expect(await rebuilt(bytes, query)).toEqual(own);
  });
});

describe('a statement of the schema that is damaged', () => {
  const schema = `CREATE TABLE first(a, b); CREATE TABLE second(c);
    CREATE INDEX fi ON first(a) WHERE b <> 'q';
    CREATE TRIGGER tr AFTER INSERT ON second BEGIN DELETE FROM second WHERE c = 9; END;
    CREATE TABLE third(k PRIMARY KEY, v CHECK(v > 0)) WITHOUT ROWID;
    ${COUNT} INSERT INTO first SELECT i, 'b' || i FROM n; INSERT INTO second VALUES(1), (2);
    ${COUNT} INSERT INTO third SELECT 'k' || i, i FROM n;`;

  it.each([
    ['a word', 'CREATE TABLE first(', 'CREATE TABXE first('],
    ['a bracket that never closes', 'first(a, b)', 'first(a, b['],
    ['a quote that never closes', "<> 'q'", "<> 'q_"],
    ['a trigger without its end', 'c = 9; END', 'c = 9; ENX'],
    ['a command of the shell', 'second(c)', 's(c);\n.x'],
    ['a zero byte', 'CREATE TABLE second', 'CREATE\0TABLE second'],
    ['what only SQLite finds', 'CHECK(v > 0)', 'CHECK(v > >)'],
    ['a word, WITHOUT ROWID', 'CREATE TABLE third', 'CREATE TABXE third'],
    ['another name', 'CREATE TABLE third', 'CREATE TABLE thirt'],
  ])('%s costs no row of it, nor of any other', async (_what, from, to) => {
    const bytes = damaged(await databaseOf(schema), from, to);
    const count = (table: string) => `(SELECT count(*) FROM ${table})`;
    const query = `SELECT ${['first', 'second', 'third'].map(count).join(', ')}`;
    expect(await rebuilt(bytes, query)).toEqual([[200, 2, 200]]);
    const sql = await sqlOf(bytes);
    expect(sql.split('\n').filter((line) => line.startsWith('.'))).toEqual([]);
  });
});

describe('a record that is longer than what is read whole', () => {
  const limits = { ...DEFAULT_LIMITS, recordBytes: 10_000 };
  const sql = `CREATE TABLE w(k PRIMARY KEY, v) WITHOUT ROWID;
    INSERT INTO w VALUES('a', zeroblob(20000)), ('b', 1);`;

  it('is no damage', async () => {
    const result = await btree.verify(input(await databaseOf(sql)), { limits });
    expect(result).toMatchObject({ findings: [{ code: 'not-evaluated', severity: 'info' }] });
    expect(result.findings[0]!.message).toContain('--max-record-bytes 10000');
  });

  it('is salvaged whole, unless a limit was asked for', async () => {
    const bytes = await databaseOf(`${sql} UPDATE w SET v = zeroblob(70000000) WHERE k = 'a';`);
    const lengths = async (one: typeof limits) => {
      const found: number[] = [];
      const pair = (_key: Uint8Array, value: Uint8Array) => found.push(value.length);
      const report = await btree.salvage!(input(bytes), { limits: one }, { to: 'v2', pair });
      return [...found, report.parts];
    };
    expect(await lengths(DEFAULT_LIMITS)).toEqual([140_000_016, 7, 0]);
    expect((await lengths(limits))[0]).toBeLessThan(20_100);
  });
});

describe('rows that are hard to come by', () => {
  const plain = `CREATE TABLE t(tok TEXT, body); ${COUNT}
    INSERT INTO t SELECT 'tok' || i, zeroblob(60) FROM n;`;
  const toks = (rows: readonly { key: unknown; value: unknown }[]) =>
    new Set(rows.flatMap((row) => JSON.stringify(row).match(/tok\d+/g) ?? []));

  it('lie in inner pages too where a table has no rowid', async () => {
    const bytes = await databaseOf(`CREATE TABLE w(tok PRIMARY KEY, body) WITHOUT ROWID; ${COUNT}
      INSERT INTO w SELECT 'tok' || i, zeroblob(60) FROM n;`);
    // The root is lost, and the pages below it are not.
    const root = bytes.readUInt32BE(PAGE + 8);
    expect(root).toBeGreaterThan(2);
    const entries = bytes.readUInt16BE(PAGE + 3);
    bytes.fill(0, PAGE, 2 * PAGE);
    const { rows } = await salvageRows(input(bytes));
    expect(toks(rows).size).toBe(200 - entries);
  });

  it('lie in inner pages whose right child is hit, which makes them no leaves', async () => {
    const bytes = await databaseOf(`CREATE TABLE w(k PRIMARY KEY, tok, x) WITHOUT ROWID; ${COUNT}
      INSERT INTO w SELECT i, 'tok' || i, zeroblob(i % 60) FROM n;`);
    const inner = Array.from({ length: bytes.length / PAGE }, (_, i) => i * PAGE).filter(
      (at) => at > 0 && bytes[at] === 2,
    );
    expect(inner.length).toBeGreaterThan(0);
    for (const at of inner) {
      const hit = Buffer.from(bytes);
      // Two pointers of a leaf, to what could be a cell of one.
      const cell = hit.readUInt16BE(at + 12);
      hit.writeUInt32BE(cell * 0x10001, at + 8);
      const { rows, report } = await salvageRows(input(hit));
      expect(report.counts).not.toHaveProperty('page-type');
      expect(toks(rows).size).toBe(200);
    }
  });

  it('lie in what is left of a page that was cut off', async () => {
    const bytes = await databaseOf(plain);
    const half = (await salvageRows(input(bytes.subarray(0, 20 * PAGE)))).rows.length;
    const { rows, report } = await salvageRows(input(bytes.subarray(0, 20 * PAGE - 100)));
    const less = (await salvageRows(input(bytes.subarray(0, 19 * PAGE)))).rows.length;
    expect(rows.length).toBeGreaterThan(less);
    expect(rows.length).toBeLessThan(half);
    expect(report.counts['file-short']).toBe(1);
  });

  it('are kept in part where their overflow pages are lost', async () => {
    const bytes = await databaseOf(`CREATE TABLE t(tok TEXT, body, n);
      INSERT INTO t VALUES('tok1', replace(hex(zeroblob(900)), '0', 'b'), 7);`);
    // Page 3 is the first that the chain goes on in: it now ends there.
    bytes.writeUInt32BE(0, 2 * PAGE);
    const { rows, report } = await salvageRows(input(bytes));
    expect(report).toMatchObject({ rows: 1, parts: 1 });
    const [row] = rows as unknown as { value: unknown[]; partial: boolean }[];
    expect(row).toMatchObject({ partial: true, value: ['tok1', expect.any(String), null] });
    expect(row!.value[1]).toMatch(/^b{500,1700}$/);
    expect((await scan(input(bytes))).rows).toEqual([]);
    const query = 'SELECT tok, length(body), n FROM t';
    expect(await rebuilt(bytes, query)).toEqual([['tok1', String(row!.value[1]).length, null]]);
  });

  it('are not left out where the count of fragments is what is wrong', async () => {
    const bytes = await databaseOf(plain);
    const leaf = bytes.indexOf(13, 2 * PAGE);
    expect(leaf % PAGE).toBe(0);
    // As many bytes as the last cells have would be fragments: more than there can be.
    const count = bytes.readUInt16BE(leaf + 3);
    const cell = (slot: number) => bytes.readUInt16BE(leaf + 8 + 2 * slot);
    bytes[leaf + 7] = cell(count - 2) - cell(count - 1);
    expect(bytes[leaf + 7]).toBeGreaterThan(60);
    expect((await scan(input(bytes))).rows).toHaveLength(200);
  });

  it('are not left out where a pointer leads to another cell, whose size proves nothing', async () => {
    const bytes = await databaseOf(`CREATE TABLE t(tok TEXT, body); ${COUNT.replace('200', '6')}
      INSERT INTO t SELECT 'tok' || i, zeroblob(CASE i WHEN 1 THEN 20 WHEN 2 THEN 71 ELSE 43 END)
      FROM n;`);
    const leaf = PAGE;
    const cell = (slot: number) => bytes.readUInt16BE(leaf + 8 + 2 * slot);
    const size = (slot: number) => (slot === 0 ? PAGE : cell(slot - 1)) - cell(slot);
    // Cell 1 in place of cell 0 has as many bytes more as the last one has.
    expect(size(1) - size(0)).toBe(size(5));
    bytes.writeUInt16BE(cell(1), leaf + 8);
    expect(toks((await scan(input(bytes))).rows).size).toBe(5);
  });

  it('are not lost to an overflow chain that leads into their pages', async () => {
    const bytes = await databaseOf(`CREATE TABLE t(tok TEXT, body);
      INSERT INTO t VALUES('tok0', zeroblob(900)); ${COUNT}
      INSERT INTO t SELECT 'tok' || i, zeroblob(60) FROM n;`);
    const leaf = bytes.indexOf(13, 5 * PAGE);
    expect(leaf % PAGE).toBe(0);
    const chain = Array.from({ length: 4 }, (_, i) => (i + 2) * PAGE).filter(
      (at) => bytes.readUInt32BE(at) < 9,
    );
    // Where the chain goes on, and then where it ends.
    for (const at of chain.slice(0, 2)) {
      const hit = Buffer.from(bytes);
      hit.writeUInt32BE(leaf / PAGE + 1, at);
      expect(toks((await salvageRows(input(hit))).rows).size).toBe(201);
    }
  });

  it('are found where their page stands in the place of an overflow page', async () => {
    const bytes = await databaseOf(`CREATE TABLE l(body); INSERT INTO l VALUES(zeroblob(900));
      ${plain}`);
    const leaf = bytes.lastIndexOf(13, bytes.length - PAGE);
    expect(leaf % PAGE).toBe(0);
    // Page 3 is one of the chain.
    bytes.copy(bytes, 2 * PAGE, leaf, leaf + PAGE);
    bytes.fill(0, leaf, leaf + PAGE);
    const { rows, report } = await salvageRows(input(bytes));
    expect(report.counts).toHaveProperty('overflow-broken');
    expect(toks(rows).size).toBe(200);
  });

  it('are found where the header has too many bytes reserved', async () => {
    const bytes = await databaseOf(plain);
    expect((await verify(input(bytes))).findings).toEqual([]);
    bytes[20] = 32;
    expect(toks((await salvageRows(input(bytes))).rows).size).toBe(200);
    const { findings } = await verify(input(bytes));
    expect(findings).toMatchObject([{ code: 'meta-bad', expected: 'at most 0', actual: 32 }]);
  });

  it('take no place of another, whole ones first', async () => {
    const bytes = await databaseOf(plain);
    const leaves = Array.from({ length: bytes.length / PAGE }, (_, i) => i).filter(
      (i) => i > 0 && bytes[i * PAGE] === 13,
    );
    // A page stands where another one was: its rows are there twice.
    const [from, over] = [leaves[3]!, leaves[6]!];
    bytes.copy(bytes, over * PAGE, from * PAGE, (from + 1) * PAGE);
    const copied = bytes.readUInt16BE(from * PAGE + 3);
    const { rows } = await salvageRows(input(bytes));
    expect(rows).toHaveLength(200);
    const lost = await rebuilt(bytes, 'SELECT count(*) FROM lost_and_found');
    const kept = await rebuilt(bytes, 'SELECT count(*), count(DISTINCT tok) FROM t');
    expect([...lost, ...kept]).toEqual([[copied], [200 - copied, 200 - copied]]);
  });

  it('are as wide as a table can be', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `a${i}`);
    const bytes = await databaseOf(
      `CREATE TABLE t(${names}); INSERT INTO t VALUES(${names.map((_, i) => i)});`,
    );
    const lost = damaged(bytes, 'tablett', 'tabxett');
    expect(await rebuilt(lost, 'SELECT c0, c299, nfield FROM lost_and_found')).toEqual([
      [0, 299, 300],
    ]);
  });

  it('keep a rowid beside a column of that name', async () => {
    const bytes = await databaseOf(`CREATE TABLE t(rowid, a); INSERT INTO t VALUES('r', 1);
      INSERT INTO t(oid, rowid, a) VALUES(77, 'q', 2);`);
    expect(await rebuilt(bytes, 'SELECT oid, rowid, a FROM t')).toEqual([
      [1, 'r', 1],
      [77, 'q', 2],
    ]);
  });
});

describe('rows that their table does not take', () => {
  const text = (to: string) => (bytes: Buffer, at: number) => bytes.write(to, at, 'latin1');
  // The record's header ends right before its first value: a type each for two columns.
  const type = (column: number, serial: number) => (bytes: Buffer, at: number) => {
    bytes[at - 2 + column] = serial;
  };

  it.each([
    ['UNIQUE', '(a UNIQUE, b)', text('"one"')],
    ['UNIQUE that would replace', '(a UNIQUE ON CONFLICT REPLACE, b)', text('"one"')],
    ['UNIQUE that would roll back', '(a UNIQUE ON CONFLICT ROLLBACK, b)', text('"one"')],
    ['NOT NULL', '(a, b NOT NULL)', type(1, 0)],
    ['CHECK', `(a CHECK(a LIKE '"%'), b)`, text('X')],
    ['STRICT', '(a TEXT, b INT) STRICT', type(0, 22)],
    ['a computed column', `(a, b, c AS (json_extract(a, '$')) STORED)`, text('X')],
  ])('go to lost_and_found: %s', async (_what, columns, damage) => {
    const values = `('"one"', 1), ('"two"', 1), ('"six"', 1)`;
    const bytes = await databaseOf(`CREATE TABLE t${columns};
      INSERT INTO t(a, b) VALUES${values};`);
    const whole = await sqlOf(bytes);
    if (!columns.includes('STORED')) {
      expect(whole.match(/^INSERT/gm)).toHaveLength(3);
      expect(whole).not.toContain('lost_and_found');
    }
    const at = bytes.indexOf('"two"');
    damage(bytes, at);
    expect(await rebuilt(bytes, 'SELECT rowid FROM t')).toEqual([[1], [3]]);
    const lost = 'SELECT id, CAST(c0 AS TEXT) FROM lost_and_found';
    const kept = String(bytes.subarray(at, at + 5));
    expect(await rebuilt(bytes, lost)).toEqual([[2, kept]]);
  });

  it('leave an index behind that is not unique', async () => {
    const bytes = await databaseOf(`CREATE TABLE t(a); INSERT INTO t VALUES('one'), ('two');
      CREATE UNIQUE INDEX i ON t(a);`);
    expect(await sqlOf(bytes)).not.toContain('IF NOT EXISTS i');
    const hit = damaged(bytes, 'two', 'one');
    expect(await rebuilt(hit, 'SELECT a FROM t INDEXED BY i')).toEqual([['one'], ['one']]);
  });
});
