import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { btree } from '../../../src/formats/btree/index.ts';
import { bulkLoad, type Entry } from '../../../src/formats/btree/v1/bulk-load.ts';
import { v1 } from '../../../src/formats/btree/v1/index.ts';
import { PAGE_SIZES } from '../../../src/formats/btree/v1/layout.ts';
import { identify } from '../../../src/formats/detect.ts';
import { concat, fixtureFiles, fixtureJson } from '../../support/memory.ts';
import {
  alone,
  codes,
  contextOf,
  layoutFaults,
  opened,
  plan,
  repaired,
  scan,
  verify,
} from './support.ts';

interface Expected {
  records: { key: unknown; value: unknown }[];
  clean: boolean;
  findings?: string[];
  page_size?: number;
  height?: number;
  free?: number;
  redo_pages?: number[];
}

const cases = [
  'clean',
  'free-cycle',
  'free-in-tree',
  'key-count',
  'leaked',
  'page-type',
  'sibling-cycle',
  'with-redo-log',
];
const filesOf = (name: string) => fixtureFiles(`btree/v1/${name}`);
const expectedOf = (name: string) => fixtureJson<Expected>(`btree/v1/${name}/expected.json`);

/** Entries of a tree, with keys in order. */
function entriesOf(pairs: readonly (readonly [string, string])[]): Entry[] {
  return pairs.map(([key, value]) => {
    const bytes = Buffer.from(key + value);
    const keyEnd = Buffer.byteLength(key);
    return { bytes, keyStart: 0, keyEnd, valueStart: keyEnd, valueEnd: bytes.length };
  });
}

function load(pairs: readonly (readonly [string, string])[], pageSize = 512): Uint8Array {
  const pages: Uint8Array[] = [];
  const entries = entriesOf(pairs);
  bulkLoad(
    pageSize,
    () => entries,
    (page) => pages.push(page.slice()),
  );
  return concat(pages);
}

const pairs = Array.from(
  { length: 400 },
  (_, i) => [`key${String(i).padStart(4, '0')}`, `v${i}`.repeat(1 + (i % 7))] as const,
);
const sample = load(pairs);
const word = (bytes: Uint8Array, at: number) => Buffer.from(bytes).readUInt32BE(at);
function withWord(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(value, at);
  return new Uint8Array(changed);
}
const file = (bytes: Uint8Array) => alone(v1, 'btree.db', bytes);
const keys = (rows: { key: unknown }[]) => rows.map(({ key }) => key);

describe('golden files', () => {
  it.each(cases)('%s gives what its expectation says', async (name) => {
    const input = opened(v1, filesOf(name));
    const expected = expectedOf(name);
    const { rows } = await scan(input);
    expect(rows.map(({ key, value }) => ({ key, value }))).toEqual(expected.records);
    const result = await verify(input);
    expect(result.clean).toBe(expected.clean);
    expect(await codes(input)).toEqual(expected.findings ?? []);
  });

  it('tells page size, height and free pages', async () => {
    const expected = expectedOf('clean');
    const stat = await btree.stat(opened(v1, filesOf('clean')), contextOf());
    expect(stat).toMatchObject({ pageSize: expected.page_size, height: expected.height });
    expect(stat['pages']).toMatchObject({ free: expected.free });
  });

  it('sees the redo log in place of the pages, and says so', async () => {
    const input = opened(v1, filesOf('with-redo-log'));
    const { findings } = await verify(input);
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['log-applied', 'info'],
    ]);
    const stat = await btree.stat(input, contextOf());
    expect(stat['redoPages']).toEqual(expectedOf('with-redo-log').redo_pages);
  });

  it.each(cases)('%s is recognised without a flag', async (name) => {
    const { 'btree.db': bytes } = filesOf(name);
    const set = alone(v1, 'some.file', bytes!).set;
    expect((await identify([btree], set)).detection.confidence).toBe('certain');
  });

  it.each(cases)('%s has a field for every byte', async (name) => {
    expect(await layoutFaults(alone(v1, 'btree.db', filesOf(name)['btree.db']!))).toEqual([]);
  });

  it.each(cases)('%s is repaired with all keys', async (name) => {
    const result = await repaired(opened(v1, filesOf(name)));
    const input = opened(v1, result);
    const { rows } = await scan(input);
    expect(rows.map(({ key, value }) => ({ key, value }))).toEqual(expectedOf(name).records);
    expect(await verify(input)).toMatchObject({ clean: true, findings: [] });
  });
});

describe('bulk load', () => {
  it('writes what a scan reads, in pages of every size', async () => {
    const cell = fc.tuple(fc.string({ maxLength: 40 }), fc.string({ maxLength: 60 }));
    const sizes = fc.constantFrom(...PAGE_SIZES);
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 200 }), sizes, async (cells, pageSize) => {
        const unique = [...new Map(cells)];
        unique.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const bytes = load(unique, pageSize);
        const input = file(bytes);
        expect(await verify(input)).toMatchObject({ clean: true, counts: {} });
        const { rows } = await scan(input);
        expect(rows.map(({ key, value }) => [key, value])).toEqual(unique);
        expect(await layoutFaults(input)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('refuses what no page can hold', () => {
    expect(() => load([['k', 'x'.repeat(600)]])).toThrow(
      /key and value have 601 bytes; in pages of 512 there may be 501/,
    );
  });
});

describe('ranges', () => {
  it('are half-open, and prefixes a range', async () => {
    const { rows } = await scan(file(sample), {
      from: Buffer.from('key0010'),
      to: Buffer.from('key0013'),
    });
    expect(keys(rows)).toEqual(['key0010', 'key0011', 'key0012']);
    const some = await scan(file(sample), { prefix: Buffer.from('key003') });
    expect(keys(some.rows)).toEqual(pairs.slice(30, 40).map(([key]) => key));
    expect(some.damage).toEqual([]);
  });
});

/** Number of pages, and where the first leaf's and the root's bytes begin. */
const pageCount = sample.length / 512;
const root = word(sample, 0);
const leafAt = (page: number) => page * 512;

/** A copy with one byte, or a whole page, changed. */
function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}
const killed = (bytes: Uint8Array, page: number) =>
  bytes.slice().fill(0xa5, leafAt(page), leafAt(page + 1));

/** The last leaf is its neighbour's sibling, and its parent knows nothing of it, nor of its keys. */
function unknownSplit(): Uint8Array {
  const view = new DataView(sample.slice().buffer);
  view.setUint16(leafAt(root) + 1, view.getUint16(leafAt(root) + 1) - 1);
  view.setUint32(8, pairs.length - view.getUint16(leafAt(root - 1) + 1));
  return new Uint8Array(view.buffer);
}

const firstOfLeaf = (page: number) =>
  Buffer.from(sample.slice(leafAt(page) + 9, leafAt(page) + 16)).toString();

describe('damage', () => {
  const damaged: [string, Uint8Array, string[]][] = [
    ['a root that is no page', withWord(sample, 0, 0), ['meta-bad']],
    ['a file cut in a page', sample.slice(0, sample.length - 100), ['file-short']],
    ['bytes behind the end', concat([sample, new Uint8Array(100)]), ['file-tail']],
    ['a page too much', concat([sample, new Uint8Array(512)]), ['file-tail']],
    ['a height of 9', withWord(sample, 4, 9), ['depth']],
    ['a sibling that skips one', withWord(sample, leafAt(2) + 3, 4), ['sibling-broken']],
    ['a free list out of the file', withWord(sample, 16, 5000), ['free-range']],
    ['a child out of the file', withWord(sample, root * 512 + 3, 99_999), ['child-range']],
    ['the root as its own child', withWord(sample, root * 512 + 3, root), ['tree-cycle']],
    ['a child twice', withWord(sample, root * 512 + 3, 2), ['page-shared']],
  ];
  it.each(damaged)('%s is found', async (_, bytes, expected) => {
    const found = await codes(file(bytes));
    expect(found).toEqual(expect.arrayContaining(expected));
    const { findings } = await verify(file(bytes));
    for (const one of findings) expect(Object.keys(one)).toContain('expected');
  });

  it('is told with page, parent, expected and actual', async () => {
    const bytes = sample.slice();
    // The first key of leaf 3 becomes greater than all others.
    bytes.fill(0xff, leafAt(3) + 9, leafAt(3) + 16);
    const { findings } = await verify(file(bytes));
    expect(findings.map(({ code }) => code)).toEqual(['key-order', 'key-range']);
    expect(findings[1]).toMatchObject({ page: 3, expected: { from: firstOfLeaf(3) } });
    expect(findings[1]!.parent).toBeGreaterThan(0);
  });

  it('of a sibling names the parent of the page that has it', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => [`key${10_000 + i}`, 'v'] as const);
    const high = load(many);
    const inner = high.findIndex((type, at) => at % 512 === 0 && at > 0 && type === 0) / 512;
    // The last leaf below the first of several inner pages: the next one is below another.
    const last = new DataView(high.buffer).getUint16(inner * 512 + 1) + 1;
    const { findings } = await verify(file(withWord(high, last * 512 + 3, 1)));
    const [found] = findings;
    expect(found).toMatchObject({ code: 'sibling-cycle', page: last, parent: inner });
    expect(found).toMatchObject({ expected: last + 1, actual: 1 });
  });

  it('of a root makes every leaf an orphan, and repair takes all of them over', async () => {
    const bytes = sample.slice();
    bytes.fill(0xaa, root * 512, (root + 1) * 512);
    const made = await plan(file(bytes));
    expect(made.consequences[0]).toBe(
      'the tree is built anew: 0 keys from the live tree, 400 from orphan leaves, 0 conflicts',
    );
    const dropped = made.ledger.filter(({ fate }) => fate === 'dropped');
    expect(dropped.map(({ offset, length }) => [offset, length])).toEqual([[root * 512, 512]]);
    const result = file((await repaired(file(bytes), made))['btree.db']!);
    expect((await scan(result)).rows.map(({ key, value }) => [key, value])).toEqual(pairs);
    expect((await verify(result)).clean).toBe(true);
  });

  // Each of these hides leaves that are whole from the walk, and a repair must not give them up.
  const hiding: [string, Uint8Array, string][] = [
    ['a root that is a leaf', withWord(sample, 0, 4), 'meta-bad'],
    ['a root that is the last leaf', withWord(sample, 0, root - 1), 'meta-bad'],
    ['a root that is a leaf, and none above', killed(withWord(sample, 0, 4), root), 'key-count'],
    [
      'a leaf that says it is none, below a page that is lost',
      withByte(killed(sample, root), leafAt(3), 0),
      'page-type',
    ],
    ['a split that its parent does not know', unknownSplit(), 'sibling-broken'],
  ];
  it.each(hiding)('%s loses no key', async (_, bytes, code) => {
    const input = file(bytes);
    expect(await codes(input)).toContain(code);
    const result = file((await repaired(input))['btree.db']!);
    expect((await verify(result)).findings).toEqual([]);
    const { rows } = await scan(result);
    expect(rows.map(({ key, value }) => [key, value])).toEqual(pairs);
  });

  it('is not what a tree leaves behind that had its last key deleted', async () => {
    const bytes = sample.slice();
    [1, 1, 0, 2].forEach((value, i) => {
      new DataView(bytes.buffer).setUint32(4 * i, value);
    });
    bytes.fill(0, leafAt(1) + 1, leafAt(2)).fill(0xff, leafAt(1) + 3, leafAt(1) + 7);
    expect(await codes(file(bytes))).toEqual(['file-tail']);
  });

  it('of a root with one key never takes its key for one with a value', async () => {
    const some = pairs.slice(0, 40);
    const two = load(some);
    const top = word(two, 0) * 512;
    for (const bytes of [withByte(two, top, 1), withByte(withWord(two, 4, 1), top, 7)]) {
      expect(await codes(file(bytes))).toContain('page-type');
      const { rows } = await scan(file((await repaired(file(bytes)))['btree.db']!));
      expect(rows.map(({ key, value }) => [key, value])).toEqual(some);
    }
  });

  it('of an only leaf that says it is none, where the height agrees, loses no key', async () => {
    const some = pairs.slice(0, 9);
    const one = withByte(withWord(load(some), 4, 2), leafAt(1), 0);
    const { rows } = await scan(file((await repaired(file(one)))['btree.db']!));
    expect(rows.map(({ key, value }) => [key, value])).toEqual(some);
    // Nor is an inner page among those that are lost taken for a leaf with empty values.
    const two = load(pairs.slice(0, 40));
    const top = word(two, 0);
    const lost = withByte(withWord(two, 0, 1), top * 512, 1);
    const result = await scan(file((await repaired(file(lost)))['btree.db']!));
    expect(result.rows.map(({ key, value }) => [key, value])).toEqual(pairs.slice(0, 40));
  });

  it('of metadata that are those of an older file leaves the page size known', async () => {
    // Under twice the size the file is as long as they say, and half of its leaves are seen.
    for (const pageSize of [512, 1024]) {
      const bytes = load(pairs, pageSize);
      const count = bytes.length / pageSize;
      const even = bytes.slice(0, pageSize * (count - (count % 2)));
      const old = withWord(withWord(even, 12, even.length / (2 * pageSize)), 0, 1);
      const whole = await repaired(alone(v1, 'btree.db', old));
      const { rows } = await scan(alone(v1, 'btree.db', whole['btree.db']!));
      expect(rows.length).toBeGreaterThan(pairs.length - 40);
    }
  });

  it('of most of the metadata leaves the page size known', async () => {
    for (const [at, value] of [
      [4, 4],
      [0, 2],
    ] as const) {
      const one = withWord(withWord(load([['k', 'v']], 4096), at, value), 8, 9);
      const { stats } = await verify(file(one));
      expect(stats).toMatchObject({ facts: { pageSize: 4096 } });
    }
  });

  it('that leaves two values for a key keeps the live one, and sets the other aside', async () => {
    // An older copy of leaf 2 behind the tree, with another value of its first key, and a dead leaf 3.
    const copy = sample.slice(leafAt(2), leafAt(3));
    const valueAt = 7 + 2 + 7 + 2;
    copy[valueAt] = 'X'.charCodeAt(0);
    const bytes = withWord(concat([sample, copy]), 12, pageCount + 1);
    bytes.fill(0xff, leafAt(3), leafAt(4));
    const made = await plan(file(bytes));
    expect(made.consequences[0]).toMatch(/, 1 conflicts$/);
    const first = pairs.find(([key]) => key === firstOfLeaf(2))!;
    expect(made.consequences[1]).toContain(JSON.stringify(first[0]));
    const result = (await scan(file((await repaired(file(bytes), made))['btree.db']!))).rows;
    expect(result.find(({ key }) => key === first[0])!.value).toBe(first[1]);
    const conflict = made.ledger.find(({ code }) => code === 'key-conflict')!;
    expect(conflict.offset).toBe(sample.length + 7);
    expect(made.ledger.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
  });

  it('of any byte yields findings and rows, never an exception, and a clean repair', async () => {
    const change = fc.record({
      at: fc.nat(sample.length - 1),
      length: fc.constantFrom(1, 1, 4, 64, 512),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = sample.slice();
        for (const { at, length, value } of changes) bytes.fill(value, at, at + length);
        const input = alone(v1, 'btree.db', bytes);
        const before = await scan(input);
        expect(await layoutFaults(input)).toEqual([]);
        const made = await plan(input);
        expect(made.ledger.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
        const result = file((await repaired(input, made))['btree.db']!);
        const after = await verify(result);
        expect(after.findings).toEqual([]);
        // No key that a scan can read is lost.
        const kept = new Set((await scan(result)).rows.map(({ key }) => JSON.stringify(key)));
        for (const { key } of before.rows) expect(kept).toContain(JSON.stringify(key));
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it('cut at any page gives findings in bounded time', async () => {
    for (let size = 0; size <= sample.length; size += 256) {
      const input = file(sample.slice(0, size));
      const result = await verify(input);
      expect(result.clean, `size ${size}`).toBe(size === sample.length);
      expect(await layoutFaults(input)).toEqual([]);
    }
  });
});
