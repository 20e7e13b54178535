/** Where it cannot be known which trees there are, who reads rows is told. */
import { describe, expect, it } from 'vitest';
import { bbolt } from '../../../src/formats/btree/bbolt/index.ts';
import { lmdb } from '../../../src/formats/btree/lmdb/index.ts';
import { sqlite } from '../../../src/formats/btree/sqlite/index.ts';
import { v2 } from '../../../src/formats/btree/v2/index.ts';
import { fixtureFiles } from '../../support/memory.ts';
import { alone, scan } from './support.ts';
import { fileOf, pairs } from './v2-support.ts';

const users = new Uint8Array(fixtureFiles('btree/bbolt')['users.db']!);
const clean = new Uint8Array(fixtureFiles('btree/sqlite')['clean.db']!);
const data = new Uint8Array(fixtureFiles('btree/lmdb')['data.mdb']!);

function zeros(bytes: Uint8Array, ...places: readonly (readonly [number, number])[]): Uint8Array {
  const damaged = new Uint8Array(bytes);
  for (const [at, length] of places) damaged.fill(0, at, at + length);
  return damaged;
}

async function told(input: Parameters<typeof scan>[0]): Promise<[number, string[]]> {
  const { rows, damage } = await scan(input);
  return [rows.length, damage.map(({ code, offset }) => `${code} ${offset}`)];
}

describe('a scan tells of', () => {
  const metas = [
    [0, 200],
    [4096, 200],
  ] as const;

  it('both meta pages lost', async () => {
    const small = fileOf(pairs(9));
    const bad = zeros(small, [0, 128], [512, 128]);
    const both = ['meta-bad 0', 'meta-bad 4096'];
    expect((await told(alone(v2, 'tree.bt2', small)))[1]).toEqual([]);
    const [rows, damage] = await told(alone(v2, 'tree.bt2', bad));
    expect(rows).toBe(0);
    expect(damage.map((text) => text.split(' ')[0])).toEqual(['meta-bad', 'meta-bad']);
    expect(await told(alone(bbolt, 'users.db', zeros(users, ...metas)))).toEqual([0, both]);
    const [none, lost] = await told(alone(lmdb, 'data.mdb', zeros(data, ...metas)));
    expect([none, lost.slice(0, 2)]).toEqual([0, both]);
  });

  it('the page with the root bucket lost', async () => {
    const bad = zeros(users, [19 * 4096, 4096]);
    expect(await told(alone(bbolt, 'users.db', bad))).toEqual([0, ['page-type 77832']]);
  });

  it('a row of the schema that is none', async () => {
    const bad = new Uint8Array(clean);
    const at = Buffer.from(bad).lastIndexOf('tablett', 4096, 'latin1'); // type, name, table
    bad[at] = 0x54;
    const [rows, damage] = await told(alone(sqlite, 'clean.db', bad));
    expect(damage).toEqual(['schema-bad 0']);
    expect(rows).toBeLessThan((await scan(alone(sqlite, 'clean.db', clean))).rows.length);
  });

  it('a schema that cannot be read, once', async () => {
    const bad = new Uint8Array(clean);
    bad.fill(0xff, 108, 114); // where the three rows are
    const three = ['page-overflow 108', 'page-overflow 110', 'page-overflow 112'];
    const input = alone(sqlite, 'clean.db', bad);
    expect(await told(input)).toEqual([0, three]);
    const { damage } = await scan(input, { tree: 'sqlite_schema' });
    expect(damage.map(({ code, offset }) => `${code} ${offset}`)).toEqual(three);
  });
});
