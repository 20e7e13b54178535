import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { btree } from '../../../src/formats/btree/index.ts';
import { v2 } from '../../../src/formats/btree/v2/index.ts';
import {
  KIND_AT,
  LEAF,
  PAGE_AT,
  pageCrc,
  storeSeed,
  TXN_AT,
} from '../../../src/formats/btree/v2/layout.ts';
import { V2Page } from '../../../src/formats/btree/v2/page.ts';
import { identify } from '../../../src/formats/detect.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { root as project } from '../../support/memory.ts';
import { alone, codes, layoutFaults, plan, repaired, scan, verify } from './support.ts';
import {
  fileOf,
  metaOf,
  type Pairs,
  pageOf,
  pairs,
  STORE_ID,
  withFreeList,
  withMeta,
} from './v2-support.ts';

const input = (bytes: Uint8Array) => alone(v2, 'tree.bt2', bytes);
const rowsOf = async (bytes: Uint8Array): Promise<Pairs> => {
  const { rows } = await scan(input(bytes));
  return rows.map(({ key, value }) => [String(key), String(value)] as const);
};

/** Every tenth value needs overflow pages. */
const some = pairs(300, (i) => (i % 10 === 0 ? `${i}`.repeat(400) : `value-${i}`));
const file = fileOf(some);
const root = metaOf(file, 1).root;
const leaves = Array.from({ length: file.length / 512 }, (_, page) => page).filter(
  (page) => page > 1 && pageOf(file, page)[KIND_AT] === LEAF,
);
const changed = (change: (copy: Uint8Array) => void): Uint8Array => {
  const copy = new Uint8Array(file);
  change(copy);
  return copy;
};
const flipped = (at: number, bit = 0) => changed((copy) => (copy[at]! ^= 1 << bit));

describe('a file of our own layout', () => {
  it('is recognised and clean, and every byte has its field', async () => {
    const found = await identify([btree], input(file).set);
    expect([found.dialect.id, found.detection.confidence]).toEqual(['v2', 'certain']);
    expect(await verify(input(file), { deep: true })).toMatchObject({ clean: true });
    expect(await layoutFaults(input(file))).toEqual([]);
    expect(await rowsOf(file)).toEqual(some);
  });

  it('is to the byte what its page draws', () => {
    const made = fileOf([
      ['a', '1'],
      ['bc', 'two'],
    ]);
    const page = readFileSync(join(project, 'src/formats/btree/v2/FORMAT.md'), 'utf8');
    const lines = [...page.matchAll(/^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} {1,2})+)/gm)];
    expect(lines.length).toBeGreaterThan(12);
    for (const [line, at, drawn] of lines) {
      const expected = Buffer.from(drawn!.replaceAll(' ', ''), 'hex');
      const from = Number.parseInt(at!, 16);
      expect(Buffer.from(made).subarray(from, from + expected.length), line).toEqual(expected);
    }
  });

  it.each([512, 1024, 4096, 32_768])('of any page size and content', async (pageSize) => {
    const word = fc.string({ maxLength: 40 });
    const value = fc.oneof(word, fc.string({ minLength: 500, maxLength: 3000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(word, value), { maxLength: 60 }), async (raw) => {
        const rows = [...new Map(raw)].sort(([a], [b]) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        );
        const made = fileOf(rows, { pageSize });
        expect(await codes(input(made))).toEqual([]);
        expect(await rowsOf(made)).toEqual(rows);
      }),
      { numRuns: 25 },
    );
  });

  it('has rows in a range', async () => {
    const range = { from: Buffer.from('key00017'), to: Buffer.from('key00021') };
    const { rows } = await scan(input(file), range);
    expect(rows.map(({ key }) => key)).toEqual(['key00017', 'key00018', 'key00019', 'key00020']);
  });
});

describe('damage is found', () => {
  it('of any bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length * 8 - 1), async (bit) => {
        expect(await codes(input(flipped(bit >> 3, bit & 7)))).not.toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  const older = fileOf(pairs(300, (i) => (i % 10 === 0 ? `${i}`.repeat(400) : `older-${i}`)));
  const swap = (copy: Uint8Array, to: number, from: number, of = file) =>
    copy.set(pageOf(of, from), to * 512);
  const cases: [string, Uint8Array, string[]][] = [
    [
      'a page in the wrong place',
      changed((c) => swap(c, leaves[3]!, leaves[5]!)),
      ['page-misplaced'],
    ],
    [
      'an older copy of a page',
      changed((c) => swap(c, leaves[3]!, leaves[3]!, older)),
      ['page-stale'],
    ],
    [
      'a page of zeros',
      changed((c) => c.fill(0, leaves[3]! * 512, leaves[4]! * 512)),
      ['page-checksum'],
    ],
    ['the live meta page', flipped(512 + 50), ['meta-bad']],
    ['the other meta page', flipped(50), ['meta-bad']],
    ['zeros behind the fields', flipped(400), ['meta-bad']],
    ['the other meta page of any time', withMeta(file, { txn: 11 }), ['meta-bad']],
    ['a number of keys', withMeta(file, { keys: 299 }), ['key-count']],
    ['a root that is another page', withMeta(file, { root: leaves[0]! }), ['page-stale']],
    [
      'a page that nobody has',
      withMeta(new Uint8Array([...file, ...new Uint8Array(512)]), { pages: file.length / 512 + 1 }),
      ['page-leaked'],
    ],
    ['a free page in use', withFreeList(file, [leaves[2]!]), ['free-in-tree']],
    ['a free page twice', withFreeList(file, [9000, leaves[2]!]), ['free-in-tree', 'free-range']],
    ['a cut file', file.subarray(0, file.length - 512), ['file-short']],
    ['a tail', new Uint8Array([...file, 1, 2, 3]), ['file-tail']],
  ];
  it.each(cases)('%s', async (_, bytes, of) => {
    expect(await codes(input(bytes))).toEqual(expect.arrayContaining(of));
    const { findings } = await verify(input(bytes));
    for (const one of findings) expect(Object.keys(one)).toContain('expected');
  });

  it('and the other meta page does where one is lost', async () => {
    for (const lost of [flipped(3), flipped(512 + 3)]) {
      const found = await identify([btree], input(lost).set);
      expect(found.dialect.id).toBe('v2');
      expect(await rowsOf(lost)).toEqual(some);
    }
  });
});

describe('repair', () => {
  const mended = async (bytes: Uint8Array): Promise<Pairs> => {
    const carried = await plan(input(bytes));
    const result = (await repaired(input(bytes), carried))['tree.bt2']!;
    expect(await codes(input(result))).toEqual([]);
    const rows = await rowsOf(result);
    const kept = carried.ledger.filter(({ fate }) => fate !== 'dropped');
    expect(kept.reduce((sum, { records }) => sum + records, 0)).toBe(rows.length);
    expect(carried.ledger.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
    return rows;
  };
  const without = (page: number): Pairs => {
    const gone = Buffer.from(pageOf(file, page)).toString('latin1');
    return some.filter(([key]) => !gone.includes(key));
  };

  it('leaves a healthy file as it is', async () => {
    const result = await repaired(input(file));
    expect(Buffer.from(file).equals(result['tree.bt2']!)).toBe(true);
  });

  it('loses nothing with the root, the free list or both meta pages', async () => {
    expect(await mended(flipped(root * 512 + 100))).toEqual(some);
    expect(await mended(withFreeList(file, [leaves[2]!]))).toEqual(some);
    expect(await mended(changed((c) => (c[40]! ^= 1) + (c[512 + 40]! ^= 1)))).toEqual(some);
  });

  it('loses nothing with both meta pages gone to the last byte, nor with the root as well', async () => {
    const blank = changed((c) => c.fill(0, 0, 1024));
    const { consequences } = await plan(input(blank));
    expect(consequences[0]).toContain(`${some.length} keys from the live tree, 0 from orphan`);
    expect(consequences[1]).toContain(`the one below page ${root}`);
    expect(await mended(blank)).toEqual(some);
    expect(await mended(new Uint8Array(blank).fill(1, root * 512, root * 512 + 512))).toEqual(some);
    for (const pageSize of [1024, 32_768]) {
      const few = pairs(3);
      const one = fileOf(few, { pageSize });
      expect(one.length).toBe(3 * pageSize);
      expect(await mended(one.fill(0, 0, 2 * pageSize))).toEqual(few);
    }
  });

  it('loses the keys of a leaf that is gone, and a value whose chain is', async () => {
    expect(await mended(flipped(leaves[4]! * 512 + 300))).toEqual(without(leaves[4]!));
    expect(await mended(flipped(2 * 512 + 100))).toEqual(some.slice(1));
  });

  it('keeps values that are longer than what other layouts have read whole', async () => {
    const limits = { ...DEFAULT_LIMITS, recordBytes: 1024 };
    const long: Pairs = [
      ['a', 'x'.repeat(5000)],
      ['b', '1'],
    ];
    const bytes = fileOf(long);
    bytes[3] = bytes[3]! ^ 1;
    const context = { limits, options: {} };
    const parts: Uint8Array[] = [];
    const carried = await btree.planRepair!(input(bytes), { mend: false }, context);
    await btree.applyRepair!(input(bytes), { ...carried, inputs: [] }, context, {
      create: () => ({
        write: (page, start, end) => parts.push(page.slice(start, end)),
        finish: () => {},
      }),
    });
    expect(await rowsOf(new Uint8Array(Buffer.concat(parts)))).toEqual(long);
  });

  it('takes no key twice where a separator is wrong and what is lost seems to be more', async () => {
    const seed = storeSeed(STORE_ID);
    const end = file.length;
    // A leaf that nobody leads to repeats the one behind that which is lost.
    const bytes = new Uint8Array([...file, ...pageOf(file, leaves[5]!)]);
    const view = new DataView(bytes.buffer);
    view.setUint32(end + PAGE_AT, end / 512, true);
    view.setUint32(end, pageCrc(seed, end / 512, bytes, view, end, 512), true);
    const top = new V2Page();
    top.parse(bytes, view, root * 512, 512);
    const i = leaves.findIndex((_, child) => top.child(child) === leaves[5]);
    top.key(i - 1).fill(0xff, -1);
    const rootCrc = pageCrc(seed, root, bytes, view, root * 512, 512);
    view.setUint32(root * 512, rootCrc, true);
    const wrong = withMeta(bytes, { rootCrc, pages: end / 512 + 1 });
    wrong[leaves[4]! * 512 + 300]! ^= 1;
    expect(await mended(wrong)).toEqual(without(leaves[4]!));
  });

  it('takes older copies from free pages, less what was deleted since', async () => {
    const end = file.length / 512;
    const leaf = leaves[4]!;
    // The leaf was moved to the end by a transaction; its old place is free.
    const longer = withFreeList(new Uint8Array(file), [leaf]);
    const lost = flipped(root * 512 + 100);
    expect(longer.length / 512).toBe(end + 1);
    const both = new Uint8Array(longer);
    both.set(pageOf(lost, root), root * 512);
    const carried = await plan(input(both));
    expect(carried.consequences[0]).toMatch(/from older copies/);
    expect(await mended(both)).toEqual(some);
  });

  it('tells each value of a leaf that nobody leads to that gives way to a later one', async () => {
    const seed = storeSeed(STORE_ID);
    const leaf = leaves[4]!;
    // Behind the end, a leaf as it was before: one value is another, and a key was deleted since.
    const before = new Uint8Array(pageOf(file, leaf));
    const old = new V2Page();
    const view = new DataView(before.buffer);
    old.parse(before, view, 0, 512);
    const [changed, gone] = [
      Buffer.from(old.key(1)).toString(),
      Buffer.from(old.key(2)).toString(),
    ];
    before.fill(0x21, old.keyEnd(1), old.end[1]);
    view.setUint32(TXN_AT, 3, true);
    old.key(2).fill(0x7e, -1);
    const end = file.length / 512;
    view.setUint32(PAGE_AT, end, true);
    view.setUint32(0, pageCrc(seed, end, before, view, 0, 512), true);
    const wrong = withMeta(new Uint8Array([...file, ...before]), { pages: end + 1 });
    wrong[root * 512 + 100]! ^= 1;
    const { consequences, ledger } = await plan(input(wrong));
    expect(consequences[0]).toContain('2 conflicts');
    const told = consequences.slice(1, 3).join('\n');
    expect(told).toContain(`"${changed}" in page ${end}: of transaction 3, not taken`);
    expect(told).toContain(`"${gone.slice(0, -1)}~" in page ${end}: of transaction 3, not taken`);
    const lost = ledger.filter(({ code, fate }) => code === 'key-conflict' && fate === 'dropped');
    expect(lost.map(({ records }) => records)).toEqual([1, 1]);
    expect(await mended(wrong)).toEqual(some);
  });

  it('is the same for any damage: what is not damaged is there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1024, max: file.length - 1 }), async (at) => {
        const rows = await mended(flipped(at));
        expect(rows.length).toBeGreaterThanOrEqual(some.length - 40);
        for (const row of rows) expect(some).toContainEqual(row);
      }),
      { numRuns: 25 },
    );
  });
});
