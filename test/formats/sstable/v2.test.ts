import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookUp } from '../../../src/formats/sstable/look-up.ts';
import { TableCursor } from '../../../src/formats/sstable/range.ts';
import { v2 } from '../../../src/formats/sstable/v2/index.ts';
import { MemorySource } from '../../support/memory.ts';
import {
  codes,
  context,
  type Entry,
  opened,
  repaired,
  scanTable,
  tableOf,
  uncovered,
  verify,
} from './tables.ts';

const ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function sample(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `key${String(i).padStart(4, '0')}`,
    seq: 1000 + i,
    ...(i % 5 === 1 && { timestamp: i / 4 }),
    ...(i % 7 !== 3 && { value: `value ${i} ${'x'.repeat((i * 5) % 23)}` }),
  }));
}
const table = (entries: Entry[], more = {}) =>
  tableOf(v2, entries, { blockBytes: 256, tableId: ID, ...more });
const entries = sample(40);
const whole = table(entries);

describe('a hardened table', () => {
  it('has what was put in, and verifies clean', async () => {
    const told = (await scanTable(v2, whole)).entries;
    expect(told.map(({ key, seq, value, op }) => ({ key, seq, value, op }))).toEqual(
      entries.map(({ key, seq, value }) => ({
        key,
        seq: String(seq),
        value: value ?? null,
        op: value === undefined ? 'delete' : 'put',
      })),
    );
    expect((await verify(v2, whole)).findings).toEqual([]);
    expect((await verify(v2, whole, true)).findings).toEqual([]);
    expect(await uncovered(v2, whole)).toEqual([]);
  });

  it('holds any bytes as key and value, several versions of a key, range deletions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.string({ maxLength: 12 }), fc.nat(3)), {
          selector: ([key, seq]) => `${key} ${seq}`,
          maxLength: 60,
        }),
        fc.constantFrom(undefined, 'deflate'),
        async (pairs, compression) => {
          const given = pairs
            .map(([key, seq]) => ({ key, seq, value: key.repeat(seq) }))
            .sort(
              (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || b.seq - a.seq,
            );
          const ranges = [{ key: 'a', value: 'b', seq: 9, type: 15 }];
          const bytes = table([...given, ...ranges], { compression });
          expect((await verify(v2, bytes)).findings).toEqual([]);
          const told = (await scanTable(v2, bytes)).entries;
          expect(told.map(({ key, seq }) => [key, seq])).toEqual(
            given.map(({ key, seq }) => [key, String(seq)]),
          );
          expect(await uncovered(v2, bytes)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is read by key: the newest version, and what a range deletion covers', async () => {
    const bytes = table([
      { key: 'a', seq: 5, value: 'new' },
      { key: 'a', seq: 2, value: 'old' },
      { key: 'c', seq: 3, value: 'x' },
      { key: 'b', value: 'd', seq: 4, type: 15 },
    ]);
    const get = (key: string) =>
      lookUp(opened(v2, bytes), Buffer.from(key), false, context, () => {});
    const a = await get('a');
    expect(Buffer.from(a.entries[0]!.block.value(0)!).toString()).toBe('new');
    expect((await get('c')).live).toBe(false);
    expect((await get('c')).notices[0]).toContain('range deletion');
    expect((await get('zz')).entries).toEqual([]);
  });

  it.each([false, true])('is read by range, reverse: %s', async (reverse) => {
    const keys = entries.map(({ key }) => key);
    const source = new MemorySource('t', whole);
    for (const [from, to] of [
      [undefined, undefined],
      ['key0010', 'key0031'],
      ['a', 'key0001'],
      ['key0039', 'z'],
    ]) {
      const range = {
        from: from ? Buffer.from(from) : undefined,
        to: to ? Buffer.from(to) : undefined,
      };
      const cursor = new TableCursor(await v2.open(source, context), range, reverse, () => {});
      const found: string[] = [];
      while (await cursor.next()) found.push(String(Buffer.from(cursor.block.key(cursor.index))));
      const expected = keys.filter((key) => (!from || key >= from) && (!to || key < to));
      expect(found).toEqual(reverse ? expected.reverse() : expected);
    }
  });

  it('refuses entries out of order', () => {
    expect(() =>
      table([
        { key: 'b', value: '' },
        { key: 'a', value: '' },
      ]),
    ).toThrow('behind');
  });
});

describe('damage', () => {
  it('of any one bit is seen, and costs one block at most', async () => {
    const { entries: intact } = await scanTable(v2, whole);
    const blocks = new Map<number, number>();
    for (const { offset } of intact) blocks.set(offset, (blocks.get(offset) ?? 0) + 1);
    const most = Math.max(...blocks.values());
    for (let at = 0; at < whole.length; at += 1) {
      // Between the footers there is nothing but zeros: every 16th will do.
      if (at > whole.length - 3500 && at < whole.length - 64 && at % 16 !== 0) continue;
      const bytes = whole.slice();
      bytes[at]! ^= 1 << (at & 7);
      const { entries: left } = await scanTable(v2, bytes);
      expect((await verify(v2, bytes)).clean, `byte ${at}`).toBe(false);
      expect(left.length, `byte ${at}`).toBeGreaterThanOrEqual(intact.length - most);
      if (at % 5 === 0) expect(await uncovered(v2, bytes), `byte ${at}`).toEqual([]);
      if (at % 9 !== 0) continue;
      const { bytes: result, total } = await repaired(v2, bytes);
      expect(total).toBe(bytes.length);
      expect((await verify(v2, result)).findings, `byte ${at}`).toEqual([]);
      expect((await scanTable(v2, result)).entries).toHaveLength(left.length);
    }
  });

  it('at every length it is cut to is seen', async () => {
    const { entries: intact } = await scanTable(v2, whole);
    for (let size = 0; size < whole.length; size += 37) {
      const bytes = whole.slice(0, size);
      const { entries: left } = await scanTable(v2, bytes);
      const before = intact.filter(({ offset }, i) => {
        const next = intact.slice(i).find((one) => one.offset > offset)?.offset ?? 2700;
        return next <= size;
      });
      expect(left.length, `size ${size}`).toBeGreaterThanOrEqual(before.length);
      expect((await verify(v2, bytes)).clean, `size ${size}`).toBe(false);
      expect(await uncovered(v2, bytes), `size ${size}`).toEqual([]);
    }
  });

  it('swapped, repeated and foreign blocks are seen', async () => {
    const { entries: intact } = await scanTable(v2, whole);
    const offsets = [...new Set(intact.map(({ offset }) => offset))];
    const [a, b, c] = offsets as [number, number, number];
    const part = (from: number, to: number) => whole.slice(from, to);
    const swapped = Buffer.concat([part(0, a), part(b, c), part(a, b), part(c, whole.length)]);
    expect(await codes(v2, new Uint8Array(swapped))).toEqual(
      expect.arrayContaining(['block-format', 'unsorted-keys']),
    );
    const repeated = Buffer.concat([part(0, b), part(a, whole.length)]);
    expect(await codes(v2, new Uint8Array(repeated))).toContain('block-format');
    const foreign = table(entries, { tableId: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9) });
    const mixed = whole.slice();
    mixed.set(foreign.subarray(b, c), b);
    expect(await codes(v2, mixed)).toContain('unaccounted');
  });

  it('the lost interval is named by its neighbours', async () => {
    const { entries: intact } = await scanTable(v2, whole);
    const hit = intact[20]!.offset;
    const bytes = whole.slice();
    bytes[hit + 60]! ^= 4;
    const { plan } = await repaired(v2, bytes);
    const lost = intact.filter(({ offset }) => offset === hit);
    expect(plan.consequences[0]).toContain(`at most ${lost.length} entries`);
    const before = intact.filter(({ offset }) => offset < hit).at(-1)!.key;
    expect(plan.consequences[0]).toContain(`between ${JSON.stringify(before)}`);
  });

  it('an unknown incompatible flag is named', async () => {
    const { headerCrc } = await import('../../../src/formats/sstable/v2/layout.ts');
    const bytes = whole.slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(16, 4, true);
    view.setUint32(32, headerCrc(bytes), true);
    const { findings } = await verify(v2, bytes);
    expect(findings[0]).toMatchObject({ code: 'not-understood', severity: 'error' });
    view.setUint32(16, 0, true);
    view.setUint32(12, 4, true);
    view.setUint32(32, headerCrc(bytes), true);
    expect((await verify(v2, bytes)).clean).toBe(true);
  });
});
