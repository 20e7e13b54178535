import { describe, expect, it } from 'vitest';
import { fetchSqlEngine, startSqlEngine } from '../../src/shared/sql-engine.ts';

/** A new database. */
const EMPTY = new Uint8Array(0);
const AGES = "SELECT instr(printf('%020000000d', 0), printf('%02000000d', 0) || '1')";

describe('SQLite', () => {
  it('gives the rows of the last statement, and the database', async () => {
    const engine = (await fetchSqlEngine())!;
    const bytes = engine.use(EMPTY, (database) => {
      expect(database.run("SELECT 0; SELECT 1, 'a', NULL")).toEqual([[1, 'a', null]]);
      database.run('CREATE TABLE t(a); INSERT INTO t VALUES (7)');
      return database.bytes();
    });
    expect(engine.use(bytes, (database) => database.run('SELECT a FROM t'))).toEqual([[7]]);
    expect(await fetchSqlEngine()).toBe(engine);
  });

  it('says what is wrong, and goes on', async () => {
    const engine = (await fetchSqlEngine())!;
    const run = (sql: string) => engine.use(EMPTY, (database) => database.run(sql));
    expect(() => run('SELECT x')).toThrow('no such column: x');
    expect(() => run("SELECT hex(printf('%900000000d', 1))")).toThrow('out of memory');
    // Functions that sql.js adds are not those of SQLite.
    expect(() => run("SELECT reverse('a')")).toThrow('no such function');
    expect(run('SELECT 1')).toEqual([[1]]);
    expect(engine.ended).toBe(false);
  });

  it('that takes too long is ended, and there can be another', async () => {
    const engine = (await startSqlEngine(100))!;
    const run = (sql: string) => engine.use(EMPTY, (database) => database.run(sql));
    expect(() => run(AGES)).toThrow('SQLite was stopped after 0.1 s');
    expect(engine.ended).toBe(true);
    expect(() => run('SELECT 1')).toThrow('SQLite was stopped');
    const next = (await startSqlEngine())!;
    expect(next.use(EMPTY, (database) => database.run('SELECT 1'))).toEqual([[1]]);
  });
});
