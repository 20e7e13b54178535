/** SQLite's own check against ours, on databases that are damaged at random. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/shared/random.ts';
import { ddia } from '../cli/run.ts';
import { describePeer, needs, peer, workspace } from './peers.ts';

const SCHEMA = `
CREATE TABLE t(id integer primary key, name text NOT NULL, body blob, r real);
CREATE TABLE w(a text collate nocase, b int, c, primary key(a, b desc)) without rowid;
CREATE TABLE s(x INT NOT NULL, y TEXT, z REAL, UNIQUE(y)) STRICT;
CREATE INDEX ti ON t(name COLLATE RTRIM, r DESC);
CREATE UNIQUE INDEX tu ON t(id, name);
CREATE INDEX wi ON w(c);
CREATE TABLE g(a int, b int generated always as (a * 2) virtual, c int as (a + 1) stored);
CREATE INDEX gi ON g(c, a);
CREATE TABLE e(id integer primary key, n text, k int, j text,
  loud text as (upper(n) || '!') virtual not null, twice int as (k * 2) stored, CHECK(k >= -100));
CREATE INDEX el ON e(lower(n), k) WHERE k % 3 <> 1;
CREATE UNIQUE INDEX eu ON e((n || ':' || id) COLLATE NOCASE DESC) WHERE n LIKE '%a%';
CREATE INDEX ev ON e(loud COLLATE RTRIM, twice DESC);
CREATE INDEX ej ON e(j ->> '$.k') WHERE json_valid(j);
CREATE TABLE x(a text, b blob, c as (length(b)) virtual, primary key(a)) without rowid;
CREATE INDEX xc ON x(c, substr(a, -2)) WHERE c > 3;
CREATE VIEW v AS SELECT a, c FROM x WHERE c > 1;
CREATE TRIGGER tr AFTER DELETE ON x BEGIN DELETE FROM e WHERE n = old.a; END;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO e(id, n, k, j) SELECT i * 5, 'Name' || char(64 + i % 40) || i, nullif(i % 50, 7),
    CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 'none' ELSE json_object('k', i, 'n', 'x' || i) END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
  INSERT INTO x SELECT 'key' || (i * 37 % 101), zeroblob(i % 9) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO t SELECT i * 3, 'name' || (i * 7919 % 1000) || CASE WHEN i % 5 = 0 THEN '  ' ELSE '' END,
    CASE WHEN i % 20 = 0 THEN randomblob(i * 20) ELSE zeroblob(i % 50) END, i * 1.5 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO w SELECT CASE WHEN i % 2 THEN 'Key' ELSE 'kEY' END || (i * 31 % 97), i,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i * 1000000007 WHEN 2 THEN 'text' || i ELSE i / 3.0 END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
  INSERT INTO s SELECT i, 'y' || i, i * 0.5 FROM n;
INSERT INTO g(a) SELECT id FROM t LIMIT 50;
ALTER TABLE t ADD COLUMN extra INTEGER DEFAULT 7;
CREATE INDEX tx ON t(extra);
INSERT INTO t(id, name) VALUES(-5, 'a'), (9223372036854775807, 'b'), (-9223372036854775808, 'c');
DELETE FROM t WHERE id % 9 = 0;
PRAGMA incremental_vacuum(1);`;

const kinds = ['UTF-8', 'UTF-16le', 'UTF-16be'].flatMap((encoding) =>
  [512, 4096, 65_536].flatMap((pageSize) =>
    [0, 1, 2].map((vacuum) => ({ encoding, pageSize, vacuum })),
  ),
);
const CASES = 150;

describePeer('SQLite', () => {
  needs('sqlite3', ['--version'], 'sqlite3');
  const work = workspace();
  const pathOf = ({ encoding, pageSize, vacuum }: (typeof kinds)[number]) =>
    work.path(`${encoding}-${pageSize}-${vacuum}.db`);
  const made = (kind: (typeof kinds)[number]) => {
    const { encoding, pageSize, vacuum } = kind;
    const path = pathOf(kind);
    const pragmas = `PRAGMA encoding='${encoding}'; PRAGMA page_size=${pageSize}; PRAGMA auto_vacuum=${vacuum};`;
    peer('sqlite3', [path, `${pragmas}${SCHEMA}`]);
    return path;
  };

  it.each(kinds)('$encoding, pages of $pageSize, auto_vacuum $vacuum is clean', (kind) => {
    const path = made(kind);
    const { results } = JSON.parse(ddia(['btree', 'fsck', '--deep', '--json', path]).stdout);
    expect(results[0].findings).toEqual([]);
    const sql = `${path}.sql`;
    expect(ddia(['btree', 'repair', path, '--out', sql, '--to', 'sql']).status).toBe(0);
    peer('sqlite3', [`${path}.new`], readFileSync(sql, 'utf8'));
    const rows = ['t ORDER BY id', 'w', 's', 'g', 'e', 'x']
      .map((of) => `SELECT * FROM ${of};`)
      .join('\n');
    expect(peer('sqlite3', [`${path}.new`, rows])).toBe(peer('sqlite3', [path, rows]));
  });

  describe('that is damaged', () => {
    it('never complains where fsck does not', () => {
      const random = new Random(11);
      const missed: string[] = [];
      for (let i = 0; i < CASES; i++) {
        const kind = kinds[random.below(kinds.length)]!;
        const bytes = readFileSync(pathOf(kind));
        const at = random.below(bytes.length);
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
        const path = work.path(`damaged-${i}.db`);
        writeFileSync(path, bytes);
        const theirs = spawnSync('sqlite3', ['-bail', path, 'PRAGMA integrity_check'], {
          encoding: 'utf8',
        });
        const complains = theirs.status !== 0 || theirs.stdout.trim() !== 'ok';
        if (!complains) continue;
        const ours = ddia(['btree', 'fsck', '--deep', '--json', path]);
        // A name that is hurt may be one of the application's: what it is for is said.
        const foreign = /unknown function|no such collation/.test(theirs.stderr);
        if (foreign && ours.stdout.includes('"not-evaluated"')) continue;
        if (ours.status !== 1) missed.push(`${path} @ ${at}: ${theirs.stdout}${theirs.stderr}`);
      }
      expect(missed).toEqual([]);
    });
  });
});
