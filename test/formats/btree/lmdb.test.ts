import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { btree } from '../../../src/formats/btree/index.ts';
import { lmdb } from '../../../src/formats/btree/lmdb/index.ts';
import { compareSpans } from '../../../src/formats/btree/lmdb/order.ts';
import { identify } from '../../../src/formats/detect.ts';
import { fixtureFiles, fixtureJson, root } from '../../support/memory.ts';
import {
  alone,
  codes,
  contextOf,
  layoutFaults,
  type Row,
  salvageRows,
  scan,
  verify,
} from './support.ts';

const data = new Uint8Array(fixtureFiles('btree/lmdb')['data.mdb']!);
const input = (bytes: Uint8Array = data) => alone(lmdb, 'data.mdb', bytes);
const textOf = (name: string) => readFileSync(join(root, 'fixtures/btree/lmdb', name), 'utf8');
const changed = (at: number, ...values: number[]): Uint8Array => {
  const bytes = new Uint8Array(data);
  bytes.set(values, at);
  return bytes;
};
const hex = (value: unknown): string =>
  typeof value === 'string' ? Buffer.from(value).toString('hex') : (value as { hex: string }).hex;
const pairs = (rows: Row[]) => rows.map(({ key, value }) => [hex(key), hex(value)]);

describe('data.mdb', () => {
  it('is recognised and clean, and every byte has its field', async () => {
    const found = await identify([btree], input().set);
    expect([found.dialect.id, found.detection.confidence]).toEqual(['lmdb', 'certain']);
    expect(await verify(input())).toMatchObject({ clean: true, findings: [] });
    expect(await layoutFaults(input())).toEqual([]);
  });

  it('has the rows of the main database', async () => {
    const { rows, damage } = await scan(input(), { tree: '@main' });
    expect(damage).toEqual([]);
    expect(pairs(rows)).toEqual(fixtureJson('btree/lmdb/expected-main.json'));
  });

  it('has the sorted duplicates that mdb_dump prints', async () => {
    const { rows } = await scan(input(), { tree: 'sub' });
    const lines = textOf('expected-dump.txt')
      .split('\n')
      .filter((line) => line.startsWith(' '));
    expect(pairs(rows).flat()).toEqual(lines.map((line) => line.trim()));
    const all = (await scan(input())).rows;
    expect(all.filter(({ tree }) => tree === 'sub')).toEqual(rows);
  });

  it('tells all its databases by name, where one is not there and where rows are salvaged', async () => {
    const hint = 'it has: "@main", "@free", "sub"';
    await expect(scan(input(), { tree: 'none' })).rejects.toMatchObject({ hint });
    expect((await salvageRows(input())).report.trees).toBe(2);
  });

  it('has the pages that mdb_stat counts', async () => {
    const stat = await btree.stat(input(), contextOf());
    const trees = stat['trees'] as Record<string, number | string>[];
    const text = textOf('expected-stat.txt');
    const sections = {
      '@free': 'Freelist Status',
      '@main': 'Status of Main DB',
      sub: 'Status of sub',
    };
    for (const [name, title] of Object.entries(sections)) {
      const section = text.slice(text.indexOf(title)).split('\n');
      const number = (label: string) =>
        Number(section.find((line) => line.includes(label))!.split(': ')[1]);
      expect(
        trees.find((tree) => tree['name'] === name),
        name,
      ).toMatchObject({
        height: number('Tree depth'),
        interior: number('Branch pages'),
        leaves: number('Leaf pages'),
        overflow: number('Overflow pages'),
      });
    }
    expect(stat['pages']).toMatchObject({ free: Number(/Free pages: (\d+)/.exec(text)![1]) });
    expect(stat).toMatchObject({ liveMeta: 0, otherMeta: 'transaction 3, would do' });
  });

  it('finds one key by the separators', async () => {
    const range = { tree: '@main', from: Buffer.from('k00139'), to: Buffer.from('k00139\0') };
    expect((await scan(input(), range)).rows).toHaveLength(1);
  });
});

/** Page 4 is the root of the main database, 31 a leaf of it, 44 the leaf of the free database. */
describe('damage', () => {
  const page = (number: number, at: number) => number * 4096 + at;
  const pointer = Buffer.from(data).readUInt16LE(page(31, 16));
  const freeNode = Buffer.from(data).readUInt16LE(page(44, 16));
  const cases: [string, Uint8Array, string[]][] = [
    ['a meta page', changed(16, 0), ['meta-bad']],
    ['a page type', changed(page(31, 10), 4), ['page-type']],
    ['a page number', changed(page(31, 0), 30), ['page-type']],
    ['a node pointer', changed(page(31, 16), 0xff, 0xff), ['page-overflow']],
    ['a key length', changed(page(31, pointer + 6), 0xff, 0xff), ['page-overflow']],
    ['the free space', changed(page(31, 14), 0), ['free-space']],
    ['a key', changed(page(31, pointer + 8), 0xff), ['key-order']],
    ['a count of entries', changed(88 + 32, 1), ['key-count']],
    ['a root', changed(88 + 40, 0xff, 0xff), ['meta-bad']],
    ['a free page that is used', changed(page(44, freeNode + 24), 31), ['free-in-tree']],
    ['a cut file', data.slice(0, page(40, 0)), ['file-short']],
  ];
  it.each(cases)('of %s is found', async (_, bytes, of) => {
    expect(await codes(input(bytes))).toEqual(expect.arrayContaining(of));
  });

  const nodeOf = (slot: number) =>
    page(31, Buffer.from(data).readUInt16LE(page(31, 16 + 2 * slot)));
  const count = (Buffer.from(data).readUInt16LE(page(31, 12)) - 16) / 2;

  it('of a node costs that row alone', async () => {
    const all = (await scan(input())).rows;
    expect(count).toBeGreaterThan(20);
    for (const slot of [0, 1, count >> 1, count - 1]) {
      const key = data.slice(nodeOf(slot) + 8, nodeOf(slot) + 8 + data[nodeOf(slot) + 6]!);
      const own = Buffer.from(key).toString();
      const rest = all.filter((row) => row.key !== own);
      expect(rest).toHaveLength(all.length - 1);
      const hits: [number, number][] = [
        [page(31, 16 + 2 * slot + 1), 0xff],
        [nodeOf(slot) + 7, 0xff],
        [nodeOf(slot) + 2, 0xff],
      ];
      for (const [at, value] of hits) {
        const { rows, damage } = await scan(input(changed(at, value)));
        expect(damage.map(({ code }) => code)).toContain('page-overflow');
        expect(rows).toEqual(rest);
      }
    }
  });

  it('of the count of nodes costs no row', async () => {
    const all = (await scan(input())).rows;
    for (const lower of [0, 15, 18, 14 + 2 * count, 18 + 2 * count, 0xffff]) {
      const bytes = changed(page(31, 12), lower & 255, lower >> 8);
      const { rows, damage } = await scan(input(bytes));
      const counted = { page: 31, expected: count, actual: (lower - 16) / 2 };
      expect(damage).toContainEqual(expect.objectContaining({ code: 'key-count', ...counted }));
      expect(rows).toEqual(all);
    }
  });

  const salvage = async (bytes: Uint8Array) => {
    const lost: Row[] = [];
    const told = await salvageRows(input(bytes));
    for (const row of told.rows) if (row.tree === 'lost_and_found') lost.push(row);
    return { ...told, lost: pairs(lost) };
  };

  it('of a branch loses no row below it, long and several values neither', async () => {
    const stat = await btree.stat(input(), contextOf());
    const roots = (stat['trees'] as { name: string; root: number; height: number }[]).filter(
      ({ name, height }) => name === '@main' && height > 1,
    );
    expect(roots).toHaveLength(1);
    const { lost } = await salvage(changed(page(roots[0]!.root, 10), 0));
    const expected = fixtureJson<string[][]>('btree/lmdb/expected-main.json');
    expect(expected.some(([, value]) => value!.length > 2 * 4096)).toBe(true);
    const seen = new Set(lost.map(String));
    expect(expected.filter((pair) => !seen.has(String(pair)))).toEqual([]);
    const { rows } = await scan(input(), { tree: 'sub' });
    const { rows: all } = await salvage(changed(page(roots[0]!.root, 10), 0));
    const values = new Set(all.flatMap(({ key, value }) => [hex(key), hex(value)]));
    expect(pairs(rows).filter(([, value]) => !values.has(value!))).toEqual([]);
  });

  describe('of the pages of a long value', () => {
    /** Page 17 is the first of five that one value has. */
    const long = (rows: readonly Row[]) =>
      rows.find(({ key, value }) => key !== null && hex(value).length > 2 * 4096)!;
    type Part = Row & { partial?: boolean };

    it('leaves what comes before them, as a row in part', async () => {
      const whole = long((await scan(input(), { tree: '@main' })).rows);
      for (const there of [1, 3]) {
        const { rows, report } = await salvageRows(input(data.subarray(0, (17 + there) * 4096)));
        const part = rows.find(({ key }) => hex(key) === hex(whole.key)) as Part | undefined;
        expect(part).toMatchObject({ partial: true });
        expect(report.parts).toBeGreaterThan(0);
        expect(hex(part!.value)).toBe(hex(whole.value).slice(0, 2 * (there * 4096 - 16)));
      }
    });

    it('that lead into a tree takes no leaf from it', async () => {
      const all = (await salvageRows(input())).rows;
      const key = Buffer.from(hex(long(all).key), 'hex');
      const node = Buffer.concat([key, Buffer.of(17, 0, 0, 0, 0, 0, 0, 0)]);
      const bytes = Buffer.from(data);
      // Pages that are free hold it too.
      for (let at = bytes.indexOf(node); at > 0; at = bytes.indexOf(node)) {
        bytes[at + key.length] = 31;
      }
      const { rows } = await salvageRows(input(bytes));
      const own = rows.filter((row) => hex(row.key) === key.toString('hex'));
      expect(own.map((row) => ({ ...row, value: hex(row.value) }))).toMatchObject([
        { partial: true, value: '' },
      ]);
      expect(rows).toHaveLength(all.length);
    });
  });

  it('of the live root leaves the rows that only the other meta page leads to', async () => {
    // Transaction 3 had the keys that 4 has deleted.
    const bytes = Buffer.from(data).fill(0, 4 * 4096, 5 * 4096);
    const { rows, report } = await salvageRows(input(bytes));
    const keys = new Set(rows.map(({ key }) => String(key)));
    const earlier = Array.from({ length: 800 }, (_, i) => `k${String(i).padStart(5, '0')}`);
    expect(earlier.filter((key) => !keys.has(key))).toEqual([]);
    expect(report.other!.rows).toBeGreaterThan(200);
    expect(report.other!.conflicts).toBeGreaterThan(400);
  });

  it.each([
    ['all of the live meta page', (bytes: Uint8Array) => bytes.fill(0, 0, 4096)],
    ['the other transaction number', (bytes: Uint8Array) => bytes.fill(9, 4096 + 147, 4096 + 148)],
  ])('of %s leaves rows that no earlier tree has to be found', async (_what, damage) => {
    // For the other meta page, page 16 is free: nobody leads to this value of its first node.
    const bytes = changed(17 * 4096 - 2, 0x58);
    const { rows: live } = await scan(input(bytes), { tree: '@main' });
    expect(pairs(live)).not.toEqual(fixtureJson('btree/lmdb/expected-main.json'));
    const { rows } = await salvageRows(input(damage(bytes)));
    const found = new Set(pairs(rows).map(String));
    expect(pairs(live).filter((pair) => !found.has(String(pair)))).toEqual([]);
  });

  it('of the later meta page leaves its rows to be found', async () => {
    // The other one is made to be that of a file that was new then.
    const bytes = changed(16, 0);
    const other = new DataView(bytes.buffer, page(1, 0));
    for (const at of [80, 128]) other.setBigUint64(at, 0xffff_ffff_ffff_ffffn, true);
    other.setBigUint64(136, 1n, true);
    const { lost } = await salvage(bytes);
    const seen = new Set(lost.map(String));
    const expected = fixtureJson<string[][]>('btree/lmdb/expected-main.json');
    expect(expected.filter((pair) => !seen.has(String(pair)))).toEqual([]);
  });

  it('of the flags of a node is described', async () => {
    // A long value whose flags say more: its length is not that of the bytes in the page.
    const file = await lmdb.open(input(), input().set.open('data.mdb'), {
      ...contextOf(),
      set: input().set,
    });
    for (let number = 2; number < file.pageCount; number++) {
      const bytes = new Uint8Array(data);
      const view = new DataView(bytes.buffer);
      if (view.getUint16(page(number, 10), true) !== 2) continue;
      for (const cell of file.describe(number, 3).cells) {
        if (!('overflow' in cell)) continue;
        bytes[page(number, (cell['offset'] as number) + 4)] = 5;
        const given = input(bytes);
        const hit = await lmdb.open(given, given.set.open('data.mdb'), {
          ...contextOf(),
          set: given.set,
        });
        expect(hit.describe(number, 3).cells[cell['slot'] as number]).toHaveProperty('overflow');
        return;
      }
    }
    expect.unreachable();
  });

  it('of the live meta page makes the other one live', async () => {
    const stat = await btree.stat(input(changed(16, 0)), contextOf());
    expect(stat).toMatchObject({ liveMeta: 1, transaction: 3, otherMeta: 'not usable: magic' });
  });

  it('of any byte yields findings and rows, never an exception', async () => {
    const change = fc.record({
      at: fc.nat(data.length - 1),
      length: fc.constantFrom(1, 2, 8, 100, 4096),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = new Uint8Array(data);
        for (const { at, length, value } of changes) bytes.fill(value, at, at + length);
        await verify(input(bytes), { deep: true });
        await scan(input(bytes));
        expect(await layoutFaults(input(bytes))).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

describe('the order of keys', () => {
  it('is that of the bytes, from the front or from the back', () => {
    const compare = (a: number[], b: number[], reversed: boolean) =>
      Math.sign(
        compareSpans(new Uint8Array(a), 0, a.length, new Uint8Array(b), 0, b.length, reversed),
      );
    expect(compare([1, 2], [1, 2, 0], false)).toBe(-1);
    expect(compare([1, 9], [2, 0], false)).toBe(-1);
    expect(compare([1, 9], [2, 0], true)).toBe(1);
    expect(compare([2], [1, 2], true)).toBe(-1);
  });
});
