import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bbolt } from '../../../src/formats/btree/bbolt/index.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { identify } from '../../../src/formats/detect.ts';
import { fixtureFiles, root } from '../../support/memory.ts';
import { alone, codes, contextOf, layoutFaults, scan, verify } from './support.ts';

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
    ['a count', changed(2 * 4096 + 10, 0xff, 0xff), ['page-overflow']],
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

  it('of a branch leaves its leaves to be salvaged', async () => {
    const bytes = new Uint8Array(users).fill(0, 18 * 4096, 19 * 4096);
    const trees: string[] = [];
    const none = () => {};
    const report = await btree.salvage!(input(bytes), contextOf(), {
      to: 'ndjson',
      sink: {
        begin: none,
        word: none,
        text: (_, value) => trees.push(value),
        integer: none,
        integer64: none,
        time: none,
        flag: none,
        bytes: none,
        json: none,
        end: none,
      },
    });
    expect(report.orphans).toBeGreaterThanOrEqual(200);
    expect(new Set(trees)).toContain('lost_and_found');
  });
});
