import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bbolt } from '../../../src/formats/btree/bbolt/index.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { identify } from '../../../src/formats/detect.ts';
import { fixtureFiles, root } from '../../support/memory.ts';
import { alone, codes, contextOf, layoutFaults, salvageRows, scan, verify } from './support.ts';

const users = new Uint8Array(fixtureFiles('btree/bbolt')['users.db']!);
const input = (bytes: Uint8Array = users) => alone(bbolt, 'users.db', bytes);
const changed = (at: number, ...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(users);
  bytes.set(values, at);
  return bytes;
};
const expected = readFileSync(join(root, 'fixtures/btree/bbolt/expected-users.tsv'), 'utf8');

describe('users.db', () => {
  it('is recognised and clean, and every byte has its field', async () => {
    const found = await identify([btree], input().set);
    expect([found.dialect.id, found.detection.confidence]).toEqual(['bbolt', 'certain']);
    expect(await verify(input())).toMatchObject({ clean: true, findings: [] });
    expect(await layoutFaults(input())).toEqual([]);
  });

  it('has the rows that bbolt reads', async () => {
    const { rows, damage } = await scan(input());
    expect(damage).toEqual([]);
    const own = rows.filter(({ tree }) => tree === 'users');
    const lines = expected
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(own.map(({ key, value }) => [key, value])).toEqual(lines);
    const nested = rows.filter(({ tree }) => tree === 'users/zz-nested');
    expect(nested).toHaveLength(1);
    expect((await scan(input(), { tree: 'users/zz-nested' })).rows).toEqual(nested);
  });

  it('tells which meta page is live, and whether the other would do', async () => {
    const stat = await btree.stat(input(), contextOf());
    expect(stat).toMatchObject({
      liveMeta: 1,
      transaction: 3,
      otherMeta: 'transaction 2, would do',
    });
    const { findings } = await verify(input(), { deep: true });
    expect(findings[0]).toMatchObject({ code: 'other-meta', severity: 'info' });
    expect(findings[0]!.message).toContain('is whole');
  });

  it('finds one key by the separators', async () => {
    const range = { tree: 'users', from: Buffer.from('user00241'), to: Buffer.from('user00241\0') };
    expect((await scan(input(), range)).rows).toEqual([
      { tree: 'users', key: 'user00241', value: 'value-241' },
    ]);
  });
});

/** Page 2 is a leaf, 18 the branch of `users`, 20 the free list. */
describe('damage', () => {
  const cases: [string, Uint8Array, string[]][] = [
    ['a meta page', changed(4096 + 40, 7), ['meta-bad']],
    ['both meta pages', new Uint8Array(changed(4096 + 40, 7).fill(9, 40, 41)), ['meta-bad']],
    ['a page type', changed(2 * 4096 + 8, 9), ['page-type']],
    ['a page number', changed(2 * 4096, 9), ['page-type']],
    ['a count', changed(2 * 4096 + 10, 0xff, 0xff), ['key-count']],
    ['a smaller count', changed(2 * 4096 + 10, 7, 0), ['key-count']],
    ['the first place', changed(2 * 4096 + 16 + 5, 0xff), ['page-overflow']],
    ['a key length', changed(2 * 4096 + 16 + 8, 0xff, 0xff), ['page-overflow']],
    ['a child', changed(18 * 4096 + 16 + 8, 0xff, 0xff), ['child-range', 'page-leaked']],
    ['a child that is another', changed(18 * 4096 + 16 + 8, 3), ['key-range', 'page-shared']],
    ['a free page that is used', changed(20 * 4096 + 16, 2), ['free-in-tree']],
    ['a free page twice', changed(20 * 4096 + 24, users[20 * 4096 + 16]!), ['free-cycle']],
    ['a cut file', users.slice(0, 19 * 4096), ['file-short', 'child-range']],
  ];
  it.each(cases)('of %s is found', async (_, bytes, of) => {
    expect(await codes(input(bytes))).toEqual(expect.arrayContaining(of));
  });

  /** Element `slot` of page 2, which has 60. */
  const element = (slot: number, field: number) => 2 * 4096 + 16 + 16 * slot + field;

  it.each([
    ['the place', 4],
    ['the length of the key', 8],
    ['the length of the value', 12],
  ])('of %s in an element costs that row alone', async (_, field) => {
    const all = (await scan(input())).rows;
    for (const slot of [0, 1, 30, 58, 59]) {
      const { rows, damage } = await scan(input(changed(element(slot, field + 1), 0xff)));
      expect(damage.map(({ code }) => code)).toContain('page-overflow');
      const own = all[slot]!.key;
      expect(rows).toEqual(all.filter(({ key }) => key !== own));
    }
  });

  it('of a count costs no row', async () => {
    const all = (await scan(input())).rows;
    for (const count of [1, 59, 61, 255, 65_535]) {
      const bytes = changed(2 * 4096 + 10, count & 255, count >> 8);
      const { rows, damage } = await scan(input(bytes));
      expect(damage).toMatchObject([{ code: 'key-count', expected: 60, actual: count }]);
      expect(rows).toEqual(all);
    }
  });

  it('of the live meta page makes the other one live', async () => {
    const stat = await btree.stat(input(changed(4096 + 40, 7)), contextOf());
    expect(stat).toMatchObject({ liveMeta: 0, transaction: 2, otherMeta: 'not usable: checksum' });
  });

  it('of the first meta page leaves the file readable', async () => {
    const bytes = changed(0, ...new Array<number>(4096).fill(0));
    expect((await scan(input(bytes))).rows).toEqual((await scan(input())).rows);
    expect(
      bbolt.detect({ name: 'x', size: bytes.length, head: bytes, siblings: [] }),
    ).toMatchObject({
      confidence: 'certain',
    });
  });

  it('of any byte yields findings and rows, never an exception', async () => {
    const change = fc.record({
      at: fc.nat(21 * 4096 - 1),
      length: fc.constantFrom(1, 2, 8, 100, 4096),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = new Uint8Array(users);
        for (const { at, length, value } of changes) bytes.fill(value, at, at + length);
        await verify(input(bytes), { deep: true });
        await scan(input(bytes));
        expect(await layoutFaults(input(bytes))).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  /** Changes a meta page, with the checksum that it has then. */
  const meta = (bytes: Uint8Array, page: number, at: number, value: bigint) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset + page * 4096, 4096);
    view.setBigUint64(at, value, true);
    let hash = 0xcbf29ce484222325n;
    for (let i = 16; i < 72; i++) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(view.getUint8(i))) * 0x100000001b3n);
    }
    view.setBigUint64(72, hash, true);
  };
  const pairsOf = (rows: { key: unknown; value: unknown }[]) =>
    rows.map(({ key, value }) => JSON.stringify([key, value]));
  const whole = async () => pairsOf((await scan(input())).rows);
  const lostOf = async (bytes: Uint8Array) => {
    const { rows, report } = await salvageRows(input(bytes));
    const found = new Set(pairsOf(rows));
    return { missing: (await whole()).filter((pair) => !found.has(pair)), report, rows };
  };

  it('of a branch leaves its leaves to be salvaged', async () => {
    const bytes = new Uint8Array(users).fill(0, 18 * 4096, 19 * 4096);
    const { missing, report, rows } = await lostOf(bytes);
    expect(missing).toEqual([]);
    expect(report.orphans).toBeGreaterThanOrEqual(200);
    expect(rows.some(({ tree }) => tree === 'lost_and_found')).toBe(true);
  });

  it('of what leads to a leaf loses no bucket that lies in it', async () => {
    // Page 31, never used, becomes a leaf with a bucket `b`, whose own page has the row k, v.
    const bytes = new Uint8Array(users);
    const view = new DataView(bytes.buffer);
    const leaf = (at: number, id: number, flags: number, key: string, value: number) => {
      view.setBigUint64(at, BigInt(id), true);
      view.setUint16(at + 8, 2, true);
      view.setUint16(at + 10, 1, true);
      for (const [i, field] of [flags, 16, key.length, value].entries()) {
        view.setUint32(at + 16 + 4 * i, field, true);
      }
      bytes.set(Buffer.from(key), at + 32);
      return at + 32 + key.length;
    };
    const bucket = leaf(31 * 4096, 31, 1, 'b', 16 + 34);
    const value = leaf(bucket + 16, 0, 0, 'k', 1);
    bytes[value] = 'v'.charCodeAt(0);
    const given = input(bytes);
    const context = { ...contextOf(), set: given.set };
    const file = await bbolt.open(given, given.set.open('users.db'), context);
    const rows: string[] = [];
    const text = (of: Uint8Array, from: number, to: number) => Buffer.from(of.slice(from, to));
    file.loose(31, {
      row: (row) =>
        rows.push(
          `${text(row.bytes, row.keyStart, row.keyEnd)}=${text(row.valueBytes, row.valueStart, row.valueEnd)}`,
        ),
      finding() {},
      done: () => false,
    });
    expect(rows).toEqual(['k=v']);
  });

  it('of a branch loses no leaf where no free list is kept', async () => {
    const bytes = new Uint8Array(users).fill(0, 18 * 4096, 19 * 4096);
    meta(bytes, 1, 48, 0xffff_ffff_ffff_ffffn);
    expect((await lostOf(bytes)).missing).toEqual([]);
    // A tree that is whole leaves nothing but free pages over.
    const healthy = new Uint8Array(users);
    meta(healthy, 1, 48, 0xffff_ffff_ffff_ffffn);
    expect(await codes(input(healthy))).toEqual([]);
    expect((await lostOf(healthy)).report.orphans).toBe(0);
  });

  it('of the later meta page leaves its rows to be found', async () => {
    // The other one is made to be that of a file that was new then.
    const bytes = changed(4096 + 40, 7);
    meta(bytes, 0, 56, 4n);
    expect((await lostOf(bytes)).missing).toEqual([]);
  });

  describe('of what the live meta page leads to', () => {
    /** The tree of the other one, transaction 2, has 400 rows of `users`; the live one 200. */
    const earlier = Array.from({ length: 400 }, (_, i) => `user${String(i).padStart(5, '0')}`);
    const keysOf = (rows: { tree: string; key: unknown }[]) =>
      new Set(rows.map(({ key }) => String(key)));

    it('leaves the rows of the other meta page, where the live ones are lost', async () => {
      const { rows, report, missing } = await lostOf(
        new Uint8Array(users).fill(0, 19 * 4096, 20 * 4096),
      );
      expect(missing).toEqual([]);
      expect([...keysOf(rows)]).toEqual(expect.arrayContaining(earlier));
      expect(rows.filter(({ tree }) => tree === 'lost_and_found')).toHaveLength(report.orphans);
      expect(report.other).toEqual({ rows: 200, conflicts: 200 });
      // A row that both have is there once.
      expect(rows).toHaveLength(401);
    });

    it('keeps the newer one of two rows', async () => {
      // The last leaf is lost, and a value of the other tree's first leaf is an earlier one.
      const bytes = new Uint8Array(users).fill(0, 17 * 4096, 18 * 4096);
      const live = (await scan(input(bytes), { tree: 'users' })).rows[0]!;
      const value = Buffer.from(bytes.buffer, 7 * 4096, 4096).indexOf(String(live.value));
      expect(value).toBeGreaterThan(0);
      bytes[7 * 4096 + value] = 0x58;
      const { rows, report } = await salvageRows(input(bytes));
      expect(rows.filter(({ key }) => key === live.key)).toEqual([live]);
      expect([...keysOf(rows)]).toEqual(expect.arrayContaining(earlier));
      expect(report.other!.conflicts).toBeGreaterThan(0);
    });

    it('is found through a meta page that is damaged and may be the later one', async () => {
      // A row of page 2 that no earlier tree has: for the other meta page that page is free.
      const value = Buffer.from(users.buffer).indexOf('value-', 2 * 4096);
      const bytes = changed(value, 0x58);
      bytes[4096 + 72] = 7;
      const { rows } = await salvageRows(input(bytes));
      const newer = rows.filter((row) => String(row.value).startsWith('Xalue-'));
      expect(newer).toMatchObject([{ tree: 'lost_and_found' }]);
      expect([...keysOf(rows)]).toEqual(expect.arrayContaining(earlier));
    });

    it('is found where nothing is left of the later meta page', async () => {
      const bytes = new Uint8Array(users).fill(0, 4096, 2 * 4096);
      const value = Buffer.from(users.buffer).indexOf('value-', 2 * 4096);
      bytes[value] = 0x58;
      const { rows } = await salvageRows(input(bytes));
      const newer = rows.filter((row) => String(row.value).startsWith('Xalue-'));
      expect(newer).toMatchObject([{ tree: 'lost_and_found' }]);
    });

    it('is all there is to it as long as that is whole', async () => {
      expect((await salvageRows(input())).rows).toHaveLength(201);
      expect((await salvageRows(input(changed(40, 7)))).rows).toHaveLength(201);
    });
  });

  it('of how far a page goes on costs the page behind it no row', async () => {
    const file = await bbolt.open(input(), input().set.open('users.db'), {
      ...contextOf(),
      set: input().set,
    });
    const leaves: number[] = [];
    const branch = file.node(18, file.trees[0]!);
    for (const child of branch.children)
      if (branch.children.includes(child + 1)) leaves.push(child);
    expect(leaves.length).toBeGreaterThan(0);
    for (const page of leaves) {
      const bytes = changed(page * 4096 + 12, 1);
      expect(await codes(input(bytes))).toContain('page-shared');
      expect(pairsOf((await scan(input(bytes))).rows)).toEqual(await whole());
    }
  });

  it('of how far a page goes on, behind the end, costs no row', async () => {
    const bytes = changed(2 * 4096 + 14, 0xff);
    const { rows, damage } = await scan(input(bytes));
    expect(damage).toMatchObject([{ code: 'page-overflow', page: 2 }]);
    expect(pairsOf(rows)).toEqual(await whole());
  });

  it('of the length of a value leaves a row in part', async () => {
    const all = (await salvageRows(input())).rows;
    for (const slot of [0, 1, 30, 58]) {
      const { rows, report } = await salvageRows(input(changed(element(slot, 13), 0xff)));
      expect(report.parts).toBe(1);
      const parts = rows.filter((row) => 'partial' in row);
      // Where the next key begins, the value ended.
      expect(parts).toEqual([{ ...all[slot], partial: true }]);
      expect(rows).toHaveLength(all.length);
    }
  });

  it('of the flags of a bucket in its leaf leaves it a bucket, as bbolt itself has it', async () => {
    const bytes = new Uint8Array(users);
    const view = new DataView(bytes.buffer);
    const root = Number(view.getBigUint64(4096 + 32, true)) * 4096;
    expect(view.getUint32(root + 16, true)).toBe(1);
    bytes[root + 17] = 0x83;
    expect(await codes(input(bytes))).toEqual(['page-type']);
    expect(pairsOf((await scan(input(bytes))).rows)).toEqual(await whole());
  });
});
