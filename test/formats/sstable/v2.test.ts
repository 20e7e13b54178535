import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../../src/formats/bytes/read-fully.ts';
import { EntryBlock, TYPE } from '../../../src/formats/sstable/entry-block.ts';
import { keyRange, TableCursor } from '../../../src/formats/sstable/range.ts';
import { type V2WriteOptions, V2Writer } from '../../../src/formats/sstable/v2/encode.ts';
import { FilterBuilder, LineFilter } from '../../../src/formats/sstable/v2/filter.ts';
import { encodeHeader } from '../../../src/formats/sstable/v2/frames.ts';
import { hashKey } from '../../../src/formats/sstable/v2/hash.ts';
import { v2 } from '../../../src/formats/sstable/v2/index.ts';
import { FOUND, PointSearch } from '../../../src/formats/sstable/v2/point.ts';
import { MemorySource } from '../../support/memory.ts';
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

const options: V2WriteOptions = { blockBytes: 200, fileId: 7n };

function sample(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `key${String(i).padStart(4, '0')}`,
    seq: 1000 - i,
    ...(i % 5 === 2 && { timestamp: 1000.5 + i }),
    ...(i % 7 !== 3 && { value: `value ${i} ${'x'.repeat((i * 5) % 23)}` }),
  }));
}

const ranges: Entry[] = [
  { key: 'key0030', value: 'key0040', seq: 2000, type: TYPE.rangeDelete },
  { key: 'key0010', value: 'key0020', seq: 2001, type: TYPE.rangeDelete },
];
const small = tableOf(v2, [...sample(24), ...ranges], options);
const large = tableOf(v2, sample(400), options);

async function rangesOf(bytes: Uint8Array): Promise<string[]> {
  const table = await v2.open(new MemorySource('t', bytes), context);
  const block = new EntryBlock();
  await table.readRangeDeletions?.(block);
  return Array.from({ length: block.count }, (_, i) => {
    return `${Buffer.from(block.key(i))}-${Buffer.from(block.value(i)!)}`;
  });
}

describe('a table that is written', () => {
  it.each([
    ['plain', options],
    ['deflate', { ...options, compression: 'deflate' }],
    ['without a filter', { ...options, filterBits: 0 }],
  ])('is read again with all that was in it (%s)', async (_, more) => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.record({
            key: fc.string({ unit: 'binary', maxLength: 30 }),
            seq: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
            type: fc.constantFrom(TYPE.put, TYPE.delete, TYPE.merge),
            value: fc.string({ maxLength: 80 }),
          }),
          { selector: ({ key, seq }) => `${seq} ${key}`, maxLength: 80 },
        ),
        async (generated) => {
          const entries = generated.map(({ type, value, ...rest }) => {
            return { ...rest, type, ...(type !== TYPE.delete && { value }) };
          });
          entries.sort(
            (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || b.seq - a.seq,
          );
          const bytes = tableOf(v2, entries, more);
          const { entries: read, damage } = await scanTable(v2, bytes);
          expect(damage).toEqual([]);
          expect(read.map(({ key, seq, value }) => [key, Number(seq), value])).toEqual(
            entries.map(({ key, seq, value }) => [key, seq, value ?? null]),
          );
          expect((await verify(v2, bytes)).clean).toBe(true);
          expect(await uncovered(v2, bytes)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has the timestamps, and range deletions apart, in order', async () => {
    const { entries } = await scanTable(v2, small);
    expect(entries).toHaveLength(24);
    expect(entries[2]!.timestamp).toBe(1002.5);
    expect(await rangesOf(small)).toEqual(['key0010-key0020', 'key0030-key0040']);
  });

  it('is found in by key, and walked both ways', async () => {
    const table = await v2.open(new MemorySource('t', large), context);
    expect(table.blocks).toBeGreaterThan(20);
    for (const i of [0, 1, 57, 399]) {
      const key = Buffer.from(`key${String(i).padStart(4, '0')}`);
      expect(await table.mayContain(key)).toBe(true);
      const cursor = new TableCursor(table, keyRange(key), false, () => {});
      expect(await cursor.next()).toBe(true);
      expect(Buffer.from(cursor.block.key(cursor.index))).toEqual(key);
      expect(await cursor.next()).toBe(false);
    }
    const walk = async (reverse: boolean) => {
      const range = { from: Buffer.from('key0100'), to: Buffer.from('key0200') };
      const cursor = new TableCursor(table, range, reverse, () => {});
      const keys: string[] = [];
      while (await cursor.next()) keys.push(`${Buffer.from(cursor.block.key(cursor.index))}`);
      return keys;
    };
    const keys = await walk(false);
    expect(keys).toHaveLength(100);
    expect(await walk(true)).toEqual(keys.reverse());
  });

  it('refuses what is out of order, and what is too large', () => {
    const target = { write() {} };
    const out = [
      { key: 'b', value: '' },
      { key: 'a', value: '' },
    ];
    expect(() => tableOf(v2, out, options)).toThrow(/"a" comes behind "b"/);
    const same = [
      { key: 'a', seq: 1 },
      { key: 'a', seq: 2 },
    ];
    expect(() => tableOf(v2, same, options)).toThrow(/comes behind/);
    const writer = new V2Writer(target, options);
    const key = new Uint8Array(2 ** 20 + 1);
    expect(() =>
      writer.addEntry(key, viewOf(key), 0, key.length, 0, 1, 1, key, viewOf(key), 0, 0, NaN),
    ).toThrow(/at most/);
  });
});

describe('damage', () => {
  it('of any one bit is found, costs at most a block, and is repaired', async () => {
    const { entries: intact } = await scanTable(v2, small);
    const perBlock = Math.max(...[...groups(intact).values()]);
    for (let at = 0; at < small.length; at++) {
      const bytes = small.slice();
      bytes[at]! ^= 1 << (at % 8);
      const { entries: left, damage } = await scanTable(v2, bytes);
      expect(damage.length, `byte ${at}`).toBeGreaterThan(0);
      expect(left.length, `byte ${at}`).toBeGreaterThanOrEqual(intact.length - perBlock);
      expect((await verify(v2, bytes, true)).clean, `byte ${at}, quick`).toBe(false);
      if (at % 5 !== 0) continue;
      expect(await uncovered(v2, bytes), `byte ${at}`).toEqual([]);
      const { bytes: mended, total } = await repaired(v2, bytes);
      expect(total).toBe(bytes.length);
      expect((await verify(v2, mended)).counts, `byte ${at}`).toEqual({});
      expect((await scanTable(v2, mended)).entries).toHaveLength(left.length);
    }
  });

  it('at every length it is cut to is told, and blocks before it are read', async () => {
    const { entries: intact } = await scanTable(v2, small);
    for (let size = 0; size < small.length; size += 3) {
      const bytes = small.slice(0, size);
      const { entries: left, damage } = await scanTable(v2, bytes);
      expect(damage.length, `size ${size}`).toBeGreaterThan(0);
      const before = intact.filter((entry) => {
        const next = intact.find(({ offset }) => offset > entry.offset);
        return next && next.offset <= size;
      });
      expect(left.slice(0, before.length).map(({ key }) => key)).toEqual(
        before.map(({ key }) => key),
      );
      expect(await uncovered(v2, bytes), `size ${size}`).toEqual([]);
    }
  });

  it('of header, first footer and last footer together costs no entry', async () => {
    for (const where of [5, 61]) {
      const bytes = large.slice();
      bytes[where]! ^= 0x10;
      bytes[large.length - 100]! ^= 0x10;
      const first = Buffer.from(bytes).indexOf('DDIASSF2');
      bytes[first + 40]! ^= 0x10;
      expect((await scanTable(v2, bytes)).entries).toHaveLength(400);
      const { bytes: mended } = await repaired(v2, bytes);
      expect((await scanTable(v2, mended)).entries).toHaveLength(400);
      expect((await verify(v2, mended)).clean).toBe(true);
    }
  });

  it('names the flipped bit, and how many entries its block had', async () => {
    const bytes = large.slice();
    bytes[64 + 32 + 50]! ^= 0x20;
    const { damage } = await scanTable(v2, bytes);
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({
      code: 'block-checksum',
      diagnosis: 'bit 5 of the byte at 146 is flipped',
      lost: true,
    });
    expect(damage[0]!.entriesAtMost).toBeLessThan(20);
  });

  it('is a block in another place, from another file, or left out', async () => {
    const { entries } = await scanTable(v2, large);
    const [first, second, third] = [...groups(entries).keys()] as [number, number, number];
    const swapped = large.slice();
    swapped.set(large.subarray(first, second), second);
    expect(await codes(v2, swapped)).toContain('block-checksum');
    const other = tableOf(v2, sample(400), { ...options, fileId: 8n } as V2WriteOptions);
    const foreign = large.slice();
    foreign.set(other.subarray(first, second), first);
    expect(await codes(v2, foreign)).toEqual(['block-checksum']);
    const cut = Buffer.concat([large.subarray(0, second), large.subarray(third)]);
    expect(await codes(v2, cut)).toContain('block-checksum');
  });

  it('behind the end is unaccounted', async () => {
    const longer = Buffer.concat([small, Buffer.alloc(100, 7)]);
    expect(await codes(v2, longer)).toEqual(['unaccounted']);
    expect(await uncovered(v2, longer)).toEqual([]);
  });

  it('of arbitrary kind never throws, and every byte is told of once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { maxLength: 12 }),
        async (edits) => {
          const bytes = small.slice();
          for (const [at, byte] of edits) bytes[at] = byte;
          expect(await uncovered(v2, bytes)).toEqual([]);
          const { total } = await repaired(v2, bytes);
          expect(total).toBe(bytes.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('refuses a flag that it does not know, by name', async () => {
    const { bytes: header } = encodeHeader({ fileId: 7n, blockBytes: 200, filterBits: 14 });
    header[16] = 4;
    const { crc32c } = await import('../../../src/shared/crc32.ts');
    new DataView(header.buffer).setUint32(60, crc32c.of(header, 0, 60), true);
    const bytes = small.slice();
    bytes.set(header);
    const { findings } = await verify(v2, bytes);
    expect(findings[0]).toMatchObject({ code: 'unsupported' });
    expect(findings[0]!.message).toContain('incompatible flags 4');
  });
});

/** Entries by the block that they are in. */
function groups(entries: readonly { offset: number }[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { offset } of entries) counts.set(offset, (counts.get(offset) ?? 0) + 1);
  return counts;
}

describe('a point search', () => {
  it('finds what a walk finds, behind restarts and among versions', async () => {
    const search = new PointSearch();
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '\0'), maxLength: 5 });
    const entry = fc.record({
      key: word,
      seq: fc.integer({ min: 1, max: 60 }),
      value: fc.string(),
    });
    const unique = { selector: (one: Entry) => `${one.seq} ${one.key}`, maxLength: 150 };
    await fc.assert(
      fc.property(fc.uniqueArray(entry, unique), word, fc.nat(70), (entries, key, seq) => {
        const inOrder = (a: Entry, b: Entry) =>
          Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || b.seq! - a.seq!;
        const sorted = [...entries].sort(inOrder);
        if (sorted.length === 0) return;
        const bytes = tableOf(v2, sorted, { blockBytes: 1 << 20 });
        const stored = new DataView(bytes.buffer).getUint32(64 + 16, true);
        const payload = bytes.subarray(96, 96 + stored);
        const asked = Buffer.from(key);
        const found = search.find(payload, asked, 0, asked.length, seq) === FOUND;
        const expected = sorted.find((one) => one.key === key && one.seq <= seq);
        expect(found ? search.seq : undefined).toBe(expected?.seq);
        const value = payload.subarray(search.valueStart, search.valueEnd);
        if (found) expect(Buffer.from(value).toString()).toBe(expected!.value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the filter', () => {
  it('finds every key, and errs as seldom as it is made to', () => {
    const builder = new FilterBuilder(14);
    const key = (i: number) => Buffer.from(String(i).padStart(16, '0'));
    const count = 20_000;
    for (let i = 0; i < count; i++) builder.add(key(i), 0, 16);
    const payload = builder.finish();
    const filter = LineFilter.read(payload, new DataView(payload.buffer), 0, payload.length)!;
    let wrong = 0;
    for (let i = 0; i < count; i++) expect(filter.mayHold(hashKey(key(i), 0, 16))).toBe(true);
    for (let i = count; i < 6 * count; i++) if (filter.mayContain(key(i))) wrong++;
    expect(wrong / (5 * count)).toBeLessThan(0.004);
  });
});
