/** diff of B+trees, whose pages are read in no order: larger than what is read at once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { engine } from '../formats/btree/sqlite-support.ts';
import { ddia, temporaryDirectory } from './run.ts';

const directory = temporaryDirectory();
const path = (name: string) => join(directory, name);
const SCHEMA =
  'CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(id INTEGER PRIMARY KEY, v);';
const rows = (table: string) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
  WHERE i < 2000) INSERT INTO ${table} SELECT i, hex(zeroblob(50)) || i FROM n;`;

beforeAll(async () => {
  const sql = await engine();
  const write = (name: string, more: string) => {
    const bytes = sql.use(new Uint8Array(0), (database) => {
      database.run(`${SCHEMA}${rows('t')}${rows('u')}${more}`);
      return database.bytes();
    });
    expect(bytes.length).toBeGreaterThan(400_000);
    writeFileSync(path(name), bytes);
  };
  write('a.db', '');
  write('b.db', "UPDATE u SET v = 'other' WHERE id = 7; DELETE FROM t WHERE id = 1999;");
});

describe.each(['', '--state'])('diff %s of large files', (how) => {
  const more = how === '' ? [] : [how];

  it('finds nothing where there is nothing', () => {
    const found = ddia(['diff', path('a.db'), path('a.db'), ...more]);
    expect(found).toMatchObject({ status: 0, stderr: '' });
    expect(found.stdout).toContain(`equal: 4000 ${how === '' ? 'operations' : 'keys'}`);
  });

  it('finds the row that changed, and the one that is missing', () => {
    const found = ddia(['diff', path('a.db'), path('b.db'), ...more]);
    expect(found).toMatchObject({ status: 1, stderr: '' });
    expect(found.stdout).toMatch(
      /different: 1 changed, (?:0 moved, )?1 only in A, 0 only in B; 3998/,
    );
  });
});
