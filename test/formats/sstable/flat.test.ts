import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsmV1 } from '../../../src/formats/sstable/lsm-v1/index.ts';
import { prefixRange, TableCursor } from '../../../src/formats/sstable/range.ts';
import { v1 } from '../../../src/formats/sstable/v1/index.ts';
import { fixtureFiles, fixtureJson, MemorySource } from '../../support/memory.ts';
import {
  codes,
  context,
  type Entry,
  repaired,
  scanTable,
  tableOf,
  uncovered,
  verify,
} from './tables.ts';

interface Expected {
  records: { key: string; timestamp?: number; value: unknown; deleted: boolean }[];
  clean: boolean;
  findings?: string[];
}

const only = (directory: string): Uint8Array => Object.values(fixtureFiles(directory))[0]!;
const dialects = [v1, lsmV1];

describe('golden files', () => {
  const cases = [
    ['v1/clean', v1],
    ['v1/unsorted', v1],
    ['v1/unfinished', v1],
    ['v1/bad-footer', v1],
    ['lsm-v1/clean', lsmV1],
  ] as const;

  it.each(cases)('%s gives what its expectation says', async (name, dialect) => {
    const bytes = only(`sstable/${name}`);
    const expected = fixtureJson<Expected>(`sstable/${name}/expected.json`);
    const { entries } = await scanTable(dialect, bytes);
    const told = entries.map(({ key, value, op, timestamp }) => ({
      key,
      ...(timestamp !== undefined && { timestamp }),
      value,
      deleted: op === 'delete',
    }));
    expect(told).toEqual(expected.records);
    const result = await verify(dialect, bytes);
    expect(result.clean).toBe(expected.clean);
    expect(Object.keys(result.counts)).toEqual(expected.findings ?? []);
  });

  it.each(cases)('%s: every byte belongs to one field', async (name, dialect) => {
    expect(await uncovered(dialect, only(`sstable/${name}`))).toEqual([]);
  });

  it.each(cases)('%s is repaired to a clean table with all entries', async (name, dialect) => {
    const bytes = only(`sstable/${name}`);
    const { bytes: result, total } = await repaired(dialect, bytes);
    expect(total).toBe(bytes.length);
    expect((await verify(dialect, result)).clean).toBe(true);
    const before = (await scanTable(dialect, bytes)).entries.map(({ key }) => String(key)).sort();
    const after = (await scanTable(dialect, result)).entries.map(({ key }) => String(key));
    expect(after).toEqual(before);
  });

  it.each([
    ['v1/clean', v1],
    ['lsm-v1/clean', lsmV1],
  ] as const)('%s is written again byte for byte', async (name, dialect) => {
    const bytes = only(`sstable/${name}`);
    const { records } = fixtureJson<Expected>(`sstable/${name}/expected.json`);
    const entries = records.map(({ key, timestamp, value, deleted }) => ({
      key,
      ...(timestamp !== undefined && { timestamp }),
      ...(!deleted && { value: value as string }),
    }));
    // Values that are no text stand as hex in the expectation.
    const { entries: scanned } = await scanTable(dialect, bytes);
    expect(scanned).toHaveLength(entries.length);
    expect((await repaired(dialect, bytes)).bytes).toEqual(new Uint8Array(bytes));
  });
});

function sample(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `key${String(i).padStart(3, '0')}`,
    timestamp: 1000 + i,
    ...(i % 7 !== 3 && { value: `value ${i} ${'x'.repeat((i * 5) % 23)}` }),
  }));
}

describe.each(dialects)('$id: damage', (dialect) => {
  const entries = sample(20);
  const whole = tableOf(dialect, entries, { indexEvery: 8 });

  it('of any one byte never throws, and costs at most two entries', async () => {
    const { entries: intact } = await scanTable(dialect, whole);
    const keys = new Set(intact.map(({ key }) => key));
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [at % 2 ? 0x01 : 0x10, 0x80]) {
        const bytes = whole.slice();
        bytes[at]! ^= mask;
        const { entries: left } = await scanTable(dialect, bytes);
        const kept = left.filter(({ key }) => keys.has(key)).length;
        // A key that is hit is another key; one length that is hit takes its entry with it.
        expect(kept, `byte ${at} ^ ${mask}`).toBeGreaterThanOrEqual(entries.length - 2);
        expect(await uncovered(dialect, bytes), `byte ${at} ^ ${mask}`).toEqual([]);
        const { total } = await repaired(dialect, bytes);
        expect(total).toBe(bytes.length);
      }
    }
  });

  it('at every length it is cut to is told, and what is before is read', async () => {
    const { entries: intact } = await scanTable(dialect, whole);
    for (let size = 0; size < whole.length; size++) {
      const bytes = whole.slice(0, size);
      const { entries: left } = await scanTable(dialect, bytes);
      const before = intact.filter((_, i) => (intact[i + 1]?.offset ?? 1e9) <= size);
      expect(left.slice(0, before.length), `size ${size}`).toEqual(before);
      expect((await verify(dialect, bytes)).clean, `size ${size}`).toBe(false);
      expect(await uncovered(dialect, bytes), `size ${size}`).toEqual([]);
    }
  });

  it('of a length is explained, and its repair verifies clean', async () => {
    const { entries: intact } = await scanTable(dialect, whole);
    // The highest byte of the value's length of entry 5, in the middle of a stretch.
    const at = intact[5]!.offset + (dialect === v1 ? 2 + 6 + 8 : 4 + 6) + 3;
    const bytes = whole.slice();
    bytes[at]! ^= 0x40;
    const { entries: left, damage } = await scanTable(dialect, bytes);
    expect(left.map(({ key }) => key)).toEqual(
      intact.filter((_, i) => i !== 5).map(({ key }) => key),
    );
    expect(damage.map(({ code, offset }) => [code, offset])).toContainEqual([
      'block-format',
      intact[5]!.offset,
    ]);
    expect(damage[0]!.diagnosis).toContain('value_length');
    const { plan, bytes: result } = await repaired(dialect, bytes);
    expect(plan.consequences[0]).toContain('between "key004" and "key006"');
    expect((await verify(dialect, result)).clean).toBe(true);
    expect((await scanTable(dialect, result)).entries).toHaveLength(entries.length - 1);
  });

  it('of random bytes never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (noise) => {
        const bytes = dialect === v1 ? Buffer.concat([whole.slice(0, 10), noise]) : noise;
        await verify(dialect, bytes);
        expect(await uncovered(dialect, bytes)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('v1: what header, index and footer tell', () => {
  const whole = tableOf(v1, sample(20), { indexEvery: 8 });
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);

  it('a wrong magic', async () => {
    const bytes = whole.slice();
    bytes[0] = 0x54;
    expect(await codes(v1, bytes)).toEqual(['bad-magic']);
  });

  it('a wrong count', async () => {
    const bytes = whole.slice();
    view(bytes).setUint32(6, 21);
    expect(await codes(v1, bytes)).toEqual(['count-mismatch']);
  });

  it('an index entry with another key, and one that points elsewhere', async () => {
    const indexAt = Number(view(whole).getBigUint64(whole.length - 12));
    const key = whole.slice();
    key[indexAt + 4]! ^= 1;
    expect(await codes(v1, key)).toContain('index-mismatch');
    const offset = whole.slice();
    offset[indexAt + 16 + 15]! ^= 1;
    expect(await codes(v1, offset)).toContain('index-mismatch');
  });

  it('a table without entries is whole', async () => {
    expect(await codes(v1, tableOf(v1, []))).toEqual([]);
  });
});

describe.each(dialects)('$id: reading by the index', (dialect) => {
  const entries = sample(50);
  const whole = tableOf(dialect, entries, { indexEvery: 8 });
  const keys = entries.map(({ key }) => key);

  it.each([false, true])('a range, reverse: %s', async (reverse) => {
    const table = await dialect.open(new MemorySource('t.sst', whole), context);
    for (const [from, to] of [
      [undefined, undefined],
      ['key010', 'key031'],
      ['key0105', 'key9'],
      ['a', 'key008'],
      ['key016', 'key016'],
      ['x', undefined],
    ]) {
      const range = { from: from && Buffer.from(from), to: to && Buffer.from(to) };
      const cursor = new TableCursor(table, range as never, reverse, () => {});
      const found: string[] = [];
      while (await cursor.next()) found.push(String(Buffer.from(cursor.block.key(cursor.index))));
      const expected = keys.filter((key) => (!from || key >= from) && (!to || key < to));
      expect(found).toEqual(reverse ? expected.reverse() : expected);
    }
  });
});

describe('ranges', () => {
  it('of a prefix end where the next one begins, and leave the prefix as it is', () => {
    const prefix = Buffer.from('key01');
    expect(prefixRange(prefix)).toEqual({ from: prefix, to: new Uint8Array(Buffer.from('key02')) });
    expect(prefix.toString()).toBe('key01');
    expect(prefixRange(Uint8Array.of(0x61, 0xff, 0xff)).to).toEqual(Uint8Array.of(0x62));
    expect(prefixRange(Uint8Array.of(0xff)).to).toBeUndefined();
  });
});

describe('writing', () => {
  it('refuses keys out of order, and what the layouts cannot hold', () => {
    expect(() =>
      tableOf(v1, [
        { key: 'b', value: '' },
        { key: 'a', value: '' },
      ]),
    ).toThrow('behind');
    expect(() =>
      tableOf(v1, [
        { key: 'a', value: '' },
        { key: 'a', value: '' },
      ]),
    ).toThrow('behind');
    expect(() => tableOf(v1, [{ key: 'a'.repeat(65_536), value: '' }])).toThrow('65535');
    expect(() => tableOf(v1, [{ key: 'a', value: '', type: 2 }])).toThrow('merge');
    expect(() => tableOf(lsmV1, [{ key: 'a', value: '' }])).toThrow('empty value');
  });
});
